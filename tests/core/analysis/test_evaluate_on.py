"""Evaluations of a checkpoint on other reviews: their predictions, and how they are stopped, continued and reused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.analysis import evaluate_on as module
from core.analysis.evaluate_on import EvaluationProgress, EvaluationResult, evaluate_on, usable_engine
from core.analysis.evaluation_data import open_data
from core.analysis.scorer import load_scorer
from core.analysis.stored_evaluations import (
    evaluation_predictions,
    only_evaluation,
    stored_evaluation,
    stored_evaluations,
    texts_of,
)
from core.atomic_write import sha256_of
from core.config.schema import EngineConfig, RunConfig
from core.errors import InputError, Stopped
from core.inspection.target import Resolved, find_target, resolve
from core.runs.directory import Run
from tests.core.support.training import configured, run


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """180 labelled reviews of different lengths."""
    path = tmp_path / "many.csv"
    words = ("warm", "dull", "moving", "plot", "good", "bad")
    rows = [
        f"film {i} {' '.join(words[: 1 + i % 6])} {words[i % 6]},{'negative' if i % 2 else 'positive'}\n"
        for i in range(180)
    ]
    path.write_text("review,sentiment\n" + "".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def done(config: RunConfig, many: Path, tmp_path: Path) -> Run:
    changed = configured(config, data__n_samples=24, train__num_epochs=2, data__source=str(many))
    return run(changed, tmp_path / "runs")[0]


def opened(run: Run, step: str = "") -> Resolved:
    return resolve(find_target(run.name + (f"@{step}" if step else ""), run.path.parent))


def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each chunk that a model computes from now on."""
    sizes: list[int] = []
    logits = module.Scorer.logits

    def counted(self: module.Scorer, rows: list[list[int]], *args: object, **options: object) -> list[float]:
        found = logits(self, rows, *args, **options)  # type: ignore[arg-type]
        sizes.append(len(rows))
        return found

    monkeypatch.setattr(module.Scorer, "logits", counted)
    return sizes


def stopping_after(done: int) -> tuple[list[EvaluationProgress], dict[str, object]]:
    seen: list[EvaluationProgress] = []
    return seen, {"on_progress": seen.append, "stop": lambda: bool(seen) and seen[-1].done >= done}


def test_every_prediction_is_that_of_the_review_alone(done: Run) -> None:
    result = evaluate_on(opened(done))
    found, scorer = open_data(done, "rest"), load_scorer(opened(done))
    assert result.predictions.ids.tolist() == found.order
    assert found.labels is not None
    assert result.predictions.labels.tolist() == [found.labels[i] for i in found.order]
    alone = [scorer.logits([scorer.encode(found.texts[i]).input_ids])[0] for i in found.order]
    assert result.predictions.logits == pytest.approx(alone, abs=1e-5)
    assert texts_of(done, result.predictions) == [found.texts[i] for i in found.order]


def test_the_description_names_the_data_the_weights_and_the_counts(done: Run, many: Path) -> None:
    stored = evaluate_on(opened(done), limit=100).stored
    file = done.path / "checkpoints" / stored.checkpoint / "model.safetensors"
    assert (stored.label, stored.checkpoint, stored.data) == ("rest", "step-6", "rest")
    assert stored.weights_sha256 == sha256_of(file)
    assert stored.source["sha256"] == sha256_of(many)
    assert (stored.n, stored.usable, stored.left_out, stored.complete) == (100, 156, 0, True)
    assert (stored.device, stored.dtype, stored.labelled) == ("cpu", "float32", True)
    assert stored.seconds > 0
    assert stored_evaluations(done) == [stored]
    assert sorted(path.name for path in (done.path / "evaluations" / "rest").iterdir()) == [
        "evaluation.json",
        "predictions.csv",
    ]


def test_two_runs_evaluate_the_same_reviews_first(done: Run, tmp_path: Path) -> None:
    other = run(configured(done.config(), train__seed=1), tmp_path / "runs")[0]
    one, two = (set(evaluate_on(opened(each), limit=60).predictions.ids.tolist()) for each in (done, other))
    assert len(one & two) >= 45  # of 180 reviews each run used 24 others


def test_a_second_call_returns_what_is_stored(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluate_on(opened(done), limit=100)
    sizes = computed(monkeypatch)
    for limit in (100, 10):
        again = evaluate_on(opened(done), limit=limit)
        assert (again.computed, again.stored) == (0, first.stored)
        assert np.array_equal(again.predictions.logits, first.predictions.logits)
    assert sizes == []


def test_a_larger_limit_continues(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluate_on(opened(done), limit=70)
    sizes = computed(monkeypatch)
    whole = evaluate_on(opened(done))
    assert (sum(sizes), whole.computed, whole.stored.n) == (86, 86, 156)
    assert whole.predictions.logits[:70].tolist() == first.predictions.logits.tolist()
    assert whole.stored.seconds > first.stored.seconds


def test_a_stop_keeps_the_whole_chunks_and_a_second_call_continues(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 8)
    seen, options = stopping_after(40)
    stopped = evaluate_on(opened(done), **options)  # type: ignore[arg-type]
    assert (stopped.stored.n, stopped.stored.complete) == (32, False)  # 16, 16, and 8 of the next 32
    assert [each.done for each in seen] == [8, 16, 24, 32, 40]
    assert (seen[-1].counted, seen[-1].total) == (32, 156)
    assert seen[-1].correct == int(stopped.predictions.correct.sum())
    assert seen[-1].seconds_left is not None
    assert stopped.predictions.ids.tolist() == open_data(done, "rest").order[:32]
    sizes = computed(monkeypatch)
    whole = evaluate_on(opened(done))
    assert (sizes, whole.stored.complete) == ([32, 32, 32, 28], True)
    monkeypatch.undo()
    fresh = evaluate_on(opened(done), label="fresh")
    assert whole.predictions.logits == pytest.approx(fresh.predictions.logits, abs=1e-6)


def test_a_stop_at_the_end_of_a_chunk_keeps_that_chunk(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 8)
    _, options = stopping_after(32)
    assert evaluate_on(opened(done), **options).stored.n == 32  # type: ignore[arg-type]


def test_a_stop_before_the_first_chunk_stores_nothing(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 8)
    _, options = stopping_after(8)
    with pytest.raises(Stopped):
        evaluate_on(opened(done), **options)  # type: ignore[arg-type]
    assert stored_evaluations(done) == []
    assert evaluate_on(opened(done), limit=10).stored.n == 10  # the lock is released


def test_what_is_done_is_stored_meanwhile(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SIZE", 8)
    monkeypatch.setattr(module, "STORE_EVERY_S", 0.0)

    def killed(progress: EvaluationProgress) -> None:
        if progress.done > 64:
            raise MemoryError

    with pytest.raises(MemoryError):
        evaluate_on(opened(done), on_progress=killed)
    assert (stored_evaluation(done, "rest").n, stored_evaluation(done, "rest").complete) == (64, False)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_the_engine_is_that_of_the_run(
    config: RunConfig, many: Path, tmp_path: Path, bfloat16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dtype = "bfloat16" if bfloat16 else "float32"
    changed = configured(config, data__source=str(many), engine__dtype=dtype, train__num_epochs=1)
    trained = run(changed, tmp_path / "runs")[0]
    assert evaluate_on(opened(trained), limit=20).stored.dtype == dtype


def test_a_device_that_this_machine_does_not_have_is_replaced() -> None:
    if not torch.cuda.is_available():
        assert usable_engine(EngineConfig(device="cuda", dtype="float32")) == EngineConfig(dtype="float32")
    assert usable_engine(EngineConfig(device="cpu")) == EngineConfig(device="cpu")


def test_changed_data_is_evaluated_again(done: Run, tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("text,label\na warm film,1\na dull film,0\n", encoding="utf-8")
    first = evaluate_on(opened(done), str(path))
    assert (first.stored.label, first.stored.n, first.replaced) == ("test", 2, "")
    (done.path / "evaluations" / "test" / "bag-of-words.csv").write_text("id,label,logit\n", encoding="utf-8")
    path.write_text("text,label\na warm film,1\na dull plot,0\n", encoding="utf-8")
    with pytest.raises(InputError, match="has changed since the evaluation 'test'; evaluate again"):
        texts_of(done, first.predictions)
    again = evaluate_on(opened(done), str(path))
    assert (again.computed, again.replaced) == (2, "the evaluation 'test' was of other data (test.csv)")
    assert texts_of(done, again.predictions) != ["a warm film", "a dull film"]
    assert not (done.path / "evaluations" / "test" / "bag-of-words.csv").exists()


def test_changed_weights_are_evaluated_again(done: Run) -> None:
    first = evaluate_on(opened(done), limit=20, label="mine")
    other = evaluate_on(opened(done, "step-3"), limit=20, label="mine")
    assert other.replaced == "the evaluation 'mine' was of other weights (step-6)"
    assert other.predictions.logits.tolist() != first.predictions.logits.tolist()


def test_each_checkpoint_and_each_file_has_its_own_name(done: Run, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test.csv").write_text(f"text\nfilm {folder}\n", encoding="utf-8")
    names = [evaluate_on(opened(done, step), limit=9).stored.label for step in ("", "step-3", "step-6")]
    assert names == ["rest", "rest-step-3", "rest"]
    files = [str(tmp_path / folder / "test.csv") for folder in ("a", "b", "a")]
    assert [evaluate_on(opened(done), file).stored.label for file in files] == ["test", "test-2", "test"]
    assert evaluate_on(opened(done), files[0]).computed == 0


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def test_predictions_that_are_cut_are_refused_in_one_line_and_evaluated_again(done: Run) -> None:
    evaluate_on(opened(done), limit=30)
    cut(done.path / "evaluations" / "rest" / "predictions.csv")
    with pytest.raises(InputError, match=r"predictions.csv: the predictions are damaged or incomplete; evaluate again"):
        evaluation_predictions(done, "rest")
    again = evaluate_on(opened(done), limit=30)
    assert again.computed == 30
    assert "damaged or incomplete" in again.replaced


def test_a_damaged_description_is_evaluated_again(done: Run) -> None:
    evaluate_on(opened(done), limit=30)
    cut(done.path / "evaluations" / "rest" / "evaluation.json")
    assert stored_evaluations(done) == []
    again = evaluate_on(opened(done), limit=30)
    assert again.computed == 30
    assert "the evaluation cannot be read" in again.replaced


def test_a_process_killed_between_the_two_files_loses_only_its_last_predictions(done: Run) -> None:
    first = evaluate_on(opened(done), limit=64)
    about = (done.path / "evaluations" / "rest" / "evaluation.json").read_text(encoding="utf-8")
    evaluate_on(opened(done), limit=100)
    (done.path / "evaluations" / "rest" / "evaluation.json").write_text(about, encoding="utf-8")
    assert evaluation_predictions(done, "rest").ids.tolist() == first.predictions.ids.tolist()
    assert evaluate_on(opened(done), limit=100).computed == 36


def test_two_evaluations_of_a_run_at_once_are_refused_in_one_line(done: Run) -> None:
    evaluate_on(opened(done), limit=20)
    with only_evaluation(done):
        with pytest.raises(InputError, match="is being evaluated already; wait until that has finished"):
            evaluate_on(opened(done), limit=30)
        assert evaluate_on(opened(done), limit=20).computed == 0  # what is stored needs no lock


def test_reviews_without_labels_have_predictions_only(done: Run, tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("review\na warm film\na dull film\n", encoding="utf-8")
    result: EvaluationResult = evaluate_on(opened(done), str(path))
    assert (result.stored.labelled, result.predictions.labels.tolist()) == (False, [-1, -1])
    lines = (done.path / "evaluations" / "plain" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in lines] == ["label", "", ""]
    with pytest.raises(InputError, match="has no labels, so there are only predictions"):
        evaluation_predictions(done, "plain")
    assert evaluate_on(opened(done), str(path)).computed == 0


def test_a_logit_that_is_not_finite_is_refused(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.Scorer, "logits", lambda self, rows, *_, **__: [float("nan")] * len(rows))
    with pytest.raises(InputError, match="is NaN or infinite; nothing was stored"):
        evaluate_on(opened(done), limit=10)


@pytest.mark.parametrize("label", ["", "../up", "a/b", ".hidden", "a b", "x" * 81, "validation"])
def test_names_that_are_no_folder_are_refused(done: Run, label: str) -> None:
    with pytest.raises(
        InputError, match=r"cannot be the name of an evaluation|is that of the predictions made in training"
    ):
        evaluate_on(opened(done), label=label)
    assert not (done.path / "evaluations").exists()


def test_what_is_no_checkpoint_of_a_run_is_refused(done: Run) -> None:
    target = opened(done)
    with pytest.raises(InputError, match="not a checkpoint of a run"):
        evaluate_on(replace(target, target=replace(target.target, run=None)))
    with pytest.raises(InputError, match="evaluate at least 1 review"):
        evaluate_on(target, limit=0)


def test_the_description_is_plain_json(done: Run) -> None:
    evaluate_on(opened(done), limit=10)
    about = json.loads((done.path / "evaluations" / "rest" / "evaluation.json").read_text(encoding="utf-8"))
    assert {
        "label",
        "checkpoint",
        "weights_sha256",
        "source",
        "n",
        "left_out_training",
        "seconds",
        "dtype",
    } <= about.keys()
