"""Training in several processes under torchrun: the gradients and metrics of one process, and one end of the run."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.config.schema import RunConfig
from core.config.toml_file import to_toml
from core.runs.directory import Run, list_runs
from core.runs.events import RunStarted, StepLogged
from core.runs.reader import read_events
from tests.core.support.training import configured, run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    """Six batches of five and one of a single review: some ranks get fewer than others, or none."""
    return configured(config, data__test_size=9 / 40, train__batch_size=5, train__num_epochs=2)


@contextlib.contextmanager
def torchrun(
    config: RunConfig, tmp_path: Path, *arguments: object, n: int = 2, restarts: int = 0
) -> Iterator[subprocess.Popen[str]]:
    presets = tmp_path / "own-presets"
    presets.mkdir(exist_ok=True)
    (presets / "two.toml").write_text(to_toml(config).replace('preset = "tiny"', 'preset = "two"'), encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
    command += [f"--nproc-per-node={n}", f"--max-restarts={restarts}", "-m", "core", "train"]
    own = {"IMDB_TUI_PRESETS": str(presets), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    process = subprocess.Popen(
        [*command, *map(str, arguments), "--runs-dir", str(tmp_path / "runs"), "--json"],
        env={**os.environ, **own},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def the_run(tmp_path: Path) -> Run:
    (found,) = list_runs(tmp_path / "runs")
    return found


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_two_ranks_compute_what_one_process_computes_and_three_ranks_can_resume_the_run(
    config: RunConfig, tmp_path: Path
) -> None:
    alone, _ = run(config, tmp_path / "alone")
    with torchrun(config, tmp_path, "two") as process:
        out, err = process.communicate(timeout=110)
    assert process.returncode == 0, err
    answer = json.loads(out)
    two, one = the_run(tmp_path).state(), alone.state()
    assert (answer["status"], answer["run"]) == ("completed", two.run)
    assert two.started is not None
    assert two.started.world_size == 2
    for name, curve in one.curves.items():
        assert two.curves[name].steps == curve.steps
        assert two.curves[name].values == pytest.approx(curve.values, abs=2e-6), name
    steps = [e for e in read_events(the_run(tmp_path)) if isinstance(e, StepLogged)]
    expected = [e for e in read_events(alone) if isinstance(e, StepLogged)]
    assert [e.grad_norm for e in steps] == pytest.approx([e.grad_norm for e in expected], rel=1e-5)
    assert [(e.examples, e.tokens) for e in steps] == [(e.examples, e.tokens) for e in expected]
    for part in ("train", "validation"):
        pairs = zip(the_run(tmp_path).predictions(2, part), alone.predictions(2, part), strict=True)
        assert all(a[:2] == b[:2] and a[2] == pytest.approx(b[2], abs=1e-5) for a, b in pairs)

    with torchrun(config, tmp_path, "--resume", "last", "--add-epochs", 1, n=3) as process:
        out, err = process.communicate(timeout=110)
    assert process.returncode == 0, err
    state = the_run(tmp_path).state()
    assert (state.status, len(state.epochs), state.step) == ("completed", 3, 21)
    assert state.started is not None
    assert (state.started.world_size, state.started.inexact) == (3, "world_size 2 → 3")


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_one_sigterm_stops_all_ranks_at_the_same_step_and_saves_a_checkpoint(config: RunConfig, tmp_path: Path) -> None:
    with torchrun(configured(config, train__num_epochs=500), tmp_path, "two") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch 2:" in line:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=110)
    assert process.returncode != 0
    state = the_run(tmp_path).state()
    assert state.finished is not None
    assert (state.status, state.finished.reason) == ("stopped", "signal SIGTERM")
    assert (the_run(tmp_path).path / "checkpoints" / f"step-{state.step}" / "manifest.json").is_file()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_torchrun_restarts_all_ranks_from_the_last_checkpoint_when_one_is_killed(
    config: RunConfig, tmp_path: Path
) -> None:
    config = configured(config, train__num_epochs=40, train__save_steps=1)
    alone, _ = run(config, tmp_path / "alone")
    with torchrun(config, tmp_path, "two", restarts=1) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "saved checkpoints/step-" in line:
                saved = int(line.rpartition("step-")[2])
                if saved >= 8:
                    break
        ranks = [p for p in psutil.Process(process.pid).children() if "core" in p.cmdline()]
        second = next(p for p in ranks if p.environ().get("RANK") == "1")
        second.kill()
        _, err = process.communicate(timeout=110)
    assert process.returncode == 0, err
    events = read_events(the_run(tmp_path))
    starts = [event.step for event in events if isinstance(event, RunStarted)]
    assert len(starts) == 2
    assert starts[1] >= saved
    state = the_run(tmp_path).state()
    assert state.status == "completed"
    assert state.curves["train/loss"].values == pytest.approx(alone.state().curves["train/loss"].values, abs=1e-3)
