"""Compare the speed of two programs that train the same run in turns: while one runs, the other is stopped.

The speed of a shared machine changes from minute to minute. Here the same step of both programs is measured a few
seconds apart, however long the runs are.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from core.runs.directory import list_runs
from core.runs.events import StepLogged
from core.runs.reader import read_events
from tests.benchmarks.keystroke import Terminal

FIRST_STEPS = 4
"""Steps before the first turn, in which memory is allocated for the first time."""
STEPS_PER_TURN = 12
SETTLE_S = 0.3
"""Seconds at the start of a turn that are not measured: the console redraws its whole screen after a stop."""


def steps_of(root: Path) -> list[StepLogged]:
    """The steps of the only run under ``root``; empty before the run exists."""
    events = [event for run in list_runs(root) for event in read_events(run)] if root.exists() else []
    return [event for event in events if isinstance(event, StepLogged)]


class Program(ABC):
    """A process that trains one run under ``root``; ``turns`` are the start and end times of its turns."""

    def __init__(self, pid: int, root: Path) -> None:
        self.pid, self.root = pid, root
        self.turns: list[tuple[float, float]] = []

    @abstractmethod
    def run_for(self, seconds: float) -> None:
        """Let the process run for ``seconds``, and read its output."""

    @abstractmethod
    def end(self) -> None:
        """End the process, also while it is stopped."""

    def warm_up(self) -> None:
        """Run until the first steps are done, then stop."""
        while len(steps_of(self.root)) < FIRST_STEPS:
            self.run_for(0.3)
        os.kill(self.pid, signal.SIGSTOP)

    def turn(self, seconds: float) -> None:
        """Run for ``seconds``, then stop."""
        started = time.time()
        os.kill(self.pid, signal.SIGCONT)
        self.run_for(seconds)
        os.kill(self.pid, signal.SIGSTOP)
        self.turns.append((started, time.time()))

    def whole_steps(self) -> dict[int, tuple[float, int]]:
        """Seconds and examples of each step, by number, that lies in one turn after its first SETTLE_S seconds."""
        steps = steps_of(self.root)
        return {
            step.step: (step.elapsed - before.elapsed, step.examples)
            for before, step in pairwise(steps)
            if any(started + SETTLE_S <= before.time and step.time <= ended for started, ended in self.turns)
        }


class Headless(Program):
    """The command ``train``, without its output."""

    def __init__(self, command: list[str], root: Path, environment: dict[str, str]) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
        super().__init__(self._process.pid, root)

    def run_for(self, seconds: float) -> None:
        time.sleep(seconds)
        if self._process.poll() is not None:
            sys.exit(f"{self._process.args} ended with exit code {self._process.returncode}")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


class InConsole(Program):
    """The console, in which the first preset is trained and the run is on screen."""

    def __init__(self, command: list[str], root: Path, environment: dict[str, str]) -> None:
        self._terminal = Terminal(command, environment)
        super().__init__(self._terminal.pid, root)
        self._terminal.until("Presets")
        self._terminal.quiet(1.0)
        self._terminal.write("\r")
        self._terminal.quiet(0.5)
        self._terminal.write("s")

    def run_for(self, seconds: float) -> None:
        """Read the output without a terminal emulator, which would take processor time from the training."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for _ in self._terminal.drain(left, left):
                pass

    def end(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
        with suppress(OSError):
            self._terminal.end()


Pair = tuple[int, float, float]
"""A step that both programs made: its examples, and the seconds of each program."""


def in_turns(one: Program, other: Program, turns: int) -> list[Pair]:
    """Run both programs in turns, ``turns`` each. Returns the steps that both have made."""
    seconds = STEPS_PER_TURN * statistics.median(step.seconds for step in steps_of(other.root)[1:])
    for _ in range(turns):
        for program in (one, other):
            program.turn(seconds)
    ones, others = one.whole_steps(), other.whole_steps()
    return [(ones[step][1], ones[step][0], others[step][0]) for step in sorted(ones.keys() & others.keys())]


def compare(pairs: list[Pair]) -> tuple[float, float, float, float]:
    """Samples per second of each program, their ratio, and its standard error.

    The error is that of a ratio of sums (Cochran, Sampling Techniques, 6.4).
    """
    examples, took, took_other = (sum(column) for column in zip(*pairs, strict=True))
    ratio = took_other / took
    spread = statistics.stdev(theirs - ratio * ours for _, ours, theirs in pairs)
    return examples / took, examples / took_other, ratio, spread * len(pairs) ** 0.5 / took
