"""The command ``labels``: the list of suspects, and decisions that the next run applies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.config.schema import RunConfig
from core.data.corrections import read_corrections
from core.runs.directory import CORRECTIONS, Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run

WRONG = 7


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    """A run whose source has a wrong label in row 7."""
    source = Path(config.data.source)
    lines = source.read_text(encoding="utf-8").splitlines()
    lines[WRONG + 1] = lines[WRONG + 1].replace("positive", "negative")
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run(configured(config, train__num_epochs=1), tmp_path / "default-runs")[0]


def test_suspects_are_listed_with_what_was_decided(call: Call, done: Run) -> None:
    code, out, err = call("labels", "last", "--json")
    assert code == 0
    rows = {row["id"]: row for row in json.loads(out)}
    assert "cross-validating a bag of words: 5 of 5" in err
    assert (rows[WRONG]["label"], rows[WRONG]["suggested"], rows[WRONG]["decision"]) == ("negative", "positive", None)
    assert rows[WRONG]["score"] == pytest.approx(1 - rows[WRONG]["probability"])
    assert "joy" in rows[WRONG]["text"]
    call("labels", "last", "--set", f"{WRONG}=flip")
    again = {row["id"]: row for row in json.loads(call("labels", "last", "--json")[1])}
    assert again[WRONG]["decision"] == "flip"
    table = call("labels", "last")[1]
    assert table.splitlines()[0].split() == ["id", "label", "positive", "predicted", "by", "decision", "text"]
    assert any(line.split()[:2] == [str(WRONG), "negative"] and "flip" in line for line in table.splitlines())
    only = json.loads(call("labels", "last", "--no-training", "--json")[1])
    assert {row["predicted_by"] for row in only} <= {"validation"}


def test_decisions_are_written_counted_and_applied_by_the_next_run(call: Call, tiny: str, done: Run) -> None:
    code, out, err = call("labels", "last", "--set", "7=flip", "--set", "8=drop", "--set", "9=keep", "--json")
    assert code == 0
    path = done.path / CORRECTIONS
    assert json.loads(out) == {"corrections": str(path), "keep": 1, "flip": 1, "drop": 1}
    assert f"--set data.corrections={path}" in err
    assert {one.id: one.decision for one in read_corrections(path)} == {7: "flip", 8: "drop", 9: "keep"}
    source = done.config().data.source
    code, _, err = call("train", tiny, "--data", source, "--set", f"data.corrections={path}")
    assert code == 0
    assert "corrections.csv: 1 label flipped, 1 review dropped" in err


@pytest.mark.parametrize("decision", ["7", "7=", "7=flop", "x=flip", "-1=flip", "²=flip", "=flip", "9" * 30 + "=flip"])
def test_a_decision_that_cannot_be_understood_is_refused(call: Call, done: Run, decision: str) -> None:
    assert "is not a decision; write for example 17=keep" in refused(call("labels", "last", f"--set={decision}"))


def test_a_review_that_does_not_exist_and_a_damaged_file_are_refused(call: Call, done: Run) -> None:
    assert "there is no review 40" in refused(call("labels", "last", "--set", "40=flip"))
    (done.path / CORRECTIONS).write_text("id,decision\n", encoding="utf-8")
    assert "first line must name the columns" in refused(call("labels", "last", "--set", "4=flip"))
    assert "first line must name the columns" in refused(call("labels", "last"))
