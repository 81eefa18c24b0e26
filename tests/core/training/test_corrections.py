"""Runs with corrected labels: what is trained and validated on, resumed, and read again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.analysis.predictions import validation_predictions
from core.analysis.run_reviews import reviews_of_run
from core.config.schema import RunConfig
from core.data.corrections import Correction, Decision, add_corrections, correction
from core.data.reviews import read_reviews
from core.errors import InputError
from core.runs.directory import APPLIED_CORRECTIONS, Run, list_runs
from core.runs.events import RunStarted, StepLogged, Warned
from tests.core.support.commands import Call, refused
from tests.core.support.resuming import assert_same, resumed, stateful
from tests.core.support.training import configured, on_step, run


def decide(config: RunConfig, path: Path, decisions: dict[int, Decision]) -> list[Correction]:
    source = Path(config.data.source)
    reviews = read_reviews(source)
    return add_corrections(path, [correction(reviews, row, one, "") for row, one in decisions.items()])


def plain_split(config: RunConfig, root: Path) -> Run:
    return run(configured(config, train__num_epochs=1), root)[0]


@pytest.fixture
def plain(config: RunConfig, tmp_path: Path) -> Run:
    return plain_split(config, tmp_path / "plain")


def test_corrected_labels_are_trained_and_validated_on_and_dropped_reviews_are_not(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    before, path = reviews_of_run(plain), tmp_path / "c.csv"
    flip, drop, dropped_training = before.validation[0], before.validation[1], before.train[2]
    decide(config, path, {flip: "flip", drop: "drop", dropped_training: "drop", before.validation[2]: "keep"})
    done, recorder = run(configured(config, data__corrections=str(path), train__num_epochs=1), tmp_path / "runs")

    (started,) = recorder.of(RunStarted)
    assert (started.train_examples, started.validation_examples) == (31, 7)
    assert started.origins["reviews"]["corrections"].items() >= {"flipped": 1, "dropped": 2, "not_found": 0}.items()
    text = "c.csv: 1 label flipped, 2 reviews dropped; some were made for another file with the same texts"
    assert text in [event.message for event in recorder.of(Warned)]
    predictions, others = validation_predictions(done), validation_predictions(plain)
    assert predictions.ids.tolist() == [i for i in before.validation if i != drop]
    label_of = dict(zip(others.ids.tolist(), others.labels.tolist(), strict=True))
    assert [i for i, label in zip(predictions.ids, predictions.labels, strict=True) if label_of[i] != label] == [flip]


def test_the_reviews_of_a_corrected_run_are_read_as_it_trained_on_them(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    before, path = reviews_of_run(plain), tmp_path / "c.csv"
    decide(config, path, {before.validation[0]: "flip", before.train[0]: "drop"})
    done, _ = run(configured(config, data__corrections=str(path), train__num_epochs=1), tmp_path / "runs")
    path.unlink()  # the run stored what it applied
    found = reviews_of_run(done)
    assert (found.validation, found.train) == (before.validation, before.train[1:])
    assert before.train[0] not in found.rest
    predictions = validation_predictions(done)
    assert [found.reviews[i].label for i in predictions.ids] == predictions.labels.tolist()


def test_a_corrected_run_resumes_bit_identically_without_the_original_file(config: RunConfig, tmp_path: Path) -> None:
    config = stateful(configured(config, train__num_epochs=2))
    path = tmp_path / "c.csv"
    decide(config, path, {i: "flip" if i % 2 else "drop" for i in range(4)})
    config = configured(config, data__corrections=str(path))
    whole, _ = run(config, tmp_path / "whole")
    broken, _ = run(config, tmp_path / "broken", on_step(3, lambda control: control.stop("enough")))
    path.write_text("replaced by something else", encoding="utf-8")
    moved = shutil.move(broken.path, tmp_path / "moved")
    recorder = resumed(Run(Path(moved)))
    assert recorder.of(StepLogged)[0].step == 4
    assert_same(Run(Path(moved)), whole)


def test_stored_corrections_that_were_changed_or_removed_refuse_a_resume(config: RunConfig, tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    decide(config, path, {1: "flip"})
    config = configured(config, data__corrections=str(path))
    done, _ = run(config, tmp_path / "runs", on_step(3, lambda control: control.stop("enough")))
    decide(config, done.path / APPLIED_CORRECTIONS, {2: "flip"})
    with pytest.raises(InputError, match=r"applied-corrections\.csv was changed after the run started"):
        resumed(done)
    (done.path / APPLIED_CORRECTIONS).unlink()
    with pytest.raises(InputError, match="file of corrections not found"):
        resumed(done)


def test_the_path_of_the_corrections_is_stored_absolute(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(config, tmp_path / "c.csv", {1: "flip"})
    monkeypatch.chdir(tmp_path)
    done, _ = run(configured(config, data__corrections="c.csv", train__num_epochs=1), tmp_path / "runs")
    assert done.config().data.corrections == str(tmp_path / "c.csv")


def test_corrections_of_other_reviews_are_refused_and_leave_no_run(config: RunConfig, tmp_path: Path) -> None:
    decide(config, tmp_path / "c.csv", {1: "flip"})
    other = tmp_path / "other.csv"
    text = Path(config.data.source).read_text(encoding="utf-8").replace("film", "show")
    other.write_text(text, encoding="utf-8")
    config = configured(config, data__source=str(other), data__corrections=str(tmp_path / "c.csv"))
    with pytest.raises(InputError, match="none of its 1 correction belongs to these reviews"):
        run(config, tmp_path / "runs")
    assert list_runs(tmp_path / "runs") == []


def test_the_command_refuses_missing_corrections_and_replays_a_run_with_its_own(
    call: Call, tiny: str, config: RunConfig, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    assert "file of corrections not found" in refused(call("train", tiny, "--set", f"data.corrections={path}"))
    decide(config, path, {1: "flip", 2: "drop"})
    code, out, err = call("train", tiny, "--set", f"data.corrections={path}", "--json")
    assert code == 0
    assert "c.csv: 1 label flipped, 1 review dropped" in err
    first = json.loads(out)
    path.unlink()
    code, out, _ = call("train", "--replay", "last", "--json")
    assert code == 0
    again = json.loads(out)
    assert [epoch["val_loss"] for epoch in again["epochs"]] == [epoch["val_loss"] for epoch in first["epochs"]]
    assert again["origins"]["reviews"]["corrections"]["sha256"] == first["origins"]["reviews"]["corrections"]["sha256"]
    assert "c.csv: 1 flipped, 1 dropped" in call("show", first["run"])[1]
