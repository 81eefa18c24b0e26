"""What truncation costs: the same reviews predicted as cut, whole, and by their end instead of their beginning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.analysis.comparison import Paired, compare_predictions
from core.analysis.predictions import Predictions
from core.analysis.scorer import Scorer
from core.errors import InputError
from core.tokenization.encode import encode_ids
from core.tokenization.length_stats import measure, token_lengths

MOST_REVIEWS = 1_000


@dataclass(frozen=True)
class TruncationCost:
    """Predictions of the reviews that are longer than ``max_length``; row i of each is the same review."""

    max_length: int
    """Maximum number of tokens as the run was trained."""
    whole_length: int
    """Maximum number of tokens that the model has positions for, at most 512."""
    longer: int
    """Number of reviews that are longer than ``max_length``; a random sample of them is predicted."""
    still_cut: int
    """Number of predicted reviews that are longer than ``whole_length`` too."""
    cut: Predictions
    """By the first ``max_length`` tokens, as the run reads them."""
    whole: Predictions | None
    """By the first ``whole_length`` tokens; None if that is ``max_length``."""
    tail: Predictions
    """By the last ``max_length`` tokens."""
    untrained_positions: bool
    """Whether positions after ``max_length`` have random embeddings, because the run started from scratch."""

    @property
    def n(self) -> int:
        """Number of predicted reviews."""
        return len(self.cut)

    @cached_property
    def whole_against_cut(self) -> Paired | None:
        """The comparison of reading whole reviews with reading them cut; its difference is whole minus cut."""
        return None if self.whole is None else compare_predictions(self.cut, self.whole)

    @cached_property
    def tail_against_cut(self) -> Paired:
        """The comparison of reading the end with reading the beginning; its difference is end minus beginning."""
        return compare_predictions(self.cut, self.tail)

    @property
    def verdicts(self) -> list[str]:
        """One sentence per comparison."""
        head, tail = f"reading the first {self.max_length} tokens", f"reading the last {self.max_length} tokens"
        found = [self.tail_against_cut.verdict(head, tail)]
        if self.whole_against_cut is not None:
            found.insert(0, self.whole_against_cut.verdict(head, f"reading {self.whole_length} tokens"))
        return found

    @property
    def notes(self) -> list[str]:
        """What to know about the numbers: a sample, reviews that are cut all the same, positions without training."""
        found = []
        if self.n < self.longer:
            found.append(f"a random sample of {self.n:,} of the {self.longer:,} reviews that are cut")
        if self.still_cut and self.whole is not None:
            are = "review is" if self.still_cut == 1 else "reviews are"
            found.append(f"{self.still_cut:,} {are} longer than {self.whole_length} tokens too")
        if self.whole is not None:
            state = "random" if self.untrained_positions else "those of the pretrained model"
            found.append(f"the run did not train positions after {self.max_length}: their embeddings are {state}")
        return found


def truncation_cost(
    scorer: Scorer,
    predictions: Predictions,
    texts: Sequence[str],
    *,
    limit: int = MOST_REVIEWS,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> TruncationCost:
    """Predict the reviews that the run cuts again: as cut, whole, and their tail instead of their head.

    ``texts[i]`` belongs to row i of ``predictions``. Of more than ``limit`` such reviews, a random sample is taken that
    is the same every time. All three are computed by ``scorer``, so that they differ in nothing but the tokens.
    ``on_progress`` gets the number of forward passes done and their total, and may raise to stop. Raises InputError if
    no review is longer than ``scorer.max_length``.
    """
    tokenizer, config = scorer.resolved.tokenizer, scorer.resolved.target.config
    specials = config.data.add_special_tokens
    measured = [each for chunk in measure(tokenizer, texts) for each in chunk]
    lengths = np.array(token_lengths(tokenizer, measured, add_special_tokens=specials), dtype=np.int64)
    rows = np.flatnonzero(lengths > scorer.max_length)
    longer = len(rows)
    if not longer:
        raise InputError(f"no review of {predictions.label} is longer than {scorer.max_length} tokens: none is cut")
    if longer > limit:
        rows = np.sort(np.random.default_rng(0).choice(rows, limit, replace=False))
    chosen, of_rows = predictions.take(rows), [texts[row] for row in rows.tolist()]
    whole_length = min(512, scorer.resolved.encoder.max_position_embeddings)
    has_whole = whole_length > scorer.max_length
    total, finished = len(rows) * (3 if has_whole else 2), 0

    def read(max_length: int, side: str = "right") -> Predictions:
        nonlocal finished
        before = finished
        ids = encode_ids(
            tokenizer,
            of_rows,
            add_special_tokens=specials,
            max_length=max_length,
            truncation_side="left" if side == "left" else "right",
        )
        logits = scorer.logits(ids, lambda done: on_progress(before + done, total))
        finished += len(rows)
        return replace(chosen, logits=np.array(logits, dtype=np.float64))

    return TruncationCost(
        scorer.max_length,
        whole_length,
        longer,
        still_cut=int((lengths[rows] > whole_length).sum()),
        cut=read(scorer.max_length),
        whole=read(whole_length) if has_whole else None,
        tail=read(scorer.max_length, "left"),
        untrained_positions=has_whole and config.model.init == "scratch",
    )
