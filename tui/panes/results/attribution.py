"""How the effects of words are shown: as tints of the text, and as a line of the strongest words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tui.widgets.cells import one_line
from tui.widgets.tinted_text import Tint, level_of

if TYPE_CHECKING:
    from core.analysis.attribution import Attribution, Method

METHOD_NAMES: dict[Method, str] = {
    "integrated-gradients": "integrated gradients",
    "occlusion": "occlusion",
    "mask": "occlusion by [MASK]",
}
"""In the order of the key that goes through them. The first takes the same time for any number of words, and a third of
that of occlusion for a review of 250 words."""
STRONGEST = 40
"""Words that are considered for the lines; as many as fit are shown."""


def tints_of(attribution: Attribution) -> list[Tint]:
    """The tints of the words that matter, relative to the strongest one."""
    largest = max((abs(word.effect) for word in attribution.words), default=0.0)
    levels = ((word, level_of(word.effect, largest)) for word in attribution.words)
    return [Tint(word.start, word.end, level) for word, level in levels if level]


def words_lines(attribution: Attribution, width: int, lines: int = 2) -> list[Text]:
    """A line about the method, and ``lines`` lines of the strongest words with their signed effects on the logit."""
    head = Text(f"{METHOD_NAMES[attribution.method]}, effect on the logit {attribution.logit:+.2f}", style="dim")
    if attribution.completeness_error is not None and attribution.base_logit is not None:
        head.append(f" from {attribution.base_logit:+.2f}, completeness error {attribution.completeness_error:+.3f}")
    packed = [Text()]
    for word in attribution.strongest(STRONGEST):
        style = "bold" if word.effect > 0 else "underline"
        pair = Text.assemble((one_line(word.text), style), f" {word.effect:+.2f}  ".replace("-", "−"))
        if packed[-1] and packed[-1].cell_len + pair.cell_len - 2 > width:
            packed.append(Text())
        packed[-1].append_text(pair)
    return [head, *packed[:lines]]
