"""What one model makes of a text: its prediction, the text with its words tinted, and the effects of the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from core.formatting import counted
from tui.panes.results.attribution import tints_of
from tui.panes.results.page import failed
from tui.widgets.cells import one_line
from tui.widgets.lines import Lines
from tui.widgets.tinted_text import TintedText

if TYPE_CHECKING:
    from core.analysis.attribution import Attribution
    from tui.panes.results.tried_models import Tried, TriedModel

MOST_SHOWN = 20_000
"""Characters of a text that are shown; the model reads at most 512 tokens."""
MOST_WORDS = 60
"""Words in the list of effects; as many of them are shown as there is room for."""
_WORD = 14
"""Width of the column of words."""


class TriedCard(Vertical):
    """One column of Try."""

    def __init__(self, model: TriedModel) -> None:
        super().__init__(classes="tried-card")
        self.model = model
        self._attribution: Attribution | None = None

    def compose(self) -> ComposeResult:
        yield Static(Text(self.model.describe(), style="bold"), classes="tried-name")
        yield Static(classes="tried-numbers", markup=False)
        yield TintedText(id="tried-text")
        yield Static(classes="tried-note", markup=False)
        yield Lines(id="tried-words")

    class Ready(Message):
        """A card was added to the screen."""

    def on_mount(self) -> None:
        self.clear("no text yet")
        self.post_message(self.Ready())

    def text_widget(self) -> TintedText:
        """The widget that takes the focus."""
        return self.query_one(TintedText)

    def clear(self, message: str) -> None:
        """Show no result, but ``message``."""
        self._attribution = None
        self._numbers(Text(message, style="dim"))
        self.text_widget().show("")
        self._note("")
        self.query_one(Lines).show()

    def wait(self) -> None:
        """A new text is being computed. The last result stays, so that nothing flickers while the user types."""
        if self._attribution is None:
            waiting = "waits for the next step of the run …" if self.model.is_live else "loading the weights …"
            self._numbers(Text(waiting, style="dim"))

    def show(self, result: Tried) -> None:
        """Show a result."""
        if result.error:
            self.clear("")
            self._numbers(failed(result.error))
            return
        found = result.attribution
        if found is None:
            self._note(result.note)
            return
        if self.model.is_live:
            name = Text(f"{self.model.describe()}, step {result.step}", style="bold")
            self.query_one(".tried-name", Static).update(name)
        self._attribution = found
        self._draw_numbers()
        self._draw_text(found)
        self._note(result.note or _about(found, is_complete=result.is_complete))
        self._draw_words(is_complete=result.is_complete)

    def on_resize(self) -> None:
        if self._attribution is not None:
            self._draw_numbers()
            self._draw_words(is_complete=bool(self._attribution.words))

    def _numbers(self, content: Text) -> None:
        self.query_one(".tried-numbers", Static).update(content)

    def _note(self, note: str) -> None:
        self.query_one(".tried-note", Static).update(Text(note, style="dim"))

    def _draw_numbers(self) -> None:
        assert self._attribution is not None
        self._numbers(prediction_lines(self._attribution, self.size.width - 2))

    def _draw_text(self, found: Attribution) -> None:
        widget = self.text_widget()
        cut = found.cut_from if found.cut_from is not None and found.cut_from < MOST_SHOWN else None
        hidden = found.full_length - found.tokens
        widget.show(
            found.text[:MOST_SHOWN], cut=cut, rule=f"the model does not read the last {counted(hidden, 'token')}"
        )
        widget.tint(tints_of(found))

    def _draw_words(self, *, is_complete: bool) -> None:
        found = self._attribution
        lines = effect_lines(found, self.size.width - 2) if found is not None and is_complete else []
        self.query_one(Lines).show(*lines)


def prediction_lines(found: Attribution, width: int) -> Text:
    """The class, P(positive) and the logit; and below them P(positive) on an axis from 0 to 1."""
    label = "positive" if found.logit > 0 else "negative"
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(label, style="bold")
    text.append(f" · P(positive) {found.probability:.3f} · logit {signed(found.logit)}\n")
    cells = max(min(width, 60) - len("negative  positive"), 5)
    axis = ["·"] * cells
    axis[cells // 2] = "┊"
    place = min(round(found.probability * (cells - 1)), cells - 1)
    text.append("negative ", style="dim")
    text.append("".join(axis[:place]), style="dim")
    text.append("●", style="bold")
    text.append("".join(axis[place + 1 :]), style="dim")
    text.append(" positive", style="dim")
    return text


def effect_lines(found: Attribution, width: int) -> list[Text]:
    """The words, the largest effect first, with a bar to the left for negative and to the right for positive ones."""
    strongest = found.strongest(MOST_WORDS)
    largest = max((abs(word.effect) for word in strongest), default=0.0) or 1.0
    half = max(min((width - _WORD - 10) // 2, 30), 3)
    lines = []
    for word in strongest:
        size = round(abs(word.effect) / largest * half)
        left, right = (("━" * size).rjust(half), "") if word.effect < 0 else (" " * half, "━" * size)
        line = Text(no_wrap=True, overflow="ellipsis")
        name = Text(one_line(word.text[: 2 * _WORD]), style="bold" if word.effect > 0 else "underline")
        name.truncate(_WORD, overflow="ellipsis")
        line.append(name)
        line.append(" " * (_WORD - name.cell_len))
        line.append(f" {signed(word.effect):>6}  {left}│{right}")
        lines.append(line)
    return lines


def signed(value: float) -> str:
    """A number with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def _about(found: Attribution, *, is_complete: bool) -> str:
    if not is_complete:
        return "words: computing …"
    return "effect on the logit, by occlusion"
