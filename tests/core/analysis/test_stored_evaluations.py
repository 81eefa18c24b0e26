"""The stored evaluations of a run, the texts of their reviews, and the baseline on the same reviews."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.analysis.bag_of_words import bag_of_words_of
from core.analysis.evaluate_on import evaluate_on
from core.analysis.predictions import validation_predictions
from core.analysis.run_reviews import reviews_of_run
from core.analysis.stored_evaluations import (
    baseline_predictions,
    evaluation_predictions,
    same_reviews,
    store_baseline,
    stored_evaluation,
    stored_evaluations,
    texts_of,
)
from core.config.schema import RunConfig
from core.errors import InputError
from core.inspection.target import Resolved, find_target, resolve
from core.runs.directory import Run
from tests.core.support.training import configured, run


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    return run(configured(config, data__n_samples=30, train__num_epochs=1), tmp_path / "runs")[0]


@pytest.fixture
def opened(done: Run) -> Resolved:
    return resolve(find_target(done.name, done.path.parent))


def test_the_evaluations_of_a_run_are_listed_newest_first(done: Run, opened: Resolved) -> None:
    assert stored_evaluations(done) == []
    for label in ("first", "second"):
        evaluate_on(opened, label=label)
    assert [each.label for each in stored_evaluations(done)] == ["second", "first"]
    assert stored_evaluation(done, "first").n == 10


def test_an_evaluation_that_does_not_exist_is_refused_with_the_names_of_the_others(done: Run, opened: Resolved) -> None:
    with pytest.raises(InputError, match=r"has no evaluation 'test'; it has none"):
        evaluation_predictions(done, "test")
    evaluate_on(opened)
    with pytest.raises(InputError, match=r"has no evaluation 'test'; it has rest"):
        evaluation_predictions(done, "test")


def test_predictions_of_the_validation_and_of_an_evaluation_are_read_with_their_texts(
    done: Run, opened: Resolved
) -> None:
    own = reviews_of_run(done)
    validation = evaluation_predictions(done, "validation")
    assert texts_of(done, validation) == own.texts(own.validation)
    written = evaluate_on(opened).predictions
    read = evaluation_predictions(done, "rest")
    assert (read.ids.tolist(), read.logits.tolist()) == (written.ids.tolist(), written.logits.tolist())
    assert (read.run, read.checkpoint, read.label) == (done.name, "step-3", "rest")
    assert same_reviews(read.origin, validation.origin)
    assert texts_of(done, read.take([1])) == own.texts(read.ids[1:2])


def test_the_texts_of_a_file_are_read_from_that_file(done: Run, opened: Resolved, tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("text,label\na warm film,1\na dull film,0\n", encoding="utf-8")
    found = evaluate_on(opened, str(path)).predictions
    assert texts_of(done, found.take(found.labels == 0)) == ["a dull film"]
    path.unlink()
    with pytest.raises(InputError, match="file not found"):
        texts_of(done, found)


def test_the_baseline_is_fitted_on_the_training_reviews_and_predicts_the_same_reviews(
    done: Run, opened: Resolved
) -> None:
    evaluate_on(opened)
    for label in ("validation", "rest"):
        assert baseline_predictions(done, label) is None
        written = store_baseline(done, label)
        read = baseline_predictions(done, label)
        predicted = evaluation_predictions(done, label)
        assert read is not None
        assert (read.run, read.checkpoint, read.label) == (done.name, "bag-of-words", label)
        assert np.array_equal(read.ids, predicted.ids)
        assert np.array_equal(read.labels, predicted.labels)
        assert read.logits.tolist() == written.logits.tolist()
        assert read.logits == pytest.approx(bag_of_words_of(done).decision(texts_of(done, predicted)))
    assert read.correct.all()  # one word decides in these reviews
    assert [each.label for each in stored_evaluations(done)] == ["rest"]
    assert len(validation_predictions(done)) == 6


def test_a_baseline_of_fewer_reviews_or_that_is_cut_does_not_count(done: Run, opened: Resolved) -> None:
    evaluate_on(opened, limit=5)
    store_baseline(done, "rest")
    evaluate_on(opened)
    assert baseline_predictions(done, "rest") is None
    store_baseline(done, "rest")
    path = done.path / "evaluations" / "rest" / "bag-of-words.csv"
    path.write_bytes(path.read_bytes()[:-4])
    assert baseline_predictions(done, "rest") is None


def test_origins_are_compared_by_hash_or_else_by_name_and_size() -> None:
    file = {"kind": "file", "name": "a.csv", "note": "", "sha256": "00", "available": 4}
    assert same_reviews(file, {**file, "kind": "cache", "name": "b.csv"})
    assert not same_reviews(file, {**file, "sha256": "11"})
    synthetic = {"kind": "synthetic", "name": "synthetic reviews", "note": "", "sha256": "", "available": 4}
    assert same_reviews(synthetic, {**synthetic, "note": "HF_HUB_OFFLINE is set"})
    assert not same_reviews(synthetic, {**synthetic, "available": 5})
    assert not same_reviews(synthetic, file)
