"""Decisions about labels: stored relative to the source, read relative to the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.analysis.label_decisions import corrections_path, decide, decisions_of, require_own_reviews
from core.analysis.predictions import validation_predictions
from core.analysis.run_reviews import reviews_of_run
from core.config.schema import RunConfig
from core.data.corrections import read_corrections
from core.errors import InputError
from core.runs.directory import Run
from tests.core.support.training import configured, run


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    return configured(config, train__num_epochs=1)


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    return run(config, tmp_path / "runs")[0]


def stored(done: Run) -> dict[int, str]:
    return {one.id: one.decision for one in read_corrections(corrections_path(done))}


def test_decisions_are_stored_in_the_run_and_the_last_one_counts(done: Run) -> None:
    reviews = reviews_of_run(done)
    assert decisions_of(done, reviews) == {}
    decide(done, reviews, {3: "flip", 4: "drop"})
    assert decide(done, reviews, {3: "keep"}) == read_corrections(corrections_path(done))
    assert decisions_of(done, reviews) == stored(done) == {3: "keep", 4: "drop"}
    (first, _) = read_corrections(corrections_path(done))
    assert first.source_sha256 == reviews.origin.sha256
    assert first.label == reviews.reviews[3].label


def test_decisions_of_a_corrected_run_are_about_its_own_labels(config: RunConfig, done: Run, tmp_path: Path) -> None:
    before = reviews_of_run(done)
    decide(done, before, {1: "flip", 2: "flip", 3: "drop", 4: "flip"})
    second, _ = run(configured(config, data__corrections=str(corrections_path(done))), tmp_path / "second")
    reviews = reviews_of_run(second)
    assert [reviews.reviews[i].label == before.reviews[i].label for i in (1, 2, 4)] == [False] * 3
    assert decisions_of(second, reviews) == {}
    decide(second, reviews, {1: "flip", 2: "keep", 4: "drop", 5: "flip"})
    # 1 is flipped back to the source's label, 2 stays flipped, 3 stays dropped as the run had it.
    assert stored(second) == {1: "keep", 2: "flip", 3: "drop", 4: "drop", 5: "flip"}
    assert decisions_of(second, reviews) == {1: "flip", 4: "drop", 5: "flip"}
    third, _ = run(configured(config, data__corrections=str(corrections_path(second))), tmp_path / "third")
    labels = {i: reviews_of_run(third).reviews[i].label for i in (1, 2, 5)}
    source = {i: before.reviews[i].label for i in (1, 2, 5)}
    assert labels == {1: source[1], 2: 1 - source[2], 5: 1 - source[5]}
    assert reviews_of_run(third).corrected.dropped == {3, 4}


def test_a_row_that_does_not_exist_is_refused_and_nothing_is_written(done: Run) -> None:
    with pytest.raises(InputError, match="there is no review 40; the source has the rows 0 to 39"):
        decide(done, reviews_of_run(done), {1: "flip", 40: "flip"})
    assert not corrections_path(done).exists()


def test_labels_of_other_reviews_cannot_be_corrected(done: Run) -> None:
    reviews, predictions = reviews_of_run(done), validation_predictions(done)
    require_own_reviews(predictions, reviews)
    other = replace(predictions, label="test.csv", origin={"kind": "file", "sha256": "5" * 64})
    with pytest.raises(InputError, match=r"the reviews of test\.csv are not from reviews\.csv"):
        require_own_reviews(other, reviews)
