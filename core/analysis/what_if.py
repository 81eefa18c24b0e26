"""What if a word were another: the predictions of the same reviews before and after a replacement."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.analysis.intervals import Interval, wilson
from core.analysis.replacements import Replacement, replaced
from core.analysis.scorer import Scorer


@dataclass(frozen=True, slots=True)
class Change:
    """One review before and after the replacement; a logit above 0 predicts positive."""

    id: int
    """Row of the review in its source."""
    before: str
    after: str
    before_logit: float
    after_logit: float

    @property
    def before_probability(self) -> float:
        """P(positive) of the review as it is."""
        return sigmoid(self.before_logit)

    @property
    def after_probability(self) -> float:
        """P(positive) after the replacement."""
        return sigmoid(self.after_logit)

    @property
    def flipped(self) -> bool:
        """Whether the predicted label differs."""
        return (self.before_logit > 0) != (self.after_logit > 0)

    @property
    def start(self) -> int:
        """The first character of the review that differs."""
        pairs = zip(self.before, self.after, strict=False)
        shorter = min(len(self.before), len(self.after))
        return next((i for i, (one, other) in enumerate(pairs) if one != other), shorter)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The effect of a replacement on the reviews that contain the pattern."""

    reviews: int
    """Reviews searched."""
    n: int
    """Reviews that contain the pattern."""
    unseen: int
    """Those of ``n`` whose tokens stay the same, mostly because the change lies beyond max_length; not flipped."""
    to_negative: int
    """Reviews predicted positive before and negative after."""
    to_positive: int
    share: float | None
    """``flipped`` of ``n`` (0..1); None if no review contains the pattern."""
    interval: Interval | None
    """Wilson's 95 % interval of ``share``."""
    mean_change: float | None
    """Mean change of the logit over the ``n`` reviews; below 0 is towards negative."""
    examples: list[Change]
    """All ``n`` reviews, those whose probability changes most first."""

    @property
    def flipped(self) -> int:
        """Reviews whose predicted label changes."""
        return self.to_negative + self.to_positive


def what_if(
    scorer: Scorer,
    texts: Sequence[str],
    ids: Sequence[int],
    pattern: str,
    replacement: str,
    *,
    regex: bool = False,
    ignore_case: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    check_cancelled: Callable[[], None] = lambda: None,
) -> WhatIf:
    """Replace ``pattern`` in ``texts``, whose rows in the source are ``ids``, and predict the changed ones again.

    Only reviews with a match are computed, each as it is and changed, by the same ``scorer``. ``on_progress`` gets the
    numbers of texts computed and to compute; ``check_cancelled`` is called after each batch and may raise to end the
    work. Raises InputError as :func:`core.analysis.replacements.replaced`.
    """
    changed = replaced(texts, Replacement(pattern, replacement, regex, ignore_case), check_cancelled=check_cancelled)
    found = [(int(id_), text, after) for id_, text, after in zip(ids, texts, changed, strict=True) if after is not None]
    rows: list[list[int]] = []
    row_after: list[int] = []  # of each found review; a review with the same tokens needs one row only
    for start in range(0, len(found), 256):
        check_cancelled()
        chunk = found[start : start + 256]
        old_rows, new_rows = scorer.rows([one[1] for one in chunk]), scorer.rows([one[2] for one in chunk])
        for old, new in zip(old_rows, new_rows, strict=True):
            rows += [old] if old == new else [old, new]
            row_after.append(len(rows) - 1)

    def after_batch(done: int) -> None:
        on_progress(done, len(rows))
        check_cancelled()

    logits = scorer.logits(rows, after_batch)
    changes, unseen, first = [], 0, 0
    for (id_, before, after), last in zip(found, row_after, strict=True):
        changes.append(Change(id_, before, after, logits[first], logits[last]))
        unseen += first == last
        first = last + 1
    return _summed(len(texts), unseen, changes)


def _summed(reviews: int, unseen: int, changes: list[Change]) -> WhatIf:
    n = len(changes)
    to_negative = sum(one.flipped and one.before_logit > 0 for one in changes)
    to_positive = sum(one.flipped for one in changes) - to_negative
    flipped = to_negative + to_positive
    return WhatIf(
        reviews,
        n,
        unseen,
        to_negative,
        to_positive,
        flipped / n if n else None,
        wilson(flipped, n) if n else None,
        math.fsum(one.after_logit - one.before_logit for one in changes) / n if n else None,
        sorted(changes, key=lambda one: -abs(one.after_probability - one.before_probability)),
    )


def sigmoid(logit: float) -> float:
    """P(positive) of a logit, without overflow for a logit of -800."""
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))
