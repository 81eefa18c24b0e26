"""Measure what the screen costs: the first frame, a key, a frame of a long run, and the speed of training.

    python -m tests.benchmarks.console [--only NAME]… [--repeats 5] [--turns 36] [--keys 200]
                                        [--preset NAME] [--data FILE] [--json]

Each program runs in a pseudo-terminal of 120x40; a terminal emulator (pyte) reads its output. The ratios to a bare
Textual app, measured in the same run, are what to compare: times alone depend on the machine and on its other work.

first     from exec to the first frame; ratio to the first frame of a bare app
keys      from a letter typed in the tokenizer to the screen, idle and while a run trains; ratios of the
          99th percentiles to a bare app's
training  samples per second of the same run in the console and headless, in turns of a few steps
frame     processor time to add one point and redraw both charts; ratio of 1,000,000 points to 100
watch     from exec to the curve of a finished run of 20,000 and 1,000,000 steps, and the memory of the console;
          ratios to the first frame of a bare app
start     from exec of a headless ``train`` to its first step, with everything cached
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from core.config.presets import load_preset
from core.config.schema import RunConfig, configure
from core.config.toml_file import to_toml
from tests.benchmarks.keystroke import BARE, Terminal, measure, measure_bare
from tests.benchmarks.long_runs import long_run_step, long_state, write_run
from tests.benchmarks.turns import Headless, InConsole, Pair, Program, compare, in_turns, steps_of

TRAIN = [sys.executable, "-m", "core", "train", "bench", "--json"]
CONSOLE = [sys.executable, "-c", "from tui.cli import main; main()"]


def percentiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"median_ms": statistics.median(ordered), "p99_ms": ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]}


# The parts


def first(options: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    own, bare = [], []
    with tempfile.TemporaryDirectory() as runs:
        for _ in range(options.repeats + 1):
            own.append(_until([*CONSOLE, "--runs-dir", runs], environment, lambda text: "Presets" in text))
            bare.append(_first_frame_of_bare_app(environment))
    own, bare = own[1:], bare[1:]  # the first also reads the files from disk
    return {
        "console_s": statistics.median(own),
        "bare_s": statistics.median(bare),
        "ratio": statistics.median(a / b for a, b in zip(own, bare, strict=True)),
    }


def keys(options: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    idle, _ = measure(options.keys, 300, environment)
    bare = measure_bare(options.keys, {"TEXTUAL_FPS": "240"} | environment)
    with _presets(options, epochs=50) as own:
        busy, _ = measure(options.keys, 300, environment | own, train="bench")
    answer: dict[str, Any] = {"idle": percentiles(idle), "training": percentiles(busy), "bare": percentiles(bare)}
    for name in ("idle", "training"):
        answer[f"{name}_ratio_p99"] = answer[name]["p99_ms"] / answer["bare"]["p99_ms"]
    return answer


def training(options: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    kinds: dict[type[Program], list[str]] = {InConsole: [*CONSOLE, "--preset", "bench"], Headless: TRAIN}
    pairs: list[Pair] = []
    with _presets(options, epochs=50, samples=None) as own:
        for order in (list(kinds), list(kinds)[::-1]):  # the order in which they got their memory matters too
            with tempfile.TemporaryDirectory() as folder:
                programs: dict[type[Program], Program] = {}
                try:
                    for kind in order:
                        runs = Path(folder) / kind.__name__
                        programs[kind] = kind([*kinds[kind], "--runs-dir", str(runs)], runs, environment | own)
                        programs[kind].warm_up()
                    pairs += in_turns(programs[InConsole], programs[Headless], max(options.turns // 2, 1))
                finally:
                    for program in programs.values():
                        program.end()
    console, headless, ratio, error = compare(pairs)
    return {
        "console_samples_per_second": console,
        "headless_samples_per_second": headless,
        "ratio": ratio,
        "standard_error": error,
        "steps": len(pairs),
    }


def frame(options: argparse.Namespace, _: dict[str, str]) -> dict[str, Any]:
    return asyncio.run(_frames(options.repeats))


async def _frames(repeats: int) -> dict[str, Any]:
    from textual.app import App, ComposeResult

    from tui.themes import ON_DARK
    from tui.widgets.curves import RunCurves

    class Charts(App[None]):
        def compose(self) -> ComposeResult:
            yield RunCurves()

        def get_theme_variable_defaults(self) -> dict[str, str]:
            return dict(ON_DARK)

    answer: dict[str, Any] = {}
    app = Charts()
    async with app.run_test(size=(120, 40)) as pilot:
        curves = app.query_one(RunCurves)
        states = {count: long_state(count) for count in (100, 10_000, 1_000_000)}
        times: dict[int, list[float]] = {count: [] for count in states}
        for _ in range(repeats):
            for count, state in states.items():
                for _ in range(20):  # until the whole of a newly opened run is drawn
                    curves.show([("run", state)])
                    await pilot.pause(0.01)
                for _ in range(10):
                    state.apply(long_run_step(state.step + 1, count))
                    began = time.process_time()
                    curves.show([("run", state)])
                    times[count].append(time.process_time() - began)
        answer |= {f"points_{count}_ms": 1000 * statistics.median(taken) for count, taken in times.items()}
        pairs = list(zip(times[1_000_000], times[100], strict=True))
        answer["ratio"] = statistics.median(long / short for long, short in pairs)
    return answer


def watch(options: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in (20_000, 1_000_000):
            run = write_run(Path(folder), count)
            command = [*CONSOLE, "watch", run.name, "--runs-dir", folder]
            own, bare = [], []
            for _ in range(options.repeats + 1):
                found: list[int] = []
                own.append(_until(command, environment, _has_curve, memory=found))
                bare.append(_first_frame_of_bare_app(environment))
            answer[f"steps_{count}_s"] = statistics.median(own[1:])
            answer[f"steps_{count}_ratio"] = statistics.median(a / b for a, b in zip(own[1:], bare[1:], strict=True))
            answer[f"steps_{count}_megabytes"] = found[0] / 1e6
    return answer


def start(options: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    taken = []
    with _presets(options, epochs=1, samples=None) as own:
        for _ in range(options.repeats + 1):
            with tempfile.TemporaryDirectory() as runs:
                command = [*TRAIN, "--runs-dir", runs]
                began = time.monotonic()
                process = subprocess.Popen(
                    command, env=environment | own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                while not steps_of(Path(runs)):
                    time.sleep(0.01)
                taken.append(time.monotonic() - began)
                process.kill()
                process.wait()
    return {"seconds": statistics.median(taken[1:])}


PARTS: dict[str, Callable[[argparse.Namespace, dict[str, str]], dict[str, Any]]] = {
    "first": first,
    "keys": keys,
    "training": training,
    "frame": frame,
    "watch": watch,
    "start": start,
}


# Shared by the parts


def _first_frame_of_bare_app(environment: dict[str, str]) -> float:
    return _until([sys.executable, "-c", BARE], environment, lambda text: "ready" in text)


def _until(
    command: list[str],
    environment: dict[str, str],
    wanted: Callable[[str], bool],
    memory: list[int] | None = None,
) -> float:
    """Seconds from exec until ``wanted`` is true of the screen. ``memory`` takes the size of the process, in bytes."""
    began = time.perf_counter()
    terminal = Terminal(command, environment)
    found = None
    try:
        while found is None and time.perf_counter() - began < 120:
            moment = terminal.read(0.5)
            if moment is not None and wanted("\n".join(terminal.screen.display)):
                found = moment
        if found is None:
            sys.exit("the screen did not appear within 120 s; it shows:\n" + "\n".join(terminal.screen.display))
        if memory is not None:
            memory.append(psutil.Process(terminal.pid).memory_info().rss)
    finally:
        terminal.end()
    return found - began


def _has_curve(text: str) -> bool:
    """Whether the screen shows the status of the run and its curve up to the right edge of the first chart."""
    edge = [line[50:59] for line in text.splitlines()]
    return "completed" in text and any("\u2801" <= char <= "\u28ff" for part in edge for char in part)


class _presets:  # noqa: N801 - used like a function
    """A folder with the preset ``bench``; entering it gives the environment in which the console finds it."""

    def __init__(self, options: argparse.Namespace, *, epochs: int, samples: int | None = 200) -> None:
        config = configure(load_preset(options.preset), [], options.data).set("train.num_epochs", epochs)
        self._config: RunConfig = config if samples is None else config.set("data.n_samples", samples)

    def __enter__(self) -> dict[str, str]:
        self._folder = tempfile.TemporaryDirectory()
        text = to_toml(self._config).replace(f'preset = "{self._config.preset}"', 'preset = "bench"')
        (Path(self._folder.name) / "bench.toml").write_text(text, encoding="utf-8")
        return {"IMDB_TUI_PRESETS": self._folder.name}

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=PARTS, default=[], help="measure this part only; repeatable")
    parser.add_argument("--repeats", type=int, default=5, help="measurements per number; the median is printed")
    parser.add_argument("--turns", type=int, default=36, help="turns in which one program trains and the other waits")
    parser.add_argument("--keys", type=int, default=200, help="letters to type")
    parser.add_argument("--preset", default="pretrained", help="preset to train")
    parser.add_argument("--data", help="file of reviews to train on instead of the preset's own")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "HF_HUB_OFFLINE": "1"}
    environment.pop("TEXTUAL_FPS", None)
    # The modules are compiled at the second start, as those of an installed library always are.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    answer = {name: PARTS[name](options, environment) for name in options.only or PARTS}
    if options.json:
        print(json.dumps(answer))  # noqa: T201
        return
    for name, found in answer.items():
        for key, value in found.items():
            print(f"{name:<10}{key:<28}{_words(value)}")  # noqa: T201


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.removesuffix('_ms')} {number:.1f} ms" for key, number in value.items())
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


if __name__ == "__main__":
    main()
