"""Likely wrong labels: the confident joint by hand, noise that was put in, and cross-validation as scikit-learn's."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from core.analysis import bag_of_words
from core.analysis.evaluate_on import evaluate_on
from core.analysis.predictions import Predictions
from core.analysis.run_reviews import RunReviews, reviews_of_run
from core.analysis.stored_evaluations import evaluation_predictions, store, stored_evaluation
from core.analysis.wrong_labels import (
    confident_issues,
    cross_validated,
    out_of_fold_logits,
    suspects,
    suspects_of_run,
)
from core.config.schema import RunConfig
from core.data.corrections import Corrected
from core.data.reviews import Review
from core.errors import InputError, Stopped
from core.inspection.target import find_target, resolve
from core.sources.origin import Origin
from tests.core.support.training import configured, run


def test_a_label_is_suspect_if_the_other_class_reaches_its_threshold() -> None:
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    probabilities = np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.3, 0.55, 0.7])
    # Thresholds by hand: positive (0.9 + 0.8 + 0.7 + 0.2) / 4 = 0.65; negative (0.9 + 0.7 + 0.45 + 0.3) / 4 = 0.5875.
    # 0.55 is above one half, but P(positive) does not reach 0.65 and P(negative) = 0.45 does not reach 0.5875.
    assert confident_issues(labels, probabilities).tolist() == [False, False, False, True, False, False, False, True]


def test_where_both_classes_reach_their_thresholds_the_more_probable_one_counts() -> None:
    labels = np.array([1, 1, 0, 0])
    probabilities = np.array([0.35, 0.41, 0.45, 0.63])  # thresholds: positive 0.38, negative (0.55 + 0.37) / 2 = 0.46
    # 0.41: P(positive) = 0.41 reaches 0.38, but P(negative) = 0.59 is larger and reaches 0.46.
    assert confident_issues(labels, probabilities).tolist() == [True, True, False, True]


def test_a_label_that_is_the_more_probable_one_is_not_suspect() -> None:
    labels = np.array([1, 1, 0, 0])
    probabilities = np.array([0.55, 0.95, 0.7, 0.6])  # thresholds: positive 0.75, negative (0.3 + 0.4) / 2 = 0.35
    # 0.55: P(negative) = 0.45 reaches 0.35 and P(positive) does not reach 0.75, but positive is predicted.
    assert confident_issues(labels, probabilities).tolist() == [False] * 4


def test_a_probability_that_is_equal_to_the_threshold_reaches_it() -> None:
    labels = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    probabilities = np.array([0.953, 0.953, 0.953, 0.953, 0.1, 0.1, 0.1, 0.1])
    assert confident_issues(labels, probabilities).tolist() == [False] * 3 + [True] + [False] * 4


def test_reviews_of_one_class_have_no_suspects() -> None:
    assert confident_issues(np.ones(3, dtype=np.int64), np.array([0.1, 0.9, 0.9])).tolist() == [False] * 3
    assert confident_issues(np.zeros(0, dtype=np.int64), np.zeros(0)).tolist() == []


def reviews_with(labels: list[int]) -> RunReviews:
    reviews = [Review(f"film {i}", label) for i, label in enumerate(labels)]
    return RunReviews(Corrected(reviews), Origin("file", "c.csv"), list(range(len(labels))), [])


def test_suspects_of_several_groups_are_listed_once_with_the_lowest_score_first() -> None:
    labels = [1, 1, 0, 0, 1, 0]
    reviews = reviews_with(labels)

    def predicted(label: str, ids: list[int], probabilities: list[float]) -> Predictions:
        p = np.array(probabilities)
        of_ids = np.array([labels[i] for i in ids])
        return Predictions("run", "epoch-1", label, np.array(ids), of_ids, np.log(p / (1 - p)))

    first = predicted("validation", [0, 1, 2, 3], [0.9, 0.1, 0.2, 0.8])
    second = predicted("rest", [1, 4, 5], [0.3, 0.9, 0.95])
    found = suspects([first, second], reviews)
    assert [(one.id, one.label, one.suggested, one.predicted_by) for one in found] == [
        (5, 0, 1, "rest"),
        (1, 1, 0, "validation"),
        (3, 0, 1, "validation"),
    ]
    assert [one.score for one in found] == pytest.approx([0.05, 0.1, 0.2])
    assert [one.probability for one in found] == pytest.approx([0.95, 0.1, 0.8])
    assert found[0].text == "film 5"


def texts_and_labels(n: int) -> tuple[list[str], NDArray[np.int64]]:
    """Reviews of twelve words, of which about eight fit the label."""
    chance = random.Random(0)
    good, bad = ([f"{kind}{i}" for i in range(20)] for kind in ("good", "bad"))
    labels = np.array([i % 2 for i in range(n)])
    return [
        " ".join(chance.choice(good if (chance.random() < 0.7) == bool(label) else bad) for _ in range(12))
        for label in labels
    ], labels


def test_most_of_the_labels_that_were_flipped_on_purpose_are_found() -> None:
    texts, right = texts_and_labels(300)
    flipped = set(random.Random(1).sample(range(300), 30))
    labels = np.array([1 - label if i in flipped else label for i, label in enumerate(right)])
    logits = out_of_fold_logits(texts, labels)
    found = set(np.flatnonzero(confident_issues(labels, 1 / (1 + np.exp(-logits)))).tolist())
    assert len(found & flipped) >= 0.8 * len(flipped)
    assert len(found & flipped) >= 0.5 * len(found)


def test_the_cross_validated_logits_are_those_of_scikit_learn() -> None:
    texts, labels = texts_and_labels(100)
    pipeline = make_pipeline(bag_of_words._vectorizer(min_df=2), LogisticRegression(C=bag_of_words.C, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    expected = cross_val_predict(pipeline, texts, labels, cv=folds, method="decision_function")
    assert out_of_fold_logits(texts, labels, seed=3) == pytest.approx(expected, abs=1e-6)


def test_too_few_reviews_of_a_class_are_refused() -> None:
    with pytest.raises(InputError, match="one label has 4 training reviews, and cross-validation needs at least 5"):
        out_of_fold_logits(["a film"] * 20, np.array([1] * 16 + [0] * 4))


def test_a_run_judges_its_validation_reviews_and_a_bag_of_words_its_training_reviews(
    config: RunConfig, tmp_path: Path
) -> None:
    source = Path(config.data.source)
    lines = source.read_text(encoding="utf-8").splitlines()
    wrong = 7  # a joy, now called negative
    assert lines[wrong + 1].endswith("positive")
    lines[wrong + 1] = lines[wrong + 1].replace("positive", "negative")
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done, _ = run(configured(config, train__num_epochs=1), tmp_path / "runs")
    reviews = reviews_of_run(done)
    assert wrong in reviews.train
    predictions = cross_validated(done, reviews)
    assert predictions.ids.tolist() == reviews.train
    steps: list[tuple[str, int, int]] = []
    found = suspects_of_run(done, reviews, on_progress=lambda *step: steps.append(step))
    assert wrong in [one.id for one in found if one.predicted_by == "bag of words"]
    assert steps[0] == ("cross-validating a bag of words", 0, 5)
    assert steps[-1][1:] == (5, 5)
    without = suspects_of_run(done, reviews, training=False)
    assert {one.predicted_by for one in without} <= {"validation"}
    assert without == [one for one in found if one.predicted_by == "validation"]


def test_evaluations_of_the_same_source_judge_the_other_reviews_by_the_labels_that_the_run_uses(
    config: RunConfig, tmp_path: Path
) -> None:
    done, _ = run(configured(config, train__num_epochs=1, data__n_samples=20), tmp_path / "runs")
    target, source, other = find_target(done.name, done.path.parent), Path(config.data.source), tmp_path / "other.csv"
    other.write_text(source.read_text(encoding="utf-8").replace("film", "show"), encoding="utf-8")
    for data, name in (("rest", "rest"), (str(other), "other")):
        predictions = evaluate_on(resolve(target), data, label=name).predictions
        logits = np.where(predictions.labels == 1, 3.0, -3.0)
        logits[:2] *= -1  # the model is confident of the other label of the first two
        ids, labels = predictions.ids.tolist(), predictions.labels.tolist()
        store(done, stored_evaluation(done, name), ids, labels, logits.tolist())
    first, second = evaluation_predictions(done, "rest").ids.tolist()[:2]
    reviews = reviews_of_run(done)

    def judged_by_evaluations(reviews: RunReviews) -> dict[int, int]:
        found = suspects_of_run(done, reviews, training=False)
        return {one.id: one.label for one in found if one.predicted_by != "validation"}

    assert judged_by_evaluations(reviews) == {i: reviews.reviews[i].label for i in (first, second)}
    corrected = list(reviews.reviews)
    corrected[first] = replace(corrected[first], label=1 - corrected[first].label)  # what the model predicts
    changed = replace(reviews, corrected=Corrected(corrected, frozenset({first})))
    assert judged_by_evaluations(changed) == {second: reviews.reviews[second].label}
    changed = replace(reviews, corrected=Corrected(list(reviews.reviews), dropped=frozenset({second})))
    assert judged_by_evaluations(changed) == {first: reviews.reviews[first].label}


def test_the_search_can_be_stopped_between_two_folds(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(configured(config, train__num_epochs=1), tmp_path / "runs")

    def stop(_: str, done: int, __: int) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        suspects_of_run(done, reviews_of_run(done), on_progress=stop)
