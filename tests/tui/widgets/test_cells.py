"""Text in cells: every character is visible, none controls the terminal, and no line is wider than its widget."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.core.support.texts import ANY_TEXT, HARD
from tui.widgets.cells import INVISIBLE, Layout, one_line, shown, widths

PIECES = st.text(st.sampled_from("ab \n中\u0301👩\u200d🇫\0"), max_size=40)


@settings(max_examples=400, deadline=None)
@given(text=ANY_TEXT)
def test_each_character_is_shown_as_one_character_and_none_controls_the_terminal(text: str) -> None:
    visible = shown(text)
    assert len(visible) == len(widths(text)) == len(text)
    for char in visible.replace("\n", ""):
        code = ord(char)
        assert code >= 0x20
        assert not 0x7F <= code < 0xA0
        assert not 0xD800 <= code < 0xE000
        assert char not in "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2069\ufeff\ufe0f"
    assert "\n" not in one_line(text)


@settings(max_examples=400, deadline=None)
@given(text=ANY_TEXT)
def test_widths_are_those_that_rich_computes(text: str) -> None:
    visible = shown(text).replace("\n", "")
    assert sum(map(int, widths(text))) == cell_len(visible)


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("a\u200bb", f"a{INVISIBLE}b"),
        ("👨\u200d👧", f"👨{INVISIBLE}👧"),
        ("❤\ufe0f", f"❤{INVISIBLE}"),
        ("🇫🇷", "ＦＲ"),
        ("\x1b[1m", "␛[1m"),
        ("e\u0301", "e\u0301"),
        ("\u1112\u1161\u11ab", "\u1112\u1161\u11ab"),
        ("ab", "ab"),
    ],
)
def test_a_character_without_a_width_is_shown_as_a_sign(text: str, visible: str) -> None:
    assert shown(text) == visible


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(PIECES, ANY_TEXT), width=st.integers(2, 12))
def test_the_lines_make_up_the_text_and_fit_into_the_width(text: str, width: int) -> None:
    layout = Layout(text, width)
    spans = [layout.span(line) for line in range(len(layout))]
    assert "".join(text[start:end] for start, end in spans) == text
    for start, end in spans:
        hanging = text[start:end].endswith(" ")
        assert sum(map(int, layout.widths[start:end])) <= width + hanging
        assert "\n" not in text[start : max(end - 1, start)]


@settings(max_examples=400, deadline=None)
@given(data=st.data(), text=PIECES, width=st.integers(2, 9))
def test_an_edit_gives_the_same_lines_as_a_new_layout(data: st.DataObject, text: str, width: int) -> None:
    layout = Layout(text, width)
    for _ in range(3):
        start = data.draw(st.integers(0, len(layout.text)))
        removed = data.draw(st.integers(0, len(layout.text) - start))
        layout.edit(start, removed, data.draw(st.text(st.sampled_from("ab \n中\u0301"), max_size=4)))
        fresh = Layout(layout.text, width)
        assert (layout.starts, layout.shown, layout.widths) == (fresh.starts, fresh.shown, fresh.widths)


@settings(max_examples=200, deadline=None)
@given(text=PIECES, width=st.integers(2, 9))
def test_the_character_at_a_cell_is_the_one_shown_there(text: str, width: int) -> None:
    layout = Layout(text, width)
    for index, char in enumerate(text):
        if layout.widths[index] != "0":
            line = layout.line_of(index)
            assert layout.index_at(line, layout.column_of(index)) == index, char


@pytest.mark.parametrize("name", HARD)
def test_a_line_with_a_space_ends_after_a_space(name: str) -> None:
    layout = Layout(HARD[name], 20)
    assert len(layout) >= 1
    for line in range(len(layout) - 1):
        start, end = layout.span(line)
        if " " in layout.text[start:end]:
            assert layout.text[end - 1] in " \n"
