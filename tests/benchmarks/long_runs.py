"""Runs of many steps, in memory and on disk, for the benchmarks of the console."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.config.schema import RunConfig
from core.config.toml_file import to_toml
from core.runs.directory import Run
from core.runs.events import EpochFinished, RunFinished, RunStarted, StepLogged, to_line
from core.runs.state import RunState


def long_run_step(number: int, count: int) -> StepLogged:
    draw = random.Random(number)
    return StepLogged(
        time=1.7e9 + number,
        elapsed=float(number),
        step=number,
        epoch=min(4 * number // count + 1, 4),
        loss=0.7 * math.exp(-number / count) + draw.gauss(0, 0.1),
        accuracy=draw.randint(6, 16) / 16,
        lr=5e-6,
        grad_norm=draw.random(),
        examples=16,
        tokens=3000,
        seconds=2.0,
    )


def long_run(name: str, count: int) -> Iterator[Any]:
    """The events of a run of ``count`` steps in four epochs."""
    moment = {"time": 1.7e9, "elapsed": 0.5}
    yield RunStarted(
        **moment,
        run=name,
        preset="long",
        num_epochs=4,
        steps_per_epoch=count // 4,
        train_examples=count * 4,
        validation_examples=100,
        parameters=66_363_649,
        device="cpu",
        device_reason="no GPU was found",
        dtype="bfloat16",
        dtype_reason="the CPU has AMX tiles",
        threads=2,
        origins={},
    )
    for number in range(1, count + 1):
        yield long_run_step(number, count)
        if number % (count // 4) == 0:
            yield EpochFinished(
                time=1.7e9 + number,
                elapsed=float(number),
                epoch=number // (count // 4),
                step=number,
                train_loss=0.4,
                train_accuracy=0.8,
                val_loss=0.45,
                val_accuracy=0.79,
                seconds=100.0,
            )


def long_state(count: int) -> RunState:
    state = RunState()
    for event in long_run("long", count):
        state.apply(event)
    return state


def write_run(root: Path, count: int) -> Run:
    """Write a finished run of ``count`` steps to disk."""
    run = Run(root / f"20261125-00000{len(str(count))}-long")
    run.path.mkdir()
    (run.path / "config.toml").write_text(to_toml(RunConfig(preset="long")), encoding="utf-8")
    with run.events_path.open("w", encoding="utf-8") as file:
        for event in long_run(run.name, count):
            file.write(to_line(event) + "\n")
        done = RunFinished(
            time=1.7e9 + count,
            elapsed=float(count),
            status="completed",
            step=count,
            reason="finished 4 epochs",
            samples_per_second=8.0,
        )
        file.write(to_line(done) + "\n")
    return run
