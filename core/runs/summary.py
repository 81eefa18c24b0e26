"""Summaries of runs: the JSON answers, and the lines that the command line and the console show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core.config.schema import differences, format_value
from core.formatting import duration
from core.runs.status import STATUS_SIGNS

if TYPE_CHECKING:
    from core.config.presets import Preset
    from core.runs.directory import Run
    from core.runs.events import EpochFinished
    from core.runs.state import RunState

EPOCH_FIELDS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds")


def epoch_rows(epochs: Iterable[EpochFinished]) -> list[dict[str, float]]:
    return [{"epoch": e.epoch, **{name: getattr(e, name) for name in EPOCH_FIELDS}} for e in epochs]


def run_summary(run: Run, state: RunState) -> dict[str, Any]:
    """A run as in the JSON output."""
    started, finished = state.started, state.finished
    return {
        "run": run.name,
        "status": state.status,
        "preset": state.preset,
        "created": run.created.isoformat(),
        "epochs": epoch_rows(state.epochs),
        "best_val_accuracy": state.best_val_accuracy,
        "steps": state.step,
        "total_steps": state.total_steps,
        "elapsed": state.elapsed,
        "samples_per_second": finished.samples_per_second if finished else state.samples_per_second,
        "device": started.device if started else None,
        "dtype": started.dtype if started else None,
        "threads": started.threads if started else None,
        "engine": started.engine if started else {},
        "parameters": started.parameters if started else None,
        "origins": started.origins if started else {},
        "error": finished.error if finished else "",
        "skipped_lines": state.skipped_lines,
    }


def run_details(run: Run, state: RunState) -> dict[str, Any]:
    """A run with its configuration, curves, the logits of its probe sentences, and its log."""
    return {
        **run_summary(run, state),
        "config": run.config().sections(),
        "curves": {
            name: {"steps": curve.steps.tolist(), "values": curve.values.tolist()}
            for name, curve in state.curves.items()
        },
        "probes": [
            {"sentence": sentence, "steps": curve.steps.tolist(), "logits": curve.values.tolist()}
            for sentence, curve in zip(state.probe_sentences, state.probes, strict=True)
        ],
        "probe_seconds": state.probe_seconds,
        "log": [{"time": moment, "message": text} for moment, text in state.log],
        "environment": run.environment(),
    }


def presets_as_json(presets: Iterable[Preset]) -> list[dict[str, Any]]:
    """Usable presets as the JSON answer gives them; a broken one has its ``error`` instead of a ``config``."""
    rows = []
    for preset in presets:
        config = preset.config
        if config is None:
            rows.append({"name": preset.name, "title": "", "description": "", "config": {}, "error": preset.error})
        else:
            row = {"name": preset.name, "title": config.title, "description": config.description}
            rows.append({**row, "config": config.sections()})
    return rows


def status_label(status: str) -> str:
    """A status with its sign, which can be read without colour: ``● running``."""
    return f"{STATUS_SIGNS[status]} {status}"


def skipped_text(count: int) -> str:
    """How many lines of a run's events could not be read."""
    return f"{count} unreadable line{'s' if count != 1 else ''} in events.jsonl"


def progress_text(state: RunState) -> str:
    """Epoch, step, speed and time left of a live run, in one line."""
    if state.started is None or state.activity:
        return state.activity or state.status
    parts = [f"epoch {state.epoch}/{state.num_epochs}", f"step {state.step}/{state.total_steps}"]
    if state.samples_per_second:
        parts.append(f"{state.samples_per_second:.1f} samples/s")
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} left")
    return " · ".join(parts)


def difference_rows(runs: list[Run]) -> list[tuple[str, list[str]]]:
    """Only those configuration fields in which the runs differ, one value per run. Raises InputError as Run.config."""
    return [
        (name, [format_value(value) for value in values])
        for name, values in differences([run.config() for run in runs]).items()
    ]
