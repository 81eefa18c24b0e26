"""The status of a run: live while the process that owns it runs, on this host or another."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import ELSEWHERE_LIVE_S, Run, list_runs
from core.runs.state import fold
from core.runs.writer import RunWriter, create_run
from tests.core.support.events_of import control, finished, started, whole_run

BEGAN = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)


def new_run(root: Path) -> RunWriter:
    return create_run(root, RunConfig(preset="tiny"), now=lambda: BEGAN)


def owned_by(run: Run, **changes: Any) -> None:
    """Remove the lock, as on a file system without locks, so that only the owner file counts."""
    (run.path / ".lock").unlink(missing_ok=True)
    owner = {"pid": os.getpid(), "process_started": psutil.Process().create_time(), "host": socket.gethostname()}
    (run.path / "owner.json").write_text(json.dumps(owner | changes), encoding="utf-8")


def test_a_run_of_this_process_is_live_until_it_is_closed(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    assert writer.run.state().status == "starting"
    writer.append(started())
    assert writer.run.state().status == "running"
    writer.append(control("pause"))
    assert writer.run.state().status == "paused"
    writer.close()
    assert not writer.run.is_live()
    assert writer.run.state().status == "interrupted"


def test_an_ended_run_has_its_status_while_its_process_still_runs(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.append(started())
    writer.append(finished("stopped", at=0))
    assert writer.run.state().status == "stopped"
    writer.close()
    assert writer.run.state().status == "stopped"


def test_a_run_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    writer = new_run(tmp_path)
    writer.append(started())
    owned_by(writer.run, pid=int(gone.stdout))
    assert writer.run.state().status == "interrupted"
    writer.close()


def test_a_zombie_process_does_not_own_a_run(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owned_by(writer.run, pid=process.pid, process_started=psutil.Process(process.pid).create_time())
        assert writer.run.is_live()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert writer.run.state().status == "interrupted"
    writer.close()


def test_a_later_process_with_the_same_pid_is_not_the_owner(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    owned_by(writer.run, process_started=psutil.Process().create_time() - 100)
    assert writer.run.state().status == "interrupted"
    writer.close()


@pytest.mark.parametrize(
    "content", ["", "{", "null", "[]", "{}", '{"host": 1, "pid": "x"}', "\0", '{"pid": -1, "host": "%s"}']
)
def test_a_damaged_owner_file_names_no_owner(tmp_path: Path, content: str) -> None:
    writer = new_run(tmp_path)
    writer.append(started())
    os.utime(writer.run.events_path, (0, 0))
    owned_by(writer.run)
    (writer.path / "owner.json").write_text(content.replace("%s", socket.gethostname()), encoding="utf-8")
    assert writer.run.state().status == "interrupted"
    writer.close()


@pytest.mark.parametrize("pid", [-1, 0.5, "1", 10**30, [1]])
def test_an_invalid_pid_names_no_owner(tmp_path: Path, pid: Any) -> None:
    writer = new_run(tmp_path)
    owned_by(writer.run, pid=pid)
    assert not writer.run.is_live()
    writer.close()


def test_a_locked_run_is_live_whatever_its_owner_file_contains(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    owner = {"pid": 1, "process_started": 0.0, "host": socket.gethostname()}
    (writer.path / "owner.json").write_text(json.dumps(owner), encoding="utf-8")
    assert writer.run.is_live()
    writer.close()
    (writer.path / "owner.json").write_text(json.dumps(owner | {"pid": os.getpid()}), encoding="utf-8")
    assert not writer.run.is_live()


def test_a_second_writer_of_a_run_is_refused_with_the_owner_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunWriter, "LOCK_PATIENCE_S", 0.05)
    writer = new_run(tmp_path)
    writer.append(started())
    with pytest.raises(InputError, match=rf"written by process {os.getpid()} on {socket.gethostname()}; stop that one"):
        RunWriter(writer.path)
    writer.append(control("pause"))
    assert writer.run.state().status == "paused"
    writer.close()
    RunWriter(writer.path).close()


def test_a_new_writer_starts_a_new_line_after_a_torn_one(tmp_path: Path) -> None:
    writer = new_run(tmp_path)
    writer.append(started())
    writer.close()
    with writer.run.events_path.open("ab") as file:
        file.write(b'{"event": "step", "ti')
    again = RunWriter(writer.path)
    again.append(finished("stopped", at=0))
    again.close()
    state = again.run.state()
    assert (state.status, state.skipped_lines, state.started) == ("stopped", 1, started())


@pytest.mark.parametrize(("age", "status"), [(0.0, "running"), (ELSEWHERE_LIVE_S + 60, "interrupted")])
def test_a_run_on_another_host_is_live_while_its_events_are_recent(tmp_path: Path, age: float, status: str) -> None:
    writer = new_run(tmp_path)
    writer.append(started())
    owned_by(writer.run, host="elsewhere", pid=1, process_started=0.0)
    written = datetime.now().timestamp() - age
    os.utime(writer.run.events_path, (written, written))
    assert writer.run.state().status == status
    writer.close()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.writer import create_run
from tests.core.support.events_of import whole_run
sys.stdin.readline()
writer = create_run(Path(sys.argv[1]), RunConfig(), now=lambda: datetime(2026, 11, 24, 9, tzinfo=UTC))
for event in whole_run(epochs=10, steps=20):
    writer.append(event)
print(writer.run.name, flush=True)
sys.stdin.readline()
writer.close()
"""


def test_two_processes_can_create_runs_in_the_same_directory_at_the_same_time(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    consoles = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for _ in range(2)
    ]
    try:
        for console in consoles:
            assert console.stdin is not None
            console.stdin.write("go\n")
        names = {console.stdout.readline().strip() for console in consoles if console.stdout is not None}
        assert names == {"20261124-090000-custom", "20261124-090000-custom-2"}
        assert {run.name for run in list_runs(tmp_path)} == names
        assert all(run.is_live() for run in list_runs(tmp_path))
    finally:
        for console in consoles:
            console.communicate("end\n", timeout=30)
    expected = fold(whole_run(epochs=10, steps=20))
    for run in list_runs(tmp_path):
        assert run.state() == expected
        assert not run.is_live()
