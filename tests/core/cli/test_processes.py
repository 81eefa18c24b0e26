"""Commands in processes of their own: signals, closed pipes, a killed run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.stop_signals import stop_on_signals
from core.runs.directory import Run, list_runs, runs_root
from core.training.control import Control
from tests.core.support.commands import Call, environment, refused, start
from tests.core.support.tiny import write_preset


def test_a_second_interrupt_exits_at_once_with_130(call: Call, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import core.training.loop

    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(core.training.loop, "evaluate", interrupted)
    assert call("train", tiny)[0] == 130
    assert [run.state().status for run in list_runs(runs_root())] == ["stopped"]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_hangup_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        restore = stop_on_signals(Control())
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        restore()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Long runs in processes of their own, one for each signal, after their first epoch."""
    place = tmp_path_factory.mktemp("trainings")
    source = place / "reviews.csv"
    rows = [f"film {i} was {'good' if i % 2 else 'bad'},{'positive' if i % 2 else 'negative'}" for i in range(40)]
    source.write_text("review,sentiment\n" + "\n".join(rows) + "\n", encoding="utf-8")
    write_preset(place / "own-presets", source=source, checkpoint=folder, epochs=1000)
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    processes = {name: start(place, "train", "tiny", "--json", "--runs-dir", place / name) for name in names}
    for process in processes.values():
        assert process.stderr is not None
        assert any("epoch 1:" in line for line in process.stderr)
    yield processes
    for process in processes.values():
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def run_of(process: subprocess.Popen[str]) -> Run:
    arguments = process.args
    assert isinstance(arguments, list)
    (run,) = list_runs(Path(arguments[-1]))
    return run


def require_stopped_and_whole(process: subprocess.Popen[str], out: str) -> None:
    from core.checkpoints.format import load_weights

    assert process.returncode == 130
    answer = json.loads(out)
    run = run_of(process)
    state = run.state()
    assert (state.status, answer["status"], state.skipped_lines) == ("stopped", "stopped", 0)
    assert state.step == answer["steps"] >= 4
    names = {path.name for path in run.path.iterdir()}
    assert names == {".lock", "checkpoints", "config.toml", "environment.json", "events.jsonl", "model", "predictions"}
    load_weights(run.path / "checkpoints" / f"step-{state.step}")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_signal_stops_a_run_after_its_step_and_leaves_it_complete(
    trainings: dict[str, subprocess.Popen[str]], name: str
) -> None:
    process = trainings[name]
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=60)
    assert err.splitlines()[-1] == f"■ stopped: signal {name}"
    require_stopped_and_whole(process, out)


WRITER = """
import sys, time
from pathlib import Path
from core.config.schema import RunConfig
from core.runs.events import EpochFinished
from core.runs.writer import create_run
writer = create_run(Path(sys.argv[1]), RunConfig())
writer.append(EpochFinished(time=0.0, elapsed=1.0, epoch=1, step=4, train_loss=0.7, train_accuracy=0.5,
                            val_loss=0.6, val_accuracy=0.75, seconds=1.0))
print("written", flush=True)
sys.stdin.read()
"""


def test_a_run_is_live_until_its_process_is_killed_and_then_interrupted(call: Call, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        (live,) = json.loads(call("runs", "--json", "--runs-dir", tmp_path)[1])
        process.kill()
    (dead,) = json.loads(call("runs", "--json", "--runs-dir", tmp_path)[1])
    assert live["status"] == "starting"
    assert dead["status"] == "interrupted"
    assert [epoch["val_accuracy"] for epoch in dead["epochs"]] == [0.75]


@pytest.mark.slow
def test_a_run_with_a_closed_stderr_trains_until_sigterm_stops_it(
    trainings: dict[str, subprocess.Popen[str]],
) -> None:
    process = trainings["SIGTERM"]
    assert process.stderr is not None
    run = run_of(process)
    process.stderr.close()
    process.stderr = None
    before = len(run.state().epochs)
    while len(run.state().epochs) < before + 3:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    require_stopped_and_whole(process, process.communicate(timeout=60)[0])


def test_a_closed_pipe_on_stdout_is_not_an_error(tmp_path: Path) -> None:
    for arguments in (("presets",), ("presets", "--json")):
        process = start(tmp_path, *arguments)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        assert (process.wait(), err) == (0, "")
        process.stderr.close()


def answer_of(line: str, tmp_path: Path) -> tuple[int, str, str]:
    """Run a shell command; return exit code, stdout and stderr."""
    done = subprocess.run(["sh", "-c", line], env=environment(tmp_path), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
def test_a_full_disk_behind_stdout_is_reported_in_one_line(tmp_path: Path) -> None:
    answer = answer_of(f"exec {sys.executable} -m core presets >/dev/full", tmp_path)
    assert "cannot write to stdout (No space left on device)" in refused(answer)


@pytest.mark.parametrize(("options", "message"), [("", "no text given"), ("--decode -", "stdin is closed")])
def test_a_closed_stdin_is_reported_in_one_line(tmp_path: Path, options: str, message: str) -> None:
    answer = answer_of(f"exec {sys.executable} -m core tokenize {options} <&-", tmp_path)
    assert message in refused(answer)


def test_a_closed_stdout_is_not_an_error(tmp_path: Path) -> None:
    assert answer_of(f"exec {sys.executable} -m core presets --json >&-", tmp_path) == (0, "", "")
