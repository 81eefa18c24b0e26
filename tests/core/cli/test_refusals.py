"""Refused input: exit code 2, one line on stderr, and no run. The rules themselves are tested in their packages."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from core.cli import presets as command
from core.errors import InputError
from core.runs import writer as writer_module
from core.runs.directory import list_runs, runs_root
from core.runs.writer import RunWriter
from tests.core.support.commands import Call, refused, start


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("train.num_epochs", "has no value; write SECTION.FIELD=VALUE"),
        ("train.num_epochs=three", "must be a whole number"),
        ("train.learning_rat=1", "there is no field 'train.learning_rat'"),
        ("model.encoder.n_layers=0", "model.encoder.n_layers = 0 must be at least 1"),
        ("model.architecture=n_layers=2", "is now the table [model.encoder]"),
    ],
)
def test_an_invalid_assignment_is_refused_in_one_line(call: Call, tiny: str, assignment: str, message: str) -> None:
    assert message in refused(call("train", tiny, "--set", assignment))
    assert list_runs(runs_root()) == []


BAD_DATA: dict[str, tuple[str, bytes | None, str]] = {
    "missing": ("absent.csv", None, "file not found"),
    "bad label": ("label.csv", b"review,sentiment\nfine,maybe\n", "line 2: the label 'maybe' is not positive"),
}


@pytest.mark.parametrize("kind", BAD_DATA)
def test_invalid_data_is_refused_in_one_line_and_creates_no_run(
    call: Call, tiny: str, tmp_path: Path, kind: str
) -> None:
    name, content, message = BAD_DATA[kind]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    line = refused(call("train", tiny, "--data", tmp_path / name))
    assert message in line
    assert name in line
    assert list_runs(runs_root()) == []


def test_a_file_name_that_is_not_utf8_is_refused(call: Call, tiny: str) -> None:
    assert "rename the file" in refused(call("train", tiny, "--data", "caf\udce9.csv"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "absent"), "there is no preset 'absent'; available are quick"),
        (("train",), "there is nothing to train"),
        (("train", "tiny", "--resume", "last"), "exclude each other"),
        (("train", "tiny", "--add-epochs", "2"), "need --resume RUN"),
        (("train", "--resume", "last", "--set", "train.seed=1"), "--set needs a preset"),
        (("train", "--resume", "last", "--learning-rate", "2"), "at most 1"),
        (("train", "--resume", "absent"), "there is no run 'absent'"),
        (("steer", "absent", "pause"), "there is no run 'absent'"),
        (("train", "tiny", "--epochs", "3"), "No such option: --epochs"),
        (("fly",), "No such command 'fly'"),
        (("--fast",), "No such option: --fast"),
        (("tokenize", "x", "--max-length", "2"), "greater than or equal to 3"),
        (("tokenize", "x", "--checkpoint", __file__), "is a file; give its folder"),
        (("tokenize", "--decode", ""), "--decode is empty"),
        (("tokenize", "--vocab", " "), "--vocab is empty"),
        (("tokenize", "x", "--reviews", "5"), "--reviews needs --data"),
        (("tokenize", "x", "--padding-side", "left"), "--padding-side needs --batch"),
        (("tokenize", "--decode", "1" * 26), f"has no id {'1' * 26};"),
        (("model", "last@"), "last@ has no checkpoint after the @"),
        (("model", "tiny", "--layer", "1"), "--layer needs --attention"),
        (("model", "tiny", "--data", "hub"), "--data needs --trace"),
        (("runs", "--runs-dir", ""), "'--runs-dir': the path is empty"),
        (("train", "tiny", "--data", ""), "--data is empty"),
    ],
)
def test_bad_usage_is_refused_in_one_line(call: Call, tiny: str, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(call(*arguments))


def test_debug_works_before_and_after_the_command(call: Call) -> None:
    for arguments in (("--debug", "show", "absent"), ("show", "absent", "--debug")):
        code, out, err = call(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("Traceback")
        assert err.splitlines()[-1].startswith("imdb-tui: there is no run 'absent'")
    assert json.loads(call("tokenize", "--json", "--", "--debug")[1])["text"] == "--debug"


def test_a_full_disk_elsewhere_is_not_reported_as_stdout(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("core.cli.runs.list_runs", full)
    code, out, err = call("runs")
    assert (code, out) == (1, "")
    assert err == "imdb-tui: OSError: [Errno 28] No space left on device (run again with --debug for the traceback)\n"


def test_a_runs_directory_that_is_a_file_is_refused(call: Call, tiny: str, reviews_csv: Path) -> None:
    for arguments in (("runs",), ("train", tiny)):
        assert "--runs-dir" in refused(call(*arguments, "--runs-dir", reviews_csv))


def test_an_unknown_module_to_freeze_is_refused_once_and_leaves_no_run(call: Call, tiny: str) -> None:
    code, out, err = call("train", tiny, "--set", "model.freeze=bert")
    assert (code, out) == (2, "")
    assert err.count("no module or parameter is named") == 1
    assert err.splitlines()[-1].startswith("imdb-tui: model.freeze: no module")
    assert list_runs(runs_root()) == []


def test_a_failed_run_exits_with_1_and_shows_a_traceback_only_with_debug(
    call: Call, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import core.training.loop

    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(core.training.loop, "evaluate", broken)
    code, out, err = call("train", tiny, "--json")
    assert code == 1
    assert json.loads(out)["status"] == "failed"
    assert json.loads(out)["error"] == "RuntimeError: boom"
    assert err.splitlines()[-1] == "✗ failed: RuntimeError: boom"
    assert "Traceback" not in err
    assert "Traceback" in call("--debug", "train", tiny)[2]
    assert "Traceback" not in call("train", tiny)[2]


def test_an_error_of_a_command_is_one_line_and_a_traceback_only_with_debug(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(command, "list_presets", broken)
    assert call("presets") == (1, "", "imdb-tui: RuntimeError: boom (run again with --debug for the traceback)\n")
    code, _, err = call("--debug", "presets")
    assert code == 1
    assert "Traceback" in err


def test_control_characters_in_an_error_are_not_printed(call: Call) -> None:
    line = refused(call("show", "\x1b[2Jname"))
    assert "\x1b" not in line


def test_an_input_error_is_always_one_line() -> None:
    assert str(InputError("two\nlines   and spaces")) == "two lines and spaces"


def test_a_real_process_refuses_bad_input_with_2_and_one_line(tmp_path: Path) -> None:
    process = start(tmp_path, "train", "absent")
    out, err = process.communicate(timeout=60)
    refused((process.returncode, out, err))


def test_an_option_given_twice_is_refused_but_set_may_repeat(call: Call, tiny: str, tmp_path: Path) -> None:
    line = refused(call("train", tiny, "--data", tmp_path / "a.csv", "--data", tmp_path / "b.csv"))
    assert "--data is given 2 times" in line
    settings = ("--set", "train.batch_size=4", "--set", "train.num_epochs=three")
    assert "train.num_epochs" in refused(call("train", tiny, *settings))


@pytest.mark.parametrize("value", ["9" * 60, "9" * 400, "-" + "9" * 60, "9" * 5000])
@pytest.mark.parametrize(
    "name", ["train.batch_size", "train.save_steps", "train.probe_steps", "data.n_samples", "engine.threads"]
)
def test_a_whole_number_of_many_digits_is_refused_in_one_short_line(
    call: Call, tiny: str, name: str, value: str
) -> None:
    line = refused(call("train", tiny, "--set", f"{name}={value}"))
    assert name in line
    assert len(line) < 200


@pytest.mark.parametrize(
    "setting",
    ["engine.threads=1024", "train.adam_epsilon=1e-320", "train.learning_rate=1e-320", "train.save_seconds=1e300"],
)
def test_a_number_that_torch_cannot_use_is_refused(call: Call, tiny: str, setting: str) -> None:
    assert setting.split("=")[0] in refused(call("train", tiny, "--set", setting))


@pytest.mark.parametrize("epochs", ["9" * 60, "9" * 400, "1001"])
def test_adding_too_many_epochs_is_refused(call: Call, writer: RunWriter, tmp_path: Path, epochs: str) -> None:
    writer.close()
    assert "epochs" in refused(call("train", "--resume", "last", "--add-epochs", epochs, "--runs-dir", tmp_path))


@pytest.mark.parametrize("path", ["~nosuchuser/x.csv", "a" * 300])
@pytest.mark.parametrize(
    "command",
    [
        ("train", "tiny", "--data"),
        ("runs", "--runs-dir"),
        ("model",),
        ("train", "tiny", "--set", "data.corrections={}"),
        ("train", "tiny", "--set", "model.checkpoint={}"),
    ],
    ids=" ".join,
)
def test_a_path_that_no_file_can_have_is_refused(call: Call, tiny: str, command: tuple[str, ...], path: str) -> None:
    filled = [part.replace("{}", path) for part in command]
    refused(call(*filled, *([] if any("{}" in part for part in command) else [path])))


def test_a_refused_run_prints_no_progress_before_its_one_line(call: Call, tiny: str, tmp_path: Path) -> None:
    line = refused(call("train", tiny, "--set", f"model.checkpoint={tmp_path}"))
    assert "tokenizer" in line


def test_a_run_on_a_disk_that_cannot_be_written_is_refused(
    call: Call, writer: RunWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    writer.close()
    monkeypatch.setattr(writer_module, "write_text_atomically", read_only)
    line = refused(call("train", "--resume", "last", "--runs-dir", tmp_path))
    assert "cannot be written (Read-only file system)" in line
