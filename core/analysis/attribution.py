"""What each word contributes to a prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from core.analysis.text_words import TextWord, words_of
from core.errors import InputError

if TYPE_CHECKING:
    from core.analysis.scorer import Scorer
    from core.tokenization.encode import Encoding

Method = Literal["occlusion", "mask", "integrated-gradients"]
METHODS: tuple[Method, ...] = get_args(Method)

CheckCancelled = Callable[[], None]
"""Called between two batches; an exception from it ends the work."""
OnProgress = Callable[[int, int], None]
"""Called after each batch with the numbers of forward passes computed and to compute."""
TOKENS_AT_ONCE = 2048
"""Tokens per batch: few enough that a long review can be cancelled soon, and enough for the speed of larger ones."""


@dataclass(frozen=True, slots=True)
class WordEffect:
    """A word and its effect on the logit: above 0 it speaks for positive. Offsets are in characters of the text."""

    text: str
    start: int
    end: int
    effect: float


@dataclass(frozen=True, slots=True)
class Attribution:
    """The effects of all words of a text that the model reads."""

    method: Method
    text: str
    words: list[WordEffect]
    logit: float
    probability: float
    """P(positive), the sigmoid of the logit."""
    tokens: int
    """Tokens that the model reads, with the special ones."""
    full_length: int
    """Tokens of the whole text before truncation."""
    cut_from: int | None
    """The character from which on the text is not read; None if all of it is."""
    base_logit: float | None = None
    """The logit of the baseline of integrated gradients; None for the other methods."""
    completeness_error: float | None = field(default=None)
    """Sum of all attributions minus (logit - base_logit): 0 if the integral is exact. None for the other methods."""

    @property
    def truncated(self) -> bool:
        """Whether the model reads only the beginning of the text."""
        return self.cut_from is not None

    def strongest(self, n: int) -> list[WordEffect]:
        """The ``n`` words with the largest absolute effect, the largest first."""
        return sorted(self.words, key=lambda word: -abs(word.effect))[:n]


def attribute(
    scorer: Scorer,
    text: str,
    method: Method = "occlusion",
    check_cancelled: CheckCancelled = lambda: None,
    on_progress: OnProgress = lambda _, __: None,
) -> Attribution:
    """The effect of each word of ``text`` by ``method``.

    Raises InputError for a text without words.
    """
    from core.analysis.integrated_gradients import integrated_gradients
    from core.analysis.occlusion import occlusion

    if method == "integrated-gradients":
        return integrated_gradients(scorer, text, check_cancelled=check_cancelled, on_progress=on_progress)
    return occlusion(scorer, text, "mask" if method == "mask" else "remove", check_cancelled, on_progress)


def read(scorer: Scorer, text: str) -> tuple[Encoding, list[TextWord]]:
    """Encode ``text`` as in training, and find its words. Raises InputError for a text without words."""
    encoding = scorer.encode(text)
    words = words_of(encoding)
    if not words:
        raise InputError("the text is empty; enter at least one word")
    return encoding, words
