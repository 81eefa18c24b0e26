"""How good predictions are: the metrics of a binary classifier, each with a 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core import formatting
from core.analysis.calibration import BINS, bin_of
from core.analysis.intervals import Interval, basic_interval, bootstrap, percentile_interval, wilson
from core.analysis.predictions import VALIDATION
from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.analysis.mcnemar import Paired
    from core.analysis.predictions import Predictions

CLASSES = ("negative", "positive")
_DISTRIBUTIONS = ("loss", "brier", "f1_negative", "f1", "roc_auc", "ece")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of the predictions of ``n`` labelled reviews, as scikit-learn computes them.

    A metric that is undefined is NaN: precision if nothing is predicted as the class, recall if the class is absent.
    """

    n: int
    accuracy: float
    accuracy_interval: Interval
    loss: float
    """Mean binary cross-entropy per review, in nats."""
    loss_interval: Interval
    confusion: tuple[tuple[int, int], tuple[int, int]]
    """((tn, fp), (fn, tp)): one row per label, one column per prediction, negative first."""
    precision: float
    """Of the class positive, as are ``recall`` and ``f1``."""
    recall: float
    f1: float
    per_class: dict[str, dict[str, Any]]
    """``negative`` and ``positive`` to precision, recall, f1, support, and precision_interval and so on (or None)."""
    roc_auc: float | None
    """None if the reviews have one class only."""
    brier: float
    """Mean squared difference of P(positive) and the label, 0 to 1."""
    ece: float
    """Expected calibration error over ten bins of P(positive) of equal width, 0 to 1.

    M. P. Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.
    """
    intervals: dict[str, Interval | None]
    """Interval of each metric by its name; None where it is undefined."""
    majority_label: str
    majority_accuracy: float
    """Accuracy of a model that always predicts ``majority_label``, the commoner label of these reviews."""

    @property
    def one_class(self) -> bool:
        """Whether all reviews have the same label, so that there is no AUC and no meaning in the accuracy."""
        return self.majority_accuracy == 1.0


def metrics(predictions: Predictions) -> Metrics:
    """Compute all metrics, in less than a second for 25,000 reviews.

    Accuracy, precision and recall have Wilson's intervals; loss, F1, AUC and Brier score percentile bootstrap intervals
    (1,000 resamples, 400 above 12,500 reviews); the calibration error has a basic one. Raises InputError without
    reviews, without labels, or for a logit that is not finite.
    """
    n = len(predictions)
    if n == 0:
        raise InputError(f"{predictions.run}: there are no predictions of {predictions.label} reviews to measure")
    if not np.isin(predictions.labels, (0, 1)).all():
        raise InputError(f"the {predictions.label} reviews have no labels, so there are predictions but no metrics")
    if not np.isfinite(predictions.logits).all():
        raise InputError(f"{predictions.run}: {predictions.label} predictions have a logit that is NaN or infinite")
    from sklearn.metrics import brier_score_loss, confusion_matrix, precision_recall_fscore_support, roc_auc_score

    labels, predicted = predictions.labels, (predictions.logits > 0).astype(np.int64)
    (tn, fp), (fn, tp) = confusion_matrix(labels, predicted, labels=[0, 1]).tolist()
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=[0, 1], zero_division=np.nan
    )
    loss, ece = float(predictions.losses.mean()), calibration_error(predictions)
    spread = dict(zip(_DISTRIBUTIONS, bootstrap(_Resampled(predictions), n), strict=True))
    two_classes = 0 < int(support[1]) < n
    accuracy_interval, loss_interval = wilson(tn + tp, n), percentile_interval(spread["loss"])
    assert loss_interval is not None  # a loss is always defined
    positive, negative = (
        {
            "precision_interval": _share(true, true + false),
            "recall_interval": _share(true, true + missed),
            "f1_interval": percentile_interval(spread[name]),
        }
        for true, false, missed, name in ((tp, fp, fn, "f1"), (tn, fn, fp, "f1_negative"))
    )
    values = {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i, name in enumerate(CLASSES)
    }
    majority = int(2 * support[1] >= n)
    return Metrics(
        n=n,
        accuracy=(tn + tp) / n,
        accuracy_interval=accuracy_interval,
        loss=loss,
        loss_interval=loss_interval,
        confusion=((tn, fp), (fn, tp)),
        precision=float(precision[1]),
        recall=float(recall[1]),
        f1=float(f1[1]),
        per_class={"negative": {**values["negative"], **negative}, "positive": {**values["positive"], **positive}},
        roc_auc=float(roc_auc_score(labels, predictions.logits)) if two_classes else None,
        brier=float(brier_score_loss(labels, predictions.probabilities, pos_label=1)),
        ece=ece,
        intervals={
            "accuracy": accuracy_interval,
            "loss": loss_interval,
            "precision": positive["precision_interval"],
            "recall": positive["recall_interval"],
            "f1": positive["f1_interval"],
            "roc_auc": percentile_interval(spread["roc_auc"]) if two_classes else None,
            "brier": percentile_interval(spread["brier"]),
            "ece": basic_interval(spread["ece"], ece),
        },
        majority_label=CLASSES[majority],
        majority_accuracy=int(support[majority]) / n,
    )


def calibration_error(predictions: Predictions, bins: int = BINS) -> float:
    """Expected calibration error: |mean P(positive) - share of positives| of each bin, weighted by its reviews."""
    gaps = np.bincount(
        bin_of(predictions.probabilities, bins), weights=predictions.probabilities - (predictions.labels == 1)
    )
    return float(np.abs(gaps).sum() / len(predictions))


def summary_sentence(
    metrics: Metrics, predictions: Predictions, baseline: Metrics | None = None, paired: Paired | None = None
) -> str:
    """The result in one sentence: accuracy, its interval, always guessing one label, and the bag of words if given.

    ``paired`` compares the baseline (first) with these predictions (second) on the same reviews.
    """
    reviews = f"{metrics.n:,} {'validation ' if predictions.label == VALIDATION else ''}review"
    low, high = (f"{100 * end:.1f}" for end in metrics.accuracy_interval)
    sentence = (
        f"{formatting.percent(metrics.accuracy)} of {reviews}{'' if metrics.n == 1 else 's'}, "
        f"95 % interval {low} to {high}"
    )
    if metrics.one_class:
        return f"{sentence}; all of them are {metrics.majority_label}, so this says nothing about the other class"
    sentence += f"; always guessing {metrics.majority_label} would give {formatting.percent(metrics.majority_accuracy)}"
    if baseline is not None:
        sentence += f"; bag of words on the same reviews {formatting.percent(baseline.accuracy)}"
        if paired is not None:
            sentence += f" ({paired.short_verdict})"
    return sentence


def as_json(metrics: Metrics) -> dict[str, Any]:
    """The metrics as JSON has them: fractions, intervals as [low, high], null where a metric is undefined."""
    return {
        "n": metrics.n,
        "accuracy": metrics.accuracy,
        "accuracy_interval": list(metrics.accuracy_interval),
        "loss": metrics.loss,
        "loss_interval": list(metrics.loss_interval),
        "confusion": [list(row) for row in metrics.confusion],
        "precision": metrics.precision,
        "recall": metrics.recall,
        "f1": metrics.f1,
        "roc_auc": metrics.roc_auc,
        "brier": metrics.brier,
        "ece": metrics.ece,
        "majority_label": metrics.majority_label,
        "majority_accuracy": metrics.majority_accuracy,
        "per_class": {
            name: {key: list(value) if isinstance(value, Interval) else value for key, value in values.items()}
            for name, values in metrics.per_class.items()
        },
        "intervals": {name: list(each) if each is not None else None for name, each in metrics.intervals.items()},
    }


def _share(successes: int, n: int) -> Interval | None:
    return wilson(successes, n) if n else None


class _Resampled:
    """Metrics of resampled reviews, from how often each resample has each review."""

    def __init__(self, predictions: Predictions) -> None:
        by_logit = predictions.take(np.argsort(predictions.logits, kind="stable"))  # the AUC needs this order
        positive, predicted, probabilities = by_logit.labels == 1, by_logit.logits > 0, by_logit.probabilities
        self.positive = positive.astype(np.float32)
        self.starts = np.flatnonzero(np.diff(by_logit.logits, prepend=-np.inf))
        """Where a logit differs from the one before; equal logits are counted together."""
        gaps = np.zeros((len(by_logit), BINS))
        gaps[np.arange(len(by_logit)), bin_of(probabilities)] = probabilities - positive
        columns = [
            by_logit.losses,
            (probabilities - positive) ** 2,
            ~positive & ~predicted,
            positive & predicted,
            positive ^ predicted,
        ]
        self.columns = np.column_stack([*columns, gaps]).astype(np.float32)

    def __call__(self, counts: NDArray[np.float32]) -> NDArray[np.float64]:
        """float32 [batch, n] to float64 [metrics, batch], in the order of ``_DISTRIBUTIONS``."""
        sums = (counts @ self.columns).astype(np.float64).T
        loss, brier, tn, tp, wrong = sums[:5]
        n = counts.shape[1]
        with np.errstate(invalid="ignore"):
            f1 = [2 * true / (2 * true + wrong) for true in (tn, tp)]
        return np.stack([loss / n, brier / n, *f1, self._auc(counts), np.abs(sums[5:]).sum(axis=0) / n])

    def _auc(self, counts: NDArray[np.float32]) -> NDArray[np.float64]:
        """Share of the pairs of a positive and a negative review in which the positive one has the higher logit.

        float64 [batch]; a tie counts half, and a resample of one class is NaN.
        """
        positives = counts * self.positive
        negatives = counts - positives
        if len(self.starts) < counts.shape[1]:
            positives, negatives = (np.add.reduceat(each, self.starts, axis=1) for each in (positives, negatives))
        below = np.cumsum(negatives, axis=1)  # counts up to 2^24 are exact in float32
        n_negative = below[:, -1].astype(np.float64)
        below -= negatives / 2
        pairs = np.einsum("bn,bn->b", positives, below, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            area: NDArray[np.float64] = pairs / (n_negative * (counts.shape[1] - n_negative))
        return area
