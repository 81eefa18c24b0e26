"""The command ``model``: each view as text and as JSON, and refused input."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from core.inspection.weights import build_model
from tests.core.support.commands import Call, refused
from tests.core.support.looking import change, preset_target, write_run

HEAD = "classifier.weight"


@pytest.fixture
def answer(call: Call) -> Any:
    """Return the JSON answer of a call."""

    def asked(*arguments: object) -> Any:
        code, out, err = call("model", *arguments, "--json")
        assert code == 0, err
        assert out.count("\n") == 1
        return json.loads(out)

    return asked


@pytest.fixture
def run_file(tmp_path: Path, tiny: str, folder: Path) -> Path:
    """The weights of a run in the default runs directory; training changed only its head."""
    from core.config.presets import load_preset

    state = build_model(preset_target(folder)).state_dict()
    state[HEAD] = state[HEAD] * 2
    return write_run(tmp_path / "default-runs", load_preset(tiny), state)


def test_params_lists_every_tensor_and_the_totals(answer: Any, tiny: str) -> None:
    found = answer(tiny, "--params")
    embeddings = 50 * 16 + 64 * 16 + 2 * 16
    layer = 4 * (16 * 16 + 16) + 2 * 16 + 16 * 32 + 32 + 32 * 16 + 16 + 2 * 16
    assert found["total"] == found["trainable"] == embeddings + layer + 17
    assert found["tensors"] == len(found["parameters"]) == 22
    assert found["parameters"][-1] == {
        "name": "classifier.bias", "shape": [1], "dtype": "float32", "count": 1, "trainable": True
    }  # fmt: skip


def test_config_explains_every_field(answer: Any, tiny: str) -> None:
    rows = {row["name"]: row for row in answer(tiny, "--config")}
    assert rows["dim"].keys() == {"name", "value", "default", "group", "task_specific", "meaning"}
    assert (rows["dim"]["value"], rows["dim"]["default"], rows["dim"]["task_specific"]) == (16, 768, False)
    assert rows["num_labels"]["task_specific"]


def test_diff_of_a_preset_and_its_run_shows_the_changed_tensors(answer: Any, tiny: str, run_file: Path) -> None:
    rows = answer(tiny, "--diff", "last")
    assert rows[0] == {"name": HEAD, "relative_l2": pytest.approx(1.0), "cosine": pytest.approx(1.0)}
    assert {(row["relative_l2"], row["cosine"]) for row in rows[1:]} == {(0.0, 1.0)}
    assert answer("last", "--diff", "last@step-4")[0]["relative_l2"] == 0


def test_trace_has_one_row_per_module(answer: Any, tiny: str) -> None:
    rows = answer(tiny, "--trace")
    assert rows[0].keys() >= {"module", "shape", "mean", "std", "flops"}
    assert rows[-1]["module"] == "DistilBertClassifier"
    assert rows[-1]["shape"] == [8]
    assert sum(row["flops"] for row in rows) > 0


def test_several_views_answer_with_one_json_object(answer: Any, tiny: str) -> None:
    found = answer(tiny, "--classes", "--tensor", HEAD, "--nearest", "film", "--attention", "a warm film", "--head", 1)
    assert found.keys() == {"classes", "tensor", "nearest", "attention", "origins"}
    assert [one["name"] for one in found["classes"]][:2] == ["DistilBertModel", "DistilBertClassifier"]
    assert (found["tensor"]["shape"], found["tensor"]["nan"], len(found["tensor"]["first"])) == ([1, 16], 0, 8)
    assert len(found["nearest"]) == 12
    assert found["nearest"][0].keys() == {"token", "id", "cosine"}
    assert found["attention"]["tokens"] == ["a", "warm", "film"]
    assert [sum(row) for row in found["attention"]["matrix"]] == pytest.approx([1, 1, 1])


def test_every_view_prints_text(call: Call, tiny: str, run_file: Path) -> None:
    for arguments, parts in {
        ("--config",): ("architecture, task-agnostic", "dim", "16 (default 768)"),
        ("--classes",): ("DistilBertForMaskedLM", "shared", "[16, 64, 50]"),
        ("--params",): ("word_embeddings", "50x16", "float32"),
        ("--tensor", HEAD): ("quantiles", "histogram"),
        ("--nearest", "film"): ("cosine",),
        ("--diff", "last"): ("1 of 22 tensors differ", "100.000%", "head"),
        ("--trace",): ("embeddings.LayerNorm", "◀", "padding"),
        ("--attention", "a warm film"): ("mean of all heads", "warm"),
        (): ("word_embeddings",),
    }.items():
        code, out, err = call("model", tiny, *arguments)
        assert code == 0, err
        assert all(each in out for each in parts), (arguments, out)
        assert "tiny: weights" in err


def test_equal_models_are_reported_in_one_line(call: Call, tiny: str, run_file: Path) -> None:
    code, out, err = call("model", "last", "--diff", "last")
    assert code == 0, err
    assert " ".join(out.split()).endswith("0 of 22 tensors differ")  # and no table of nothing


def test_csv_has_one_line_per_parameter_tensor(call: Call, tiny: str) -> None:
    code, out, _ = call("model", tiny, "--params", "--csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 22
    assert rows[0]["shape"] == "50x16"
    assert "remove the other views" in refused(call("model", tiny, "--csv", "--json"))


def test_a_frozen_encoder_shows_in_text_and_counts(call: Call, tmp_path: Path, tiny: str, answer: Any) -> None:
    path = tmp_path / "own-presets" / "tiny.toml"
    path.write_text(path.read_text().replace("[data]", 'freeze = ["distilbert"]\n[data]'), encoding="utf-8")
    assert answer(tiny, "--params")["trainable"] == 17
    assert "17 trained" in call("model", tiny, "--params")[1]


def test_a_text_longer_than_the_model_is_truncated_with_a_note(call: Call, tiny: str) -> None:
    assert "truncated" not in call("model", tiny, "--attention", "film " * 64)[2]
    assert "truncated: 64 of 65 tokens are used" in call("model", tiny, "--attention", "film " * 65)[2]


def test_damaged_files_are_refused_in_one_line(call: Call, run_file: Path) -> None:
    def nan(state: dict[str, torch.Tensor]) -> None:
        state[HEAD][0, 3] = float("nan")

    change(run_file, nan)
    assert f"tensor {HEAD} has 1 of 16 values that are NaN" in refused(call("model", "last", "--trace"))
    assert call("model", "last", "--tensor", HEAD, "--json")[0] == 0
    run_file.write_bytes(run_file.read_bytes()[:99])
    assert "damaged or incomplete" in refused(call("model", "last", "--params"))


def test_unknown_names_are_refused_in_one_line(call: Call, tiny: str) -> None:
    assert "no run 'nothing'" in refused(call("model", "nothing"))
    assert "has no tensor 'x'" in refused(call("model", tiny, "--tensor", "x"))
    assert "no layer 3" in refused(call("model", tiny, "--attention", "film", "--layer", 3))
    assert "is not one token" in refused(call("model", tiny, "--nearest", "film joy"))
