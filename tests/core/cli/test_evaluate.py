"""The command evaluate: its answer, its messages, and its refusals."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from core.runs.directory import list_runs, runs_root
from tests.core.support.commands import Call, refused

KEYS = {
    "run", "checkpoint", "label", "n", "left_out", "accuracy", "accuracy_interval", "loss", "confusion", "precision",
    "recall", "f1", "roc_auc", "brier", "ece", "majority_accuracy", "seconds",
}  # fmt: skip


@pytest.fixture
def trained(call: Call, tiny: str) -> str:
    assert call("train", tiny, "--set", "data.n_samples=20", "--set", "train.num_epochs=1")[0] == 0
    return list_runs(runs_root())[0].name


def answered(call: Call, *arguments: object) -> tuple[dict[str, Any], str]:
    code, out, err = call("evaluate", "last", "--json", *arguments)
    assert code == 0
    assert out.count("\n") == 1
    answer: dict[str, Any] = json.loads(out)
    return answer, err


def test_the_answer_has_the_metrics_of_the_rest(call: Call, trained: str) -> None:
    answer, err = answered(call)
    assert answer.keys() >= KEYS
    assert (answer["run"], answer["checkpoint"], answer["label"], answer["n"]) == (trained, "step-2", "rest", 20)
    (tn, fp), (fn, tp) = answer["confusion"]
    assert tn + fp + fn + tp == 20
    assert answer["accuracy"] == (tn + tp) / 20
    assert answer["accuracy_interval"][0] < answer["accuracy"] < answer["accuracy_interval"][1]
    assert answer["sentence"].startswith(f"{answer['accuracy']:.1%}".replace("%", " %"))
    assert answer["baseline"] is None
    assert f"{trained}@step-2, rest: 20 reviews of 20, 0:0" in err
    again, err = answered(call, "--limit", 3)
    assert {**again, "computed": 20} == answer
    assert "stored 20" in err


def test_without_json_the_sentence_and_tables_are_printed(call: Call, trained: str) -> None:
    code, out, _ = call("evaluate", "last", "--limit", 12)
    assert code == 0
    lines = out.splitlines()
    assert " of 12 reviews, 95 % interval " in lines[0]
    assert [line.split()[0] for line in lines[2:4]] == ["negative", "positive"]
    assert any(line.startswith("ROC AUC") for line in lines)


def test_the_baseline_is_compared_on_the_same_reviews_and_stays(call: Call, trained: str) -> None:
    answer, _ = answered(call, "--baseline")
    baseline = answer["baseline"]
    assert baseline["accuracy"] == 1.0  # one word decides in these reviews
    assert baseline["difference"] == pytest.approx(answer["accuracy"] - 1.0)
    assert "bag of words" in baseline["verdict"]
    assert "bag of words on the same reviews 100.0 %" in answer["sentence"]
    assert answered(call)[0]["baseline"] == baseline


def test_leaks_are_counted_and_said(call: Call, trained: str, reviews_csv: Path) -> None:
    answer, err = answered(call, "--data", reviews_csv, "--name", "whole")
    assert (answer["label"], answer["n"], answer["left_out"]) == ("whole", 24, 16)
    assert "left out: 16 reviews with the text of a training review\n" in err


def test_reviews_without_labels_have_predictions_and_no_metrics(call: Call, trained: str, tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("review\na warm film\na dull film\n", encoding="utf-8")
    answer, err = answered(call, "--data", path, "--baseline")
    assert answer.keys() >= KEYS
    assert (answer["n"], answer["accuracy"], answer["confusion"], answer["sentence"]) == (2, None, None, None)
    assert "plain.csv has no labels, so there are predictions only: " in err
    assert "no baseline" in err
    assert Path(answer["predictions"]).read_text(encoding="utf-8").count("\n") == 3
    assert call("evaluate", "last", "--data", path)[1] == ""


def test_one_class_has_an_accuracy_and_no_roc_auc(call: Call, trained: str, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("review,sentiment\na warm film,positive\nmoving plot,positive\n", encoding="utf-8")
    answer, err = answered(call, "--data", path)
    assert answer["accuracy"] is not None
    assert answer["roc_auc"] is None
    assert "all reviews are positive" in err
    assert call("evaluate", "last", "--data", path)[0] == 0


def test_an_interrupt_prints_the_answer_so_far_and_exits_with_130(
    call: Call, trained: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.analysis import evaluate_on as module

    monkeypatch.setattr(module, "BATCH_SIZE", 4)
    batches = []
    after_batch = module._Work._after_batch

    def interrupted(work: module._Work, done: int) -> None:
        batches.append(done)
        if len(batches) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        after_batch(work, done)

    monkeypatch.setattr(module._Work, "_after_batch", interrupted)
    code, out, err = call("evaluate", "last", "--json")
    answer = json.loads(out)
    assert (code, answer["n"], answer["complete"]) == (130, 8, False)
    assert "rest: 8 reviews of 20, stopped; the same command continues" in err
    assert answered(call)[0]["computed"] == 12
    assert call("evaluate", "last", "--name", "other")[0] == 0


def test_an_interrupt_before_any_prediction_stores_nothing(
    call: Call, trained: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.analysis import evaluate_on as module

    load = module.load_scorer

    def interrupted(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return load(*arguments)

    monkeypatch.setattr(module, "BATCH_SIZE", 4)
    monkeypatch.setattr(module, "load_scorer", interrupted)
    code, out, err = call("evaluate", "last", "--json")
    assert (code, out) == (130, "")
    assert "stopped before the first reviews were predicted; nothing was stored" in err


def test_what_cannot_be_evaluated_is_refused_in_one_line(call: Call, trained: str, tmp_path: Path) -> None:
    assert "missing.csv: file not found" in refused(call("evaluate", "last", "--data", "missing.csv"))
    assert "quick is not a run" in refused(call("evaluate", "quick"))
    assert "has no checkpoint step-9; it has step-2" in refused(call("evaluate", f"{trained}@step-9"))
    assert "cannot be the name of an evaluation" in refused(call("evaluate", "last", "--name", "../up"))
    assert "greater than or equal to 1" in refused(call("evaluate", "last", "--limit", "0"))
    assert "a split cannot be chosen" in refused(call("evaluate", "last", "--data", "stanfordnlp/imdb:test"))
    assert list((runs_root() / trained).glob("evaluations")) == []


def test_the_stored_predictions_are_used_by_other_commands(call: Call, trained: str) -> None:
    answered(call)
    code, _, err = call("errors", "last", "--label", "rest", "--json")
    assert code == 0
    assert "rest, 20 reviews" in err
    assert "has no evaluation 'test'; it has rest" in refused(call("errors", "last", "--label", "test"))
