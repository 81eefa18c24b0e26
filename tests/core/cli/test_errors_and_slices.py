"""The commands ``errors`` and ``slices``: their JSON, their tables, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.analysis.evaluate_on import evaluate_on
from core.analysis.predicted_reviews import predicted_reviews
from core.analysis.predictions import validation_predictions
from core.analysis.stored_evaluations import evaluation_predictions
from core.config.schema import RunConfig
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    """A run that still predicts some reviews wrongly."""
    return run(configured(config, train__num_epochs=1, train__learning_rate=1e-5), tmp_path / "default-runs")[0]


def test_errors_answers_with_the_wrong_validation_reviews(call: Call, done: Run) -> None:
    code, out, err = call("errors", "last", "--json")
    assert code == 0
    rows = json.loads(out)
    predicted = predicted_reviews(done)
    wrong = predicted.predictions.take(~predicted.predictions.correct)
    assert 0 < len(rows) == len(wrong)
    assert {row["id"] for row in rows} == set(wrong.ids.tolist())
    text_of = dict(zip(predicted.predictions.ids.tolist(), predicted.texts, strict=True))
    for row in rows:
        assert row.keys() >= {"id", "label", "probability", "loss", "text"}
        assert row["text"] == text_of[row["id"]]
        assert (row["probability"] > 0.5) == (row["label"] == "negative")
    assert [row["loss"] for row in rows] == sorted((row["loss"] for row in rows), reverse=True)
    assert f"{len(rows)} wrong predictions; validation, 8 reviews" in err


def test_errors_are_restricted_by_limit_cell_slice_and_pattern(call: Call, done: Run) -> None:
    everything = json.loads(call("errors", "last", "--json")[1])
    assert json.loads(call("errors", "last", "--limit", "1", "--json")[1]) == everything[:1]
    for cell, label in (("fp", "negative"), ("fn", "positive")):
        found = json.loads(call("errors", "last", "--cell", cell, "--json")[1])
        assert found == [row for row in everything if row["label"] == label]
    digit = str(everything[0]["id"])
    found = json.loads(call("errors", "last", "--pattern", rf"film {digit}\b", "--json")[1])
    assert [row["id"] for row in found] == [everything[0]["id"]]
    assert json.loads(call("errors", "last", "--slice", "negation", "--json")[1]) == []
    assert json.loads(call("errors", "last", "--slice", "whole", "--json")[1]) == everything


def test_the_table_of_errors_shows_label_probability_and_text(call: Call, done: Run) -> None:
    (first, *_) = json.loads(call("errors", "last", "--json")[1])
    code, out, err = call("errors", "last", "--limit", "1")
    assert code == 0
    assert out.splitlines()[0].split() == ["id", "label", "positive", "loss", "text"]
    assert first["text"] in out
    assert f"{first['probability']:.1%}".replace("%", " %") in out
    assert "1 of " in err


def test_slices_answers_with_counts_and_accuracies(call: Call, done: Run) -> None:
    code, out, _ = call("slices", "last", "--pattern", "joy", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert all(row.keys() >= {"name", "n", "accuracy", "interval", "differs"} for row in rows.values())
    predictions = validation_predictions(done)
    positive = predictions.labels == 1
    assert rows["pattern"]["n"] == positive.sum()
    assert rows["pattern"]["accuracy"] == pytest.approx(predictions.correct[positive].mean())
    assert rows["pattern"]["interval"][0] <= rows["pattern"]["accuracy"] <= rows["pattern"]["interval"][1]
    assert rows["whole"]["n"] == 8
    assert rows["cut"]["accuracy"] is None
    assert sum(rows[f"length-q{i}"]["n"] for i in (1, 2, 3, 4)) == 8


def test_the_table_of_slices_has_one_row_per_slice(call: Call, done: Run) -> None:
    code, out, err = call("slices", "last")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["slice", "reviews", "accuracy", "95", "%", "interval", "rest", "adjusted", "p", "what"]
    assert len(lines) == 1 + 11
    assert f"{done.name}: validation, 8 reviews" in err


def test_errors_and_slices_of_an_evaluation_are_chosen_by_its_name(
    call: Call, config: RunConfig, tmp_path: Path
) -> None:
    done, _ = run(
        configured(config, train__num_epochs=1, train__learning_rate=1e-5, data__n_samples=20),
        tmp_path / "default-runs",
    )
    evaluate_on(resolve(find_target(done.name, done.path.parent)))
    predictions = evaluation_predictions(done, "rest")
    code, out, err = call("errors", "last", "--label", "rest", "--json")
    assert code == 0
    assert {row["id"] for row in json.loads(out)} == set(predictions.ids[~predictions.correct].tolist())
    assert "; rest, 20 reviews" in err
    rows = {row["name"]: row for row in json.loads(call("slices", "last", "--label", "rest", "--json")[1])}
    assert rows["whole"]["n"] == 20
    assert rows["whole"]["accuracy"] == pytest.approx(predictions.correct.mean())


def test_truncation_adds_an_object_beside_the_slices(call: Call, config: RunConfig, tmp_path: Path) -> None:
    run(configured(config, train__num_epochs=1, data__max_length=4), tmp_path / "default-runs")
    code, out, _ = call("slices", "last", "--truncation", "--json")
    assert code == 0
    answer = json.loads(out)
    assert answer["slices"] == json.loads(call("slices", "last", "--json")[1])
    cost = answer["truncation"]
    assert (cost["max_length"], cost["whole_length"], cost["n"], cost["longer"]) == (4, 64, 8, 8)
    assert cost["accuracy"].keys() == {"cut", "whole", "tail"}
    for name in ("whole", "tail"):
        assert cost[name]["difference"] == pytest.approx(cost["accuracy"][name] - cost["accuracy"]["cut"])
        low, high = cost[name]["interval"]
        assert low <= cost[name]["difference"] <= high
        assert 0 <= cost[name]["p_value"] <= 1
        assert cost[name]["verdict"] in call("slices", "last", "--truncation")[1]
    assert "as cut: first 4 tokens" in call("slices", "last", "--truncation")[1]


def test_bad_input_is_refused_in_one_line(call: Call, done: Run) -> None:
    assert "there is no run" in refused(call("errors", "nope"))
    assert "no cell 'ff'" in refused(call("errors", "last", "--cell", "ff"))
    assert "no slice 'sarcasm'" in refused(call("errors", "last", "--slice", "sarcasm"))
    assert "not a valid regular expression" in refused(call("slices", "last", "--pattern", "("))
    assert "no evaluation 'rest'; it has none" in refused(call("slices", "last", "--label", "rest"))
    assert "none is cut" in refused(call("slices", "last", "--truncation"))
    (done.path / "predictions" / "epoch-1.csv").write_text("id,label,logit\n3,1,0.5\n7,", encoding="utf-8")
    assert "predictions cannot be read" in refused(call("errors", "last"))
