"""Predictions as arrays, and the reviews that they are about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.analysis.predictions import Predictions, validation_predictions
from core.analysis.run_reviews import reviews_of_run
from core.analysis.scorer import load_scorer
from core.config.schema import RunConfig
from core.errors import InputError
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from core.runs.events import EpochFinished
from tests.core.support.training import run


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    return run(config, tmp_path / "runs")[0]


def some(labels: list[int], logits: list[float]) -> Predictions:
    ids = np.arange(len(labels))
    return Predictions("run", "epoch-1", "validation", ids, np.array(labels), np.array(logits))


def test_probabilities_losses_and_correctness_follow_from_the_logits() -> None:
    one = some([1, 0, 1, 0], [0.0, 2.0, -800.0, -3.0])
    assert one.probabilities == pytest.approx([0.5, 0.880797, 0.0, 0.047426], abs=1e-6)
    assert one.losses == pytest.approx([0.693147, 2.126928, 800.0, 0.048587], abs=1e-6)
    assert one.correct.tolist() == [False, False, False, True]


def test_rows_are_chosen_by_position_or_by_a_mask() -> None:
    one = some([1, 0, 1], [1.0, 2.0, 3.0])
    assert one.take([2, 0]).logits.tolist() == [3.0, 1.0]
    assert one.take(one.correct).ids.tolist() == [0, 2]
    assert len(one.take([])) == 0


def test_the_last_epoch_is_read_unless_another_is_named(config: RunConfig, tmp_path: Path) -> None:
    done, recorder = run(config, tmp_path / "runs")
    last = validation_predictions(done)
    assert last.checkpoint == "epoch-2"
    assert last.correct.mean() == pytest.approx(recorder.of(EpochFinished)[-1].val_accuracy)
    assert validation_predictions(done, 1).checkpoint == "epoch-1"
    with pytest.raises(InputError, match="no epoch 3"):
        validation_predictions(done, 3)


def test_the_reviews_of_a_run_are_split_as_its_training_split_them(done: Run) -> None:
    found = reviews_of_run(done)
    predicted = validation_predictions(done)
    assert found.validation == predicted.ids.tolist()
    assert [found.reviews[i].label for i in predicted.ids] == predicted.labels.tolist()
    everything = [*found.train, *found.validation, *found.rest]
    assert sorted(everything) == list(range(len(found.reviews)))
    assert found.texts([0, 1]) == [found.reviews[0].text, found.reviews[1].text]


def test_reviews_that_changed_since_are_refused(done: Run) -> None:
    source = Path(done.config().data.source)
    source.write_text(source.read_text(encoding="utf-8") + '"a new one",positive\n', encoding="utf-8")
    with pytest.raises(InputError, match="other reviews"):
        reviews_of_run(done)


def test_a_scorer_repeats_the_logits_of_the_validation(done: Run) -> None:
    predicted = validation_predictions(done)
    scorer = load_scorer(resolve(find_target(done.name, done.path.parent)))
    rows = [scorer.encode(text).input_ids for text in reviews_of_run(done).texts(predicted.ids)]
    assert scorer.logits(rows) == pytest.approx(predicted.logits.tolist(), abs=1e-5)
    assert scorer.logits([]) == []
