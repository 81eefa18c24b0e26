"""The words of all reviews: how often each occurs, and what it does to the predictions on average."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.analysis.attribution import WordEffect, read
from core.analysis.occlusion import attribution_of, variants
from core.analysis.scorer import Scorer
from core.errors import InputError, Stopped


@dataclass(frozen=True, slots=True)
class WordTotal:
    """A word in lower case, over all its occurrences."""

    word: str
    count: int
    """Measured occurrences, all in the part of the reviews that the model reads."""
    reviews: int
    """Reviews with at least one measured occurrence."""
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
    per_review: int | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> WordEffects:
    """The mean effect of every word by occlusion, with one forward pass per measured word of each review.

    ``per_review`` is the number of words to measure in a longer review: a random choice that depends on nothing but the
    position of the review, so the means stay unbiased. ``coefficients`` are those of a bag of words, by word in lower
    case. ``on_progress`` is called with the number of reviews done and of all. When ``is_stopped`` returns True, asked
    after each batch, the result covers the reviews that are done; Stopped is raised if there are none. Reviews without
    words count as done. Raises InputError if there are no reviews.
    """
    if not texts:
        raise InputError("there are no reviews whose words could be measured")
    effects: dict[str, list[float]] = defaultdict(list)
    containing: dict[str, int] = defaultdict(int)

    def check_stopped(_: int = 0) -> None:
        if is_stopped():
            raise Stopped("stopped before the words of the first review were measured")

    done = 0
    try:
        for number, text in enumerate(texts):
            words = _measured(scorer, text, number, per_review, check_stopped)
            for word in words:
                effects[word.text.lower()].append(word.effect)
            for word_text in {word.text.lower() for word in words}:
                containing[word_text] += 1
            done += 1
            on_progress(done, len(texts))
            if done < len(texts):
                check_stopped()
    except Stopped:
        if not done:
            raise
    known = coefficients or {}
    totals = [
        WordTotal(word, len(each), containing[word], sum(each) / len(each), known.get(word))
        for word, each in effects.items()
    ]
    return WordEffects(done, len(texts), sorted(totals, key=lambda total: (-abs(total.mean_effect), total.word)))


def _measured(
    scorer: Scorer, text: str, number: int, per_review: int | None, after_batch: Callable[[int], None]
) -> list[WordEffect]:
    """The effects of the words of review ``number``, or of ``per_review`` of them chosen at random."""
    try:
        encoding, words = read(scorer, text)
    except InputError:  # no words
        return []
    if per_review is not None and per_review < len(words):
        words = random.Random(f"words of review {number}").sample(words, per_review)
    logit, *without = scorer.logits(variants(scorer.resolved.tokenizer, encoding, words), after_batch)
    return attribution_of(encoding, words, logit, without).words
