"""How the effects of words are shown: as tints of the text, and as a line of the strongest words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tui.widgets.cells import one_line
from tui.widgets.tinted_text import Tint, level_of

if TYPE_CHECKING:
    from core.analysis.attribution import Attribution, Method

METHOD_NAMES: dict[Method, str] = {
    "occlusion": "occlusion",
    "mask": "occlusion by [MASK]",
    "integrated-gradients": "integrated gradients",
}
STRONGEST = 12


def tints_of(attribution: Attribution) -> list[Tint]:
    """The tints of the words that matter, relative to the strongest one."""
    largest = max((abs(word.effect) for word in attribution.words), default=0.0)
    levels = ((word, level_of(word.effect, largest)) for word in attribution.words)
    return [Tint(word.start, word.end, level) for word, level in levels if level]


def words_text(attribution: Attribution, strongest: int = STRONGEST) -> Text:
    """The method, and the strongest words with their effects on the logit, each with its sign."""
    text = Text(f"{METHOD_NAMES[attribution.method]}, effect on the logit {attribution.logit:+.2f}", style="dim")
    if attribution.completeness_error is not None and attribution.base_logit is not None:
        text.append(f" from {attribution.base_logit:+.2f}, completeness error {attribution.completeness_error:+.3f}")
    text.append(": ")
    for word in attribution.strongest(strongest):
        style = "not dim bold" if word.effect > 0 else "not dim underline"
        text.append(one_line(word.text), style=style)
        text.append(f" {word.effect:+.2f}  ".replace("-", "−"), style="not dim")
    return text
