"""Requests to a run from another process, and following its events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.events import ControlReceived, Event, StepLogged
from core.runs.writer import RunWriter
from core.training import requests as requests_module
from core.training.control import Change, Control, Ending
from core.training.requests import REQUESTS, RemoteControl, Requests, ask
from tests.core.support.commands import Call, refused
from tests.core.support.events_of import finished
from tests.core.support.training import run


def deliver(writer: RunWriter) -> Control:
    control = Control()
    Requests(writer.path / REQUESTS).deliver(control)
    return control


def test_requests_reach_the_control_once_and_in_order(writer: RunWriter) -> None:
    remote = RemoteControl(writer.run)
    remote.change(Change("learning_rate", 1e-4))
    remote.change(Change("add_epochs", 2))
    remote.pause()
    control = deliver(writer)
    assert [(change.action, change.value) for change in control.take_changes(0)] == [
        ("learning_rate", 1e-4),
        ("add_epochs", 2),
    ]
    assert control.pause_requested
    again = deliver(writer)
    assert (again.take_changes(0), again.pause_requested) == ([], False)


@pytest.mark.parametrize("ending", [Ending.FINISH_EPOCH, Ending.STOP, Ending.DISCARD])
def test_every_ending_can_be_requested_by_another_process(writer: RunWriter, ending: Ending) -> None:
    ask(writer.run, ending.name.lower())
    control = deliver(writer)
    assert control.ending is ending
    assert control.reason.startswith("requested by process ")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"action": "explode", "from": "x"}', '{"action": "add_epochs", "from": 1}']
)
def test_an_invalid_request_file_is_skipped(writer: RunWriter, content: str) -> None:
    folder = writer.path / REQUESTS
    folder.mkdir()
    (folder / "1.json").write_text(content, encoding="utf-8")
    ask(writer.run, "stop")
    assert deliver(writer).ending is Ending.STOP


def test_a_request_to_a_run_that_no_process_trains_is_refused(writer: RunWriter) -> None:
    writer.close()
    with pytest.raises(InputError, match="is not live: no process trains it"):
        ask(writer.run, "stop")
    assert not (writer.path / REQUESTS).exists()


@pytest.mark.parametrize(
    ("action", "value", "message"),
    [
        ("explode", None, "unknown action"),
        ("add_epochs", None, "add_epochs needs a value"),
        ("add_epochs", 0.5, "1 to 1000"),
        ("pause", 5, "pause takes no value"),
    ],
)
def test_an_invalid_request_is_refused(writer: RunWriter, action: str, value: float | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ask(writer.run, action, value)


def test_a_request_to_an_earlier_process_does_not_stop_the_resumed_run(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.training.resume import resume

    monkeypatch.setattr(Requests, "EVERY_S", 0.0)

    def ask_late(event: Event, _: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 2:
            (made,) = tmp_path.glob("*-tiny")
            ask(requests_module.Run(made), "stop")
        if isinstance(event, ControlReceived):
            (made,) = tmp_path.glob("*-tiny")
            ask(requests_module.Run(made), "stop")

    done, recorder = run(config, tmp_path, ask_late)
    assert (recorder.end.status, recorder.end.step) == ("stopped", 2)
    assert len(list((done.path / REQUESTS).iterdir())) == 1
    resume(done, Control(), lambda _: None)
    assert done.state().status == "completed"


def test_another_process_can_change_the_learning_rate_of_a_paused_run_and_resume_it(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Requests, "EVERY_S", 0.0)
    monkeypatch.setattr(Control, "POLL_S", 0.01)

    def act(event: Event, control: Control) -> None:
        (made,) = tmp_path.glob("*-tiny")
        if isinstance(event, StepLogged) and event.step == 3:
            control.pause()
        if isinstance(event, ControlReceived) and event.action == "pause":
            ask(requests_module.Run(made), "learning_rate", 1e-4)
        if isinstance(event, ControlReceived) and event.action == "learning_rate":
            ask(requests_module.Run(made), "resume")

    _, recorder = run(config, tmp_path, act)
    assert [event.action for event in recorder.of(ControlReceived)] == ["pause", "learning_rate", "resume"]
    assert recorder.of(StepLogged)[3].lr == 1e-4
    assert recorder.end.status == "completed"


# The commands


def test_steer_sends_a_request_to_a_live_run_and_refuses_a_finished_one(
    call: Call, writer: RunWriter, tmp_path: Path
) -> None:
    code, out, err = call("steer", "last", "learning_rate", "0.0002", "--runs-dir", tmp_path)
    assert (code, out) == (0, "")
    assert "learning_rate 0.0002" in err
    assert deliver(writer).take_changes(0)[0].value == 2e-4
    assert "unknown action 'fly'" in refused(call("steer", "last", "fly", "--runs-dir", tmp_path))
    writer.append(finished("completed"))
    writer.close()
    assert "is not live" in refused(call("steer", "last", "stop", "--runs-dir", tmp_path))


def test_the_command_line_resumes_adds_epochs_and_replays(call: Call, tiny: str, tmp_path: Path) -> None:
    def answer(*arguments: Any) -> dict[str, Any]:
        code, out, _ = call("train", *arguments, "--json", "--runs-dir", tmp_path / "runs")
        assert code == 0
        content: dict[str, Any] = json.loads(out)
        return content

    first = answer(tiny)
    assert "is completed; --add-epochs N" in refused(call("train", "--resume", "last", "--runs-dir", tmp_path / "runs"))
    longer = answer("--resume", first["run"], "--add-epochs", 1, "--learning-rate", "0.002")
    assert (longer["run"], longer["steps"], len(longer["epochs"])) == (first["run"], 12, 3)
    again = answer("--replay", first["run"])
    assert again["run"] != first["run"]
    same = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
    assert [[e[name] for name in same] for e in again["epochs"]] == [
        [e[name] for name in same] for e in longer["epochs"]
    ]
