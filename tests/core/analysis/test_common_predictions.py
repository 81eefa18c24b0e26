"""The reviews that two runs both predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.analysis.common_predictions import AtEpoch, aligned, common_predictions
from core.analysis.comparison import paired
from core.analysis.evaluate_on import evaluate_on
from core.analysis.predictions import validation_predictions
from core.analysis.run_reviews import reviews_of_run
from core.analysis.stored_evaluations import evaluation_predictions, stored_evaluation, texts_of
from core.config.schema import RunConfig
from core.errors import InputError
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from tests.core.support.simulated import predictions_of
from tests.core.support.training import configured, run


@pytest.fixture
def two(config: RunConfig, tmp_path: Path) -> tuple[Run, Run]:
    """Two runs with different splits of 24 of the same 40 reviews."""
    config = configured(config, train__num_epochs=1, data__n_samples=24, train__batch_size=4)
    first, _ = run(config, tmp_path / "runs")
    second, _ = run(configured(config, train__seed=7), tmp_path / "runs")
    return first, second


def evaluated(done: Run, data: str = "rest", label: str | None = None) -> list[int]:
    found = evaluate_on(resolve(find_target(done.name, done.path.parent)), data, label=label)
    return [int(each) for each in found.predictions.ids]


def test_reviews_of_evaluations_count_if_both_predicted_them_and_neither_trained_on_them(two: tuple[Run, Run]) -> None:
    validation = [set(validation_predictions(done).ids.tolist()) for done in two]
    rest = [set(evaluated(done)) for done in two]
    one, other = common_predictions(*two)
    expected = (validation[0] | rest[0]) & (validation[1] | rest[1])
    assert set(one.ids.tolist()) == expected
    assert one.ids.tolist() == other.ids.tolist()
    assert len(expected) > len(validation[0] & validation[1])
    for done in two:
        assert not expected & set(reviews_of_run(done).train)
    assert one.label == "validation + rest"
    assert paired(*two).data == "validation + rest"
    assert texts_of(two[0], one) == reviews_of_run(two[0]).texts(one.ids.tolist())
    stored = evaluation_predictions(two[1], "rest")
    logit_of = dict(zip(stored.ids.tolist(), stored.logits.tolist(), strict=True))
    assert all(other.logits[i] == logit_of[id_] for i, id_ in enumerate(other.ids.tolist()) if id_ in logit_of)


def test_of_several_sources_the_one_with_the_most_common_reviews_is_compared(
    two: tuple[Run, Run], tmp_path: Path
) -> None:
    more = tmp_path / "more.csv"
    rows = [f"a new film {i},{'positive' if i % 3 else 'negative'}\n" for i in range(30)]
    more.write_text("review,sentiment\n" + "".join(rows), encoding="utf-8")
    evaluated(two[0], str(more), "mine")
    evaluated(two[1], str(more), "yours")
    one, other = common_predictions(*two)
    assert (len(one), one.label, other.label) == (30, "mine", "yours")
    assert texts_of(two[0], one)[0].startswith("a new film")


def test_an_evaluation_of_another_epochs_model_does_not_count(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(configured(config, data__n_samples=24), tmp_path / "runs")
    evaluated(done)
    step = stored_evaluation(done, "rest").checkpoint
    assert AtEpoch(done, 2).finished().step == int(step.removeprefix("step-"))
    one, other = common_predictions(AtEpoch(done, 1), done)
    assert one.label == "validation"
    assert other.label == "validation"
    whole, _ = common_predictions(done, AtEpoch(done, 2))
    assert whole.label == "validation + rest"
    assert len(whole) > len(one)


def test_damaged_predictions_are_an_error_only_if_nothing_else_is_common(two: tuple[Run, Run]) -> None:
    for done in two:
        evaluated(done)
    everything = set(common_predictions(*two)[0].ids.tolist())
    (two[1].path / "predictions" / "epoch-1.csv").write_text("id,label,logit\n3,", encoding="utf-8")
    remaining = set(common_predictions(*two)[0].ids.tolist())
    assert remaining < everything
    (two[1].path / "evaluations" / "rest" / "predictions.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"epoch-1\.csv: the run's predictions cannot be read"):
        common_predictions(*two)


def test_predictions_are_aligned_in_the_order_of_the_first() -> None:
    first = predictions_of([1, 0, 1], [1.0, 2.0, 3.0])
    second = predictions_of([0, 1, 1, 0], [4.0, 5.0, 6.0, 7.0])
    second.ids[:] = [1, 5, 0, 2]
    one, other = aligned(first, second)
    assert one.ids.tolist() == other.ids.tolist() == [0, 1]  # review 2 has another label
    assert other.logits.tolist() == [6.0, 4.0]
    assert len(aligned(first, second.take(np.zeros(4, dtype=bool)))[0]) == 0
