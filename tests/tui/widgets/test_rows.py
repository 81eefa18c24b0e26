"""The list that builds only what one sees: its scrollbar stands where its rows do."""

from __future__ import annotations

import pytest
from rich.text import Text
from textual.app import App
from textual.geometry import Region

from tui.widgets.rows import Rows


class Listing(App[None]):
    CSS = "Rows { height: 8; }"

    def compose(self):
        yield Rows(id="rows")


def _row(i: int) -> Text:
    return Text(f"row {i}")


@pytest.mark.parametrize(
    "shown",
    [
        [(1000, 999, 992)],  # scrolled before there is a bar
        [(9, 8, 1), (2, 0, 0), (9, None, 0)],  # and back while it was away
    ],
)
async def test_a_scrollbar_stands_where_the_rows_do_however_it_came(shown):
    app = Listing()
    async with app.run_test(size=(30, 10)) as pilot:
        rows = app.query_one(Rows)
        for count, row, top in shown:
            rows.show_rows(count, _row, row=row)
            await pilot.pause()
            assert rows.show_vertical_scrollbar is (count > 7)
            assert rows.scroll_y == top
        assert rows.vertical_scrollbar.position == top


@pytest.mark.parametrize("style", ["", "border-left: solid red;", "padding: 1 2;", "padding: 0 3;", "opacity: 50%;"])
@pytest.mark.parametrize("no_color", [False, True])
async def test_lines_are_drawn_as_by_textual_wherever_they_stand(style, no_color, monkeypatch):
    class Styled(Listing):
        CSS = Listing.CSS + "Rows { background: #102030; color: #abcdef; " + style + "}"

    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    app = Styled()
    async with app.run_test(size=(30, 10)) as pilot:
        rows = app.query_one(Rows)
        for count, row in ((3, 1), (1000, 0), (1000, 7), (1000, 500), (0, 0)):
            rows.show_rows(count, _row, row=row, header=Text("heading", style="bold"))
            await pilot.pause()
            whole = rows.region.size.region
            for crop in (whole, Region(0, 2, 30, 3), Region(4, 1, 9, 2)):
                plain = rows._styles_cache
                plain.clear()
                expected = plain.render_widget(rows, crop)
                found = rows.render_lines(crop)
                assert [strip.text for strip in found] == [strip.text for strip in expected]
                assert [_cells(strip) for strip in found] == [_cells(strip) for strip in expected]


def _cells(strip):
    """Each character with its colours and attributes."""
    return [(char, str(segment.style)) for segment in strip for char in segment.text]
