"""Metrics against scikit-learn, their intervals, and the sentence that sums them up."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from scipy.special import logit

from core import formatting
from core.analysis.intervals import wilson
from core.analysis.mcnemar import Paired
from core.analysis.metrics import _Resampled, as_json, calibration_error, metrics, summary_sentence
from core.analysis.predictions import Predictions
from core.errors import InputError
from tests.core.support.simulated import predictions_of, simulated


def test_each_metric_is_that_of_scikit_learn() -> None:
    given = simulated(300, seed=2)
    labels, predicted = given.labels, given.logits > 0
    found = metrics(given)
    assert found.n == 300
    assert found.accuracy == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))
    assert found.loss == pytest.approx(sklearn.metrics.log_loss(labels, given.probabilities))
    assert [list(row) for row in found.confusion] == sklearn.metrics.confusion_matrix(labels, predicted).tolist()
    assert found.precision == pytest.approx(sklearn.metrics.precision_score(labels, predicted))
    assert found.recall == pytest.approx(sklearn.metrics.recall_score(labels, predicted))
    assert found.f1 == pytest.approx(sklearn.metrics.f1_score(labels, predicted))
    assert found.roc_auc == pytest.approx(sklearn.metrics.roc_auc_score(labels, given.probabilities))
    assert found.brier == pytest.approx(sklearn.metrics.brier_score_loss(labels, given.probabilities))
    report = sklearn.metrics.classification_report(
        labels, predicted, target_names=["negative", "positive"], output_dict=True
    )
    for name, of_class in found.per_class.items():
        assert {key: of_class[key] for key in ("precision", "recall", "support")} == pytest.approx(
            {key: report[name][key] for key in ("precision", "recall", "support")}
        )
        assert of_class["f1"] == pytest.approx(report[name]["f1-score"])


def test_shares_have_wilsons_interval() -> None:
    found = metrics(simulated(300, seed=2))
    (tn, fp), (fn, tp) = found.confusion
    assert found.accuracy_interval == wilson(tn + tp, 300)
    assert found.per_class["positive"]["precision_interval"] == wilson(tp, tp + fp)
    assert found.per_class["positive"]["recall_interval"] == found.intervals["recall"] == wilson(tp, tp + fn)
    assert found.per_class["negative"]["precision_interval"] == wilson(tn, tn + fn)
    assert found.per_class["negative"]["recall_interval"] == wilson(tn, tn + fp)


@pytest.mark.parametrize("digits", [9, 0])
def test_the_metrics_of_a_resample_are_those_of_scikit_learn(digits: int) -> None:
    given = simulated(200, seed=4, digits=digits)  # with no digits, many logits are equal
    given = given.take(np.argsort(given.logits, kind="stable"))  # the order in which the reviews are counted
    rows = np.random.default_rng(5).integers(0, 200, (3, 200))
    counts = np.stack([np.bincount(row, minlength=200) for row in rows]).astype(np.float32)
    computed = _Resampled(given)(counts)
    for row, (loss, brier, f1_negative, f1, auc, ece) in zip(rows, computed.T, strict=True):
        sample = given.take(row)
        predicted = sample.logits > 0
        assert loss == pytest.approx(sklearn.metrics.log_loss(sample.labels, sample.probabilities), rel=1e-5)
        assert brier == pytest.approx(sklearn.metrics.brier_score_loss(sample.labels, sample.probabilities), rel=1e-5)
        assert f1_negative == pytest.approx(sklearn.metrics.f1_score(sample.labels, predicted, pos_label=0))
        assert f1 == pytest.approx(sklearn.metrics.f1_score(sample.labels, predicted))
        assert auc == pytest.approx(sklearn.metrics.roc_auc_score(sample.labels, sample.logits), rel=1e-6)
        assert ece == pytest.approx(calibration_error(sample), abs=1e-6)


def test_bootstrap_intervals_agree_with_the_standard_errors() -> None:
    given = simulated(2000, seed=6)
    found = metrics(given)
    for name, values in (("loss", given.losses), ("brier", (given.probabilities - given.labels) ** 2)):
        half = 1.96 * scipy.stats.sem(values)
        expected = (values.mean() - half, values.mean() + half)
        assert found.intervals[name] == pytest.approx(expected, abs=0.15 * half), name
    assert found.roc_auc is not None
    assert found.intervals["roc_auc"] is not None
    low, high = found.intervals["roc_auc"]
    assert low < found.roc_auc < high
    # J. A. Hanley and B. J. McNeil, Radiology 143, 1982: the standard error of an AUC of binormal scores
    a, m = found.roc_auc, 1000
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    error = ((a * (1 - a) + (m - 1) * (q1 - a * a) + (m - 1) * (q2 - a * a)) / m**2) ** 0.5
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.25)


def test_the_calibration_error_is_the_weighted_gap_of_the_bins() -> None:
    probabilities = [0.04, 0.06, 0.81, 0.83, 0.83, 0.85]
    given = predictions_of([0, 1, 1, 1, 1, 0], [logit(p) for p in probabilities])
    by_hand = 2 / 6 * abs(0.05 - 1 / 2) + 4 / 6 * abs(0.83 - 3 / 4)
    assert metrics(given).ece == pytest.approx(by_hand)
    perfect = predictions_of([0, 1] * 50, [-30.0, 30.0] * 50)
    assert metrics(perfect).ece == pytest.approx(0.0, abs=1e-9)


def test_the_interval_of_a_calibrated_models_error_reaches_down_to_zero() -> None:
    rng = np.random.default_rng(7)
    near_zero = 0
    for _ in range(10):
        logits = rng.normal(size=200)
        labels = (rng.random(200) < 1 / (1 + np.exp(-logits))).astype(int)
        interval = metrics(predictions_of(labels.tolist(), logits.tolist())).intervals["ece"]
        assert interval is not None
        near_zero += interval.low < 0.02
    assert near_zero >= 6  # percentile intervals: none


def test_reviews_of_one_class_have_no_auc_and_the_sentence_says_so() -> None:
    given = predictions_of([1, 1, 1, 1], [1.0, 2.0, -1.0, 3.0])
    found = metrics(given)
    assert found.roc_auc is None
    assert found.intervals["roc_auc"] is None
    assert math.isnan(found.per_class["negative"]["recall"])
    assert found.per_class["negative"]["recall_interval"] is None
    assert found.one_class
    assert "all of them are positive" in summary_sentence(found, given)
    assert json.loads(formatting.as_json(as_json(found)))["per_class"]["negative"]["recall"] is None


def test_a_class_that_is_never_predicted_has_no_precision() -> None:
    found = metrics(predictions_of([0, 1, 0], [-1.0, -2.0, -3.0]))
    assert math.isnan(found.precision)
    assert (found.recall, found.f1) == (0.0, 0.0)
    assert found.intervals["precision"] is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (predictions_of([], []), "there are no predictions"),
        (predictions_of([-1, -1], [0.5, 1.0], "mine"), "the mine reviews have no labels"),
        (predictions_of([0, 1], [0.5, math.nan]), "NaN or infinite"),
    ],
)
def test_predictions_that_cannot_be_measured_are_refused(given: Predictions, message: str) -> None:
    with pytest.raises(InputError, match=message):
        metrics(given)


def test_a_single_review_is_measured() -> None:
    found = metrics(predictions_of([1], [1.0]))
    assert (found.n, found.accuracy, found.confusion) == (1, 1.0, ((0, 0), (0, 1)))
    assert found.loss_interval == pytest.approx((found.loss, found.loss))


def test_25000_reviews_are_measured_quickly() -> None:
    given = simulated(25_000)
    metrics(given.take(range(100)))  # imports
    started = time.process_time()
    metrics(given)
    assert time.process_time() - started < 3.0  # 0.6 s on an idle core


def test_json_has_plain_numbers_and_lists() -> None:
    answer = json.loads(json.dumps(as_json(metrics(simulated(60)))))
    assert {"n", "accuracy", "loss", "precision", "recall", "f1", "roc_auc", "brier", "ece"} <= answer.keys()
    assert len(answer["accuracy_interval"]) == len(answer["intervals"]["f1"]) == 2
    assert sum(map(sum, answer["confusion"])) == 60
    assert answer["majority_label"] in ("negative", "positive")


def test_the_sentence_has_accuracy_interval_majority_and_baseline() -> None:
    labels = [1] * 202 + [0] * 198
    logits = [
        1.0 if right == bool(label) else -1.0 for label, right in zip(labels, [True] * 336 + [False] * 64, strict=True)
    ]
    given = predictions_of(labels, logits, "rest")
    found = metrics(given)
    sentence = "84.0 % of 400 reviews, 95 % interval 80.1 to 87.3; always guessing positive would give 50.5 %"
    assert summary_sentence(found, given) == sentence
    assert summary_sentence(found, predictions_of(labels, logits)).startswith("84.0 % of 400 validation reviews, ")
    with_baseline = summary_sentence(found, given, found, Paired(300, 34, 36, 30))
    assert with_baseline.startswith(f"{sentence}; bag of words on the same reviews 84.0 % (cannot be told apart, ")
