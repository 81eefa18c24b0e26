"""The words of all reviews: how often each occurs, and what it does to the predictions on average."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.analysis.occlusion import occlusion
from core.analysis.scorer import Scorer
from core.errors import InputError


@dataclass(frozen=True, slots=True)
class WordTotal:
    """A word in lower case, over all its occurrences."""

    word: str
    count: int
    """Occurrences in the part of the reviews that the model reads."""
    reviews: int
    """Reviews with at least one."""
    mean_effect: float
    """Mean change of the logit by the word, see :func:`core.analysis.occlusion.occlusion`; above 0 is positive."""
    coefficient: float | None
    """Its coefficient in a bag of words; None if that does not know the word."""


@dataclass(frozen=True, slots=True)
class WordEffects:
    """The totals over the first ``done`` of ``reviews`` reviews."""

    done: int
    reviews: int
    words: list[WordTotal]
    """By the absolute mean effect, the largest first."""

    def frequent(self, least: int) -> list[WordTotal]:
        """The words that occur at least so often."""
        return [word for word in self.words if word.count >= least]


def overall_word_effects(
    scorer: Scorer,
    texts: Sequence[str],
    coefficients: Mapping[str, float] | None = None,
    *,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> WordEffects:
    """The mean effect of every word by occlusion, one forward pass per word of each review: minutes for 100 reviews.

    ``coefficients`` are those of a bag of words, by word in lower case. ``on_progress`` is called with the number of
    reviews done and of all. If ``is_stopped`` returns True after a review, the result covers the reviews so far.
    Reviews without words count as done. Raises InputError if there are no reviews.
    """
    if not texts:
        raise InputError("there are no reviews whose words could be measured")
    effects: dict[str, list[float]] = defaultdict(list)
    containing: dict[str, int] = defaultdict(int)
    done = 0
    for text in texts:
        try:
            words = occlusion(scorer, text).words
        except InputError:  # no words
            words = []
        for word in words:
            effects[word.text.lower()].append(word.effect)
        for word_text in {word.text.lower() for word in words}:
            containing[word_text] += 1
        done += 1
        on_progress(done, len(texts))
        if is_stopped():
            break
    known = coefficients or {}
    totals = [
        WordTotal(word, len(each), containing[word], sum(each) / len(each), known.get(word))
        for word, each in effects.items()
    ]
    return WordEffects(done, len(texts), sorted(totals, key=lambda total: (-abs(total.mean_effect), total.word)))
