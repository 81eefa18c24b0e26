"""Runs in words and in JSON: what the command line prints and the console repeats."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core.config.schema import differences, format_value
from core.runs.status import STATUS_SIGNS

if TYPE_CHECKING:
    from core.config.presets import Preset
    from core.runs.directory import Run
    from core.runs.events import EpochFinished
    from core.runs.state import RunState

EIGHTHS = " ▁▂▃▄▅▆▇█"
"""A cell filled from below, by eighths: for bars."""
EPOCH_FIELDS = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "seconds")


def as_json(content: Any) -> str:
    """One line of ASCII, which no terminal obeys and every encoding has; NaN and infinities become null."""
    return json.dumps(_finite(content), allow_nan=False)


def _finite(content: Any) -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        return None
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return content


def epoch_rows(epochs: Iterable[EpochFinished]) -> list[dict[str, float]]:
    return [{"epoch": e.epoch, **{name: getattr(e, name) for name in EPOCH_FIELDS}} for e in epochs]


def run_summary(run: Run, state: RunState) -> dict[str, Any]:
    """A run as the JSON answers give it."""
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
    """A run with its configuration, curves and log."""
    return {
        **run_summary(run, state),
        "config": run.config().sections(),
        "curves": {name: {"steps": curve.steps, "values": curve.values} for name, curve in state.curves.items()},
        "log": [{"time": moment, "message": words} for moment, words in state.log],
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


def percent(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.1%}".replace("%", " %")


def duration(seconds: float | None) -> str:
    """``0:41``, ``12:05``, ``1:02:03``; a dash where there is no number."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def memory(count: float) -> str:
    """Bytes as ``512 B``, ``23.4 kB``, ``265 MB``, in powers of a thousand and three digits."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB"))


def operations(count: float) -> str:
    """Floating point operations as ``768 FLOP``, ``43.5 GFLOP``."""
    return _scaled(count, ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"))


def _scaled(count: float, units: tuple[str, ...]) -> str:
    step = 0
    while abs(count) >= 999.5 and step < len(units) - 1:
        count, step = count / 1000, step + 1
    return f"{count:.3g} {units[step]}"


def change_words(value: float) -> str:
    """A relative change in percent; no change is exactly 0, and one from nothing has no percentage."""
    if math.isinf(value):
        return "from 0"
    return "0" if value == 0 else f"{value:.3%}" if value < 10 else f"{value:,.0%}"


def clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def status_words(status: str) -> str:
    """A status with its sign, so that it reads without colour: ``● running``."""
    return f"{STATUS_SIGNS[status]} {status}"


def progress_words(state: RunState) -> str:
    """The one line that tells how a live run stands."""
    if state.started is None or state.activity:
        return state.activity or state.status
    parts = [f"epoch {state.epoch}/{state.num_epochs}", f"step {state.step}/{state.total_steps}"]
    if state.samples_per_second:
        parts.append(f"{state.samples_per_second:.1f} samples/s")
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} left")
    return " · ".join(parts)


def printable(text: str) -> str:
    """``text`` without anything that a terminal would obey: control characters become visible symbols."""
    return "".join(_visible(char) for char in text)


def shortened(text: str, most: int = 60) -> str:
    """As much of a text as stands in a line of ``most`` characters, its line breaks as they are written."""
    return repr(printable(text[: most + 1]))[1:-1][:most] + ("…" if len(text) > most else "")


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code < 0xA0 or code in _DIRECTIONAL or 0xD800 <= code < 0xE000:
        return "\ufffd"
    return char


_DIRECTIONAL = frozenset([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F, 0x2028, 0x2029])


def difference_rows(runs: list[Run]) -> list[tuple[str, list[str]]]:
    """Only those configuration fields in which the runs differ, a value a run. Raises InputError as Run.config."""
    return [
        (name, [format_value(value) for value in values])
        for name, values in differences([run.config() for run in runs]).items()
    ]
