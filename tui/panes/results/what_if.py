"""What if: replace a word in all reviews and see which predictions change; and behavioural probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label, Static

from core.formatting import counted, percent, printable
from tui.panes.results.page import Page, failed
from tui.screens.choose import Choose
from tui.widgets.cells import one_line
from tui.widgets.field import Field
from tui.widgets.rows import Rows
from tui.widgets.tinted_text import Tint, TintedText
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from core.analysis.probes import ProbePair, ProbeResult
    from core.analysis.what_if import Change, WhatIf
    from tui.panes.results.pane import ResultsPane

BEFORE = 24
"""Characters that are shown before the first change of a review."""
_HINT = "Type a word and its replacement, or press g for ready-made ones; p runs the behavioural probes."
_EXPECTED = {
    "same": "no change",
    "higher": "P rises",
    "lower": "P falls",
    "positive": "P rises to positive",
    "negative": "P falls to negative",
}


class WhatIfPage(Page):
    """The replacement on top, the reviews by the change of their prediction below, the changed text at the bottom."""

    title = "What if"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "type", "word", key_display="/"),
        Binding("g", "ready_made", "ready-made"),
        Binding("p", "probes", "probes"),
        Binding("x", "regex", "word or pattern"),
    ]

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._changes: list[Change] = []
        self._probes: list[ProbeResult] = []
        self._pairs: list[ProbePair] = []
        self._mode = "changes"
        self._regex = False
        self._replaced = ""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-line"):
            yield Label("replace  ", id="what-if-kind")
            yield Field("", id="what-if-pattern", placeholder="great", compact=True)
            yield Label("  by  ")
            yield Field("", id="what-if-replacement", placeholder="terrible", compact=True)
        yield Static(_HINT, id="what-if-line", markup=False)
        yield Rows(id="what-if-rows")
        yield TintedText(id="what-if-text")

    def main_widget(self) -> Rows:
        return self.query_one(Rows)

    def show_data(self) -> None:
        self._probes = []
        self._show_changes([])
        self._say(_HINT)

    def _say(self, text: str | Text) -> None:
        self.query_one("#what-if-line", Static).update(text)

    def show_message(self, message: str) -> None:
        self._say(failed(message))

    def show_cancelled(self) -> None:
        self._say("cancelled")

    # The replacement

    def action_type(self) -> None:
        self.screen.set_focus(self.query_one("#what-if-pattern"))

    @on(Input.Submitted, "#what-if-pattern")
    def _pattern_given(self) -> None:
        self.screen.set_focus(self.query_one("#what-if-replacement"))

    @on(Input.Submitted, "#what-if-replacement")
    def _given(self) -> None:
        pattern = self.query_one("#what-if-pattern", Input).value
        replacement = self.query_one("#what-if-replacement", Input).value
        self.screen.set_focus(self.main_widget())
        self._replace(pattern, replacement, regex=self._regex, ignore_case=not self._regex)

    def action_regex(self) -> None:
        """Switch between a word in any case and a regular expression."""
        self._regex = not self._regex
        self.query_one("#what-if-kind", Label).update("replace pattern  " if self._regex else "replace  ")

    def action_ready_made(self) -> None:
        """Ask for one of the shipped replacements."""
        entries = [
            "praise: great becomes terrible",
            "names: two capitalised words become Alex Morgan",
            "negations: not, n't and never are removed",
        ]
        self.app.push_screen(Choose("Replace in all reviews:", entries), self._chosen)

    def _chosen(self, place: int | None) -> None:
        from core.analysis.replacements import PRESETS

        if place is not None and place >= 0:
            chosen = PRESETS[("praise", "names", "negations")[place]]
            self.query_one("#what-if-pattern", Input).value = "" if chosen.regex else chosen.pattern
            self.query_one("#what-if-replacement", Input).value = "" if chosen.regex else chosen.replacement
            self._replace(chosen.pattern, chosen.replacement, regex=chosen.regex, ignore_case=chosen.ignore_case)

    def _replace(self, pattern: str, replacement: str, *, regex: bool, ignore_case: bool) -> None:
        data = self.data

        def work(inspection: Inspection) -> Any:
            from core.analysis.what_if import what_if

            def progress(done: int, total: int) -> None:
                inspection.report(f"predicting {done:,} of {total:,}")

            texts, ids = data.texts(), data.predictions().ids.tolist()
            return what_if(
                data.scorer(), texts, ids, pattern, replacement, regex=regex, ignore_case=ignore_case,
                on_progress=progress, check_cancelled=inspection,
            )  # fmt: skip

        self._replaced = f"“{one_line(pattern)}” by “{one_line(replacement)}”"
        self._say(f"predicting the reviews with {self._replaced} …")
        self.compute(work, self._show_what_if, heavy=True)

    def _show_what_if(self, found: WhatIf) -> None:
        self._show_changes(found.examples)
        if found.share is None or found.interval is None or found.mean_change is None:
            self._say(f"{self._replaced}: none of {counted(found.reviews, 'review')} contains it.")
            return
        low, high = (percent(end) for end in found.interval)
        unseen = f" {found.unseen:,} are not changed in the part that the model reads." if found.unseen else ""
        self._say(
            f"{self._replaced}: {found.n:,} of {counted(found.reviews, 'review')} contain it; "
            f"{found.flipped:,} predictions flip, {percent(found.share)} (95 % interval {low} to {high}): "
            f"{found.to_negative:,} to negative, {found.to_positive:,} to positive.{unseen}"
        )

    def _show_changes(self, changes: list[Change]) -> None:
        self._mode, self._changes = "changes", changes
        header = Text("before   after  flips  the changed review", style="dim")
        self.main_widget().show_rows(len(changes), self._change_row, row=0, header=header, empty="")
        self._show_text()

    def _change_row(self, row: int) -> Text:
        one = self._changes[row]
        line = Text(f"{one.before_probability:6.3f}  {one.after_probability:6.3f}  ")
        line.append("flips  " if one.flipped else "       ", style="bold")
        start = max(one.start - BEFORE, 0)
        return line.append(("…" if start else "") + one_line(one.after[start : start + 400]))

    # Probes

    def action_probes(self) -> None:
        """Run the behavioural probes, or show their table again."""
        if self._probes:
            self._show_probes(self._probes)
            return
        data = self.data

        def work(inspection: Inspection) -> Any:
            from core.analysis.probes import run_probes

            def progress(done: int, total: int) -> None:
                inspection.report(f"probing {done:,} of {total:,} sentences")

            return run_probes(data.scorer(), on_progress=progress, check_cancelled=inspection)

        self._say("predicting the pairs of sentences …")
        self.compute(work, self._show_probes, heavy=True)

    def _show_probes(self, found: list[ProbeResult]) -> None:
        self._mode, self._probes = "probes", found
        failures, n = sum(one.failures for one in found), sum(one.n for one in found)
        self._say(f"{failures:,} of {n:,} pairs of sentences fail; enter lists those of a kind, p returns here.")
        header = Text(
            f"{'kind':<20}{'failures':>9}{'of':>5}  {'95 % interval':<16}{'expected':<21}example", style="dim"
        )
        self.main_widget().show_rows(len(found), self._probe_row, row=0, header=header)
        self._show_text()

    def _probe_row(self, row: int) -> Text:
        one = self._probes[row]
        interval = f"{percent(one.interval.low)} to {percent(one.interval.high)}".replace(" %", "")
        line = Text(f"{one.kind:<20}")
        line.append(f"{one.failures:>9}", style="bold" if one.failures else "")
        line.append(f"{one.n:>5}  {interval + ' %':<16}{_EXPECTED[one.expect]:<21}")
        return line.append(one_line(printable(one.pairs[0].second)), style="dim")

    def _show_pairs(self, found: ProbeResult) -> None:
        self._mode, self._pairs = "pairs", found.examples
        self._say(f"{found.kind}: {found.failures} of {found.n} pairs fail. {printable(found.description)}")
        header = Text(" first  second  sentences", style="dim")
        self.main_widget().show_rows(len(self._pairs), self._pair_row, row=0, header=header, empty="no pair fails")
        self._show_text()

    def _pair_row(self, row: int) -> Text:
        one = self._pairs[row]
        line = Text(f"{one.first_probability:6.3f}  {one.second_probability:6.3f}  ")
        return line.append(f"{one_line(one.first)} → {one_line(one.second)}")

    @on(Rows.Selected, "#what-if-rows")
    def _selected(self) -> None:
        if self._mode == "probes" and self._probes:
            self._show_pairs(self._probes[self.main_widget().row])

    def escape(self) -> bool:
        if self._mode != "pairs":
            return False
        self._show_probes(self._probes)
        return True

    # The text under the cursor

    @on(Rows.Highlighted, "#what-if-rows")
    def _show_text(self) -> None:
        text, row = self.query_one(TintedText), self.main_widget().row
        if self._mode == "changes" and self._changes:
            one = self._changes[row]
            text.show(one.after)
            end = one.start + len(one.after[one.start :].split(maxsplit=1)[0]) if one.after[one.start :].strip() else 0
            text.tint([Tint(one.start, end, 3)] if end > one.start else [])
        elif self._mode == "pairs" and self._pairs:
            pair = self._pairs[row]
            text.show(f"{pair.first}\n{pair.second}")
        elif self._mode == "probes" and self._probes:
            found = self._probes[row]
            text.show(f"{found.description}\n{found.pairs[0].first}\n{found.pairs[0].second}")
        else:
            text.show("")
