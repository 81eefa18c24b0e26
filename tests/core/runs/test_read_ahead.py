"""A run read by another process: the same state, and nothing lost where that process comes to nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.runs.directory import Run
from core.runs.events import to_line
from core.runs.read_ahead import ReadAhead
from tests.core.support.events_of import control, epoch, finished, started, step

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork, so no run is read ahead")


def write(path: Path, steps: int) -> Run:
    """A run of two epochs with what else may stand among its steps, and a line that is no event."""
    path.mkdir()
    half = [step(i, elapsed=0.1 * i, loss=1 / i, lr=5e-6, examples=i % 16 + 1) for i in range(1, steps // 2 + 1)]
    rest = [step(i, elapsed=0.1 * i, loss=1 / i, lr=1e-6, examples=i % 16 + 1) for i in range(steps // 2 + 1, steps)]
    events = [started(), *half, epoch(1, at=steps // 2), control("pause", at=steps // 2), *rest]
    lines = [to_line(event) for event in events]
    (path / "events.jsonl").write_text("\n".join([*lines[:40], "no event", *lines[40:]]) + "\n", encoding="utf-8")
    return Run(path)


@pytest.mark.parametrize("steps", [30, 3000])
def test_the_state_is_the_one_that_is_read_here_and_the_reader_goes_on_from_there(tmp_path: Path, steps: int) -> None:
    run = write(tmp_path / "20261124-090000-quick", steps)
    ahead = ReadAhead(run)
    taken = ahead.take()
    assert taken is not None
    reader, state = taken
    assert reader.skipped == 1
    state.skipped_lines, state.status = reader.skipped, run.status(state)
    assert state == run.state()
    assert reader.read() == []
    with run.events_path.open("a", encoding="utf-8") as file:
        file.write(to_line(finished()) + "\n")
    assert reader.read() == [finished()]
    assert ahead.take() is None


def test_a_run_of_megabytes_comes_through_the_pipe_whole(tmp_path: Path) -> None:
    """In an interpreter of its own, as the console's: pyarrow's threads do not outlive a fork."""
    run = write(tmp_path / "20261124-090000-quick", 90_000)
    code = f"""
from pathlib import Path
from core.runs.read_ahead import ReadAhead
from core.runs.directory import Run
run = Run(Path({str(run.path)!r}))
reader, state = ReadAhead(run).take()
state.skipped_lines, state.status = reader.skipped, run.status(state)
assert run.events_path.stat().st_size > 16_000_000
assert len(state.curves["train/loss"].steps) == 89_999
assert state == run.state()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_that_is_killed_leaves_the_run_to_be_read_here(tmp_path: Path) -> None:
    run = write(tmp_path / "20261124-090000-quick", 30_000)  # more than a pipe holds, so it waits
    ahead = ReadAhead(run)
    os.kill(ahead._child, signal.SIGKILL)
    assert ahead.take() is None
    assert run.state().step == 29_999


def test_a_console_that_is_left_leaves_no_process_behind(tmp_path: Path) -> None:
    run = write(tmp_path / "20261124-090000-quick", 30_000)  # more than a pipe holds, so it waits
    ahead = ReadAhead(run)
    os.close(ahead._pipe)  # what the system does with all that an ended process had open
    end = time.monotonic() + 30
    while os.waitpid(ahead._child, os.WNOHANG) == (0, 0):
        assert time.monotonic() < end, "the other process waits for a reader that is gone"
        time.sleep(0.02)


def test_without_a_run_there_is_an_empty_state(tmp_path: Path) -> None:
    taken = ReadAhead(Run(tmp_path / "20261124-090000-none")).take()
    assert taken is not None
    assert taken[1].step == 0


def test_where_no_process_may_be_made_the_run_is_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise OSError("no more processes")

    run = write(tmp_path / "20261124-090000-quick", 30)
    monkeypatch.setattr(os, "fork", refused)
    assert ReadAhead(run).take() is None
    monkeypatch.delattr(os, "fork")
    assert ReadAhead(run).take() is None
