"""Slices: groups of reviews with a common property, and whether a model is less or more accurate on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from core.analysis.intervals import Interval, wilson
from core.analysis.patterns import search_all
from core.analysis.predictions import Predictions
from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.runs.directory import Run

    Mask = NDArray[np.bool_]

MIN_REVIEWS = 5
"""A slice with fewer reviews, inside or outside, is shown but not tested."""
FALSE_DISCOVERY_RATE = 0.05
CAPITALS_SHARE = 0.02
QUARTERS = ("length-q1", "length-q2", "length-q3", "length-q4")
_NUMBER = r"(?:\d{1,3}(?:\.\d)?|zero|one|two|three|four|five|six|seven|eight|nine|ten)"
NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|nowhere|hardly|barely|scarcely|cannot|without)\b|n['’]t\b"
)
CONTRAST = re.compile(
    r"\b(?:but|however|although|though|yet|despite|nevertheless|nonetheless|whereas|in spite of|on the other hand)\b"
)
RATING = re.compile(
    r"\b\d{1,3}(?:\.\d)?\s?/\s?(?:5|10|100)\b"  # 7/10
    rf"|\b{_NUMBER}\s?(?:out\s)?of\s(?:4|5|10|100|four|five|ten)\b"  # 8 out of 10
    rf"|\b{_NUMBER}[\s-]stars?\b|(?<![\w*])\*{{2,}}(?![\w*])|★"  # 3 stars, ***
)
"""The patterns of the words are searched in the text in lower case."""
UPPER_CASE = re.compile(r"\b[A-ZÀ-ÖØ-Þ]{2,}\b")


@dataclass(frozen=True, slots=True)
class SliceResult:
    """How accurate the predictions are in one slice, and outside of it."""

    name: str
    """Name for ``--slice`` and :func:`members`, such as ``negation``."""
    description: str
    n: int
    accuracy: float
    """Share of the slice that is predicted correctly; NaN if it is empty, as :attr:`rest_accuracy`."""
    interval: Interval
    """95 % interval of the accuracy (Wilson); 0 to 1 for an empty slice."""
    rest_accuracy: float
    """Share of all other reviews that is predicted correctly."""
    p_value: float | None
    """Fisher's exact test, two-sided, of the slice against the rest; None if one has fewer than 5 reviews."""
    p_adjusted: float | None
    """The p-value after Benjamini and Hochberg's correction for the number of slices."""
    differs: bool
    """Whether the accuracy differs from the rest: ``p_adjusted`` is at most 0.05."""


def slices(
    predictions: Predictions,
    texts: Sequence[str],
    n_tokens: Sequence[int] | NDArray[np.int64],
    max_length: int,
    pattern: str | None = None,
) -> list[SliceResult]:
    """Compare the accuracy in each slice with that of the rest; row i of each argument is one review.

    ``n_tokens`` are lengths before truncation, see :func:`token_counts`. ``pattern`` adds a slice of the texts that
    match a regular expression. The slices overlap, so one cause may mark several. The test is Fisher's exact test;
    at most 5 % of the marks are expected to be false (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995, 289-300).
    Raises InputError for an invalid or slow pattern.
    """
    from scipy.stats import false_discovery_control, fisher_exact

    correct = predictions.correct
    kinds = _kinds(texts, np.asarray(n_tokens, dtype=np.int64), max_length, pattern)
    masks = {name: find() for name, (_, find) in kinds.items()}
    p_values: dict[str, float] = {}
    for name, inside in masks.items():
        if MIN_REVIEWS <= inside.sum() <= len(inside) - MIN_REVIEWS:
            table = [[int((correct[rows] == right).sum()) for right in (True, False)] for rows in (inside, ~inside)]
            p_values[name] = float(fisher_exact(table).pvalue)
    adjusted = dict(zip(p_values, map(float, false_discovery_control(list(p_values.values()))), strict=True))
    return [
        SliceResult(
            name,
            description,
            n=int(masks[name].sum()),
            accuracy=_share(correct[masks[name]]),
            interval=_interval(correct[masks[name]]),
            rest_accuracy=_share(correct[~masks[name]]),
            p_value=p_values.get(name),
            p_adjusted=adjusted.get(name),
            differs=adjusted.get(name, 1.0) <= FALSE_DISCOVERY_RATE,
        )
        for name, (description, _) in kinds.items()
    ]


def members(
    name: str,
    texts: Sequence[str],
    n_tokens: Sequence[int] | NDArray[np.int64],
    max_length: int,
    pattern: str | None = None,
) -> Mask:
    """Return which texts belong to the slice ``name``: bool [n].

    Raises InputError for an unknown slice, and for an invalid or slow pattern.
    """
    kinds = _kinds(texts, np.asarray(n_tokens, dtype=np.int64), max_length, pattern)
    if name not in kinds:
        hint = "; pattern needs a regular expression" if name == "pattern" else ""
        raise InputError(f"there is no slice {name!r}; slices are {', '.join(kinds)}{hint}")
    return kinds[name][1]()


def token_counts(run: Run, texts: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Return the number of tokens of each text before truncation, int64 [n], and the run's maximum length.

    Special tokens are counted if the run adds them. Raises InputError if the run's tokenizer is missing or damaged.
    """
    from core.runs.stored_model import stored_model
    from core.tokenization.length_stats import measure, token_lengths

    stored, data = stored_model(run), run.config().data
    measured = [each for chunk in measure(stored.tokenizer, texts) for each in chunk]
    lengths = token_lengths(stored.tokenizer, measured, add_special_tokens=data.add_special_tokens)
    positions = stored.config.get("max_position_embeddings", data.max_length)
    return np.array(lengths, dtype=np.int64), min(data.max_length, positions)


def _kinds(
    texts: Sequence[str], n_tokens: NDArray[np.int64], max_length: int, pattern: str | None
) -> dict[str, tuple[str, Callable[[], Mask]]]:
    """Name, description and members of each slice; the members are only computed when they are asked for."""
    found = {
        **_quarters(n_tokens),
        "cut": (f"longer than {max_length} tokens, cut", lambda: n_tokens > max_length),
        "whole": (f"at most {max_length} tokens, not cut", lambda: n_tokens <= max_length),
        "negation": ("contains not, never, don't, …", lambda: _containing(NEGATION, texts)),
        "contrast": ("contains but, however, although, …", lambda: _containing(CONTRAST, texts)),
        "rating": ("contains a rating: 7/10, 8 out of 10, 3 stars, …", lambda: _containing(RATING, texts)),
        "question": ("contains a question mark", lambda: _mask(["?" in text for text in texts])),
        "capitals": ("at least 2 % of the words in upper case", lambda: _mask(list(map(_has_capitals, texts)))),
    }
    if pattern is not None:
        found["pattern"] = (f"matches {pattern}", lambda: search_all(pattern, texts))
    return found


def _quarters(n_tokens: NDArray[np.int64]) -> dict[str, tuple[str, Callable[[], Mask]]]:
    """The quarters of the reviews by length. Reviews of equal length are in the same quarter, so sizes may differ."""
    bounds = [int(bound) for bound in np.quantile(n_tokens, [0.25, 0.5, 0.75])] if len(n_tokens) else [0, 0, 0]
    quarter = np.searchsorted(bounds, n_tokens, side="left")
    descriptions = (
        f"shortest quarter: at most {bounds[0]} tokens",
        f"second quarter: {bounds[0] + 1} to {bounds[1]} tokens",
        f"third quarter: {bounds[1] + 1} to {bounds[2]} tokens",
        f"longest quarter: more than {bounds[2]} tokens",
    )

    def part(number: int) -> Callable[[], Mask]:
        return lambda: _mask(quarter == number)

    return {name: (descriptions[i], part(i)) for i, name in enumerate(QUARTERS)}


def _containing(pattern: re.Pattern[str], texts: Sequence[str]) -> Mask:
    return _mask([pattern.search(text.lower()) is not None for text in texts])


def _has_capitals(text: str) -> bool:
    """Whether enough words of at least two letters are in upper case; such words may also be abbreviations."""
    upper = len(UPPER_CASE.findall(text))
    return upper > 0 and upper >= CAPITALS_SHARE * len(text.split())


def _mask(values: Sequence[bool] | NDArray[np.bool_]) -> Mask:
    return np.asarray(values, dtype=np.bool_)


def _share(correct: NDArray[np.bool_]) -> float:
    return float(correct.mean()) if len(correct) else nan


def _interval(correct: NDArray[np.bool_]) -> Interval:
    return wilson(int(correct.sum()), len(correct)) if len(correct) else Interval(0.0, 1.0)
