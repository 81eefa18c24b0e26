"""Behavioural probes: whether a model reacts to small changes of a sentence as a reader would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.analysis.intervals import Interval, wilson
from core.analysis.probe_templates import Expectation, ProbeKind, find_kinds
from core.analysis.scorer import Scorer
from core.analysis.what_if import sigmoid

TOLERANCE = 0.1
"""Largest change of P(positive) that counts as the same prediction."""
BATCH_SIZE = 64
"""Sentences per batch; they have about ten tokens."""


@dataclass(frozen=True, slots=True)
class ProbePair:
    """One pair of sentences and their logits; above 0 predicts positive."""

    first: str
    second: str
    first_logit: float
    second_logit: float
    failed: bool

    @property
    def first_probability(self) -> float:
        """P(positive) of the first sentence."""
        return sigmoid(self.first_logit)

    @property
    def second_probability(self) -> float:
        """P(positive) of the second sentence."""
        return sigmoid(self.second_logit)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The pairs of one kind, and how many of them failed."""

    kind: str
    test: str
    """``invariance`` or ``direction``."""
    description: str
    expect: Expectation
    """What the second sentence should do; see :func:`fails`."""
    n: int
    failures: int
    interval: Interval
    """Wilson's 95 % interval of the share of failures (0..1)."""
    truncated: int
    """Pairs of which the model reads a sentence only in part, as it is longer than max_length."""
    pairs: list[ProbePair]
    """All ``n`` pairs, in the order of the shipped file."""

    @property
    def share(self) -> float:
        """Share of the pairs that failed, 0..1."""
        return self.failures / self.n

    @property
    def examples(self) -> list[ProbePair]:
        """The failed pairs, the clearest failure first."""
        sign = {"same": 0, "higher": 1, "positive": 1, "lower": -1, "negative": -1}[self.expect]

        def badness(pair: ProbePair) -> float:
            change = pair.second_probability - pair.first_probability
            return -sign * change if sign else abs(change)

        return sorted((pair for pair in self.pairs if pair.failed), key=badness, reverse=True)


def fails(expect: Expectation, first_logit: float, second_logit: float) -> bool:
    """Return whether a pair fails.

    ``same``: the label flips, or P(positive) moves by more than :data:`TOLERANCE`. ``higher``, ``lower``: P(positive)
    does not rise, or fall. ``positive``, ``negative``: nor does the second sentence have that label.
    """
    if expect == "same":
        moved = abs(sigmoid(second_logit) - sigmoid(first_logit))
        return (first_logit > 0) != (second_logit > 0) or moved > TOLERANCE
    if expect in ("higher", "positive"):
        return second_logit <= first_logit or (expect == "positive" and second_logit <= 0)
    return second_logit >= first_logit or (expect == "negative" and second_logit > 0)


def run_probes(
    scorer: Scorer,
    *,
    kinds: Iterable[str] | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    check_cancelled: Callable[[], None] = lambda: None,
) -> list[ProbeResult]:
    """Predict the pairs of all ``kinds``, or of those named, and count the failures; seconds on two cores.

    ``on_progress`` gets the numbers of sentences computed and to compute; ``check_cancelled`` is called after each
    batch and may raise to end the work. Raises InputError for an unknown kind.
    """
    chosen = find_kinds(kinds)
    sentences = list(dict.fromkeys(sentence for kind in chosen for pair in kind.pairs for sentence in pair))
    encodings = [scorer.encode(sentence) for sentence in sentences]

    def after_batch(done: int) -> None:
        on_progress(done, len(sentences))
        check_cancelled()

    rows = [encoding.input_ids for encoding in encodings]
    logits = scorer.logits(rows, after_batch, batch_size=BATCH_SIZE)
    logit_of = dict(zip(sentences, logits, strict=True))
    cut = {encoding.text for encoding in encodings if encoding.cut_from is not None}
    return [_result(kind, logit_of, cut) for kind in chosen]


def _result(kind: ProbeKind, logit_of: dict[str, float], cut: set[str]) -> ProbeResult:
    pairs = []
    for first, second in kind.pairs:
        logits = logit_of[first], logit_of[second]
        pairs.append(ProbePair(first, second, *logits, failed=fails(kind.expect, *logits)))
    n, failures = len(pairs), sum(pair.failed for pair in pairs)
    truncated = sum(not cut.isdisjoint(pair) for pair in kind.pairs)
    return ProbeResult(
        kind.name, kind.test, kind.description, kind.expect, n, failures, wilson(failures, n), truncated, pairs
    )
