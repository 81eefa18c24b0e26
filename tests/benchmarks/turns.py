"""Two programs that train the same run on one machine, in turns: while one goes on, the other is halted.

A machine that others use is faster in one minute than in the next. Here a step of one program and the same step of the
other, which computes the same numbers, are some seconds apart, however long the runs are.
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
"""So many steps are made before the turns begin, in which memory is had for the first time."""
STEPS_A_TURN = 12
SETTLE_S = 0.3
"""So long after it was let go a program still makes up for the halt: a console draws its whole screen anew."""


def steps_of(root: Path) -> list[StepLogged]:
    """The steps of the one run under ``root``; none before there is one."""
    events = [event for run in list_runs(root) for event in read_events(run)] if root.exists() else []
    return [event for event in events if isinstance(event, StepLogged)]


class Program(ABC):
    """A process that trains one run under ``root``; it knows between which moments it was let go."""

    def __init__(self, pid: int, root: Path) -> None:
        self.pid, self.root = pid, root
        self.turns: list[tuple[float, float]] = []

    @abstractmethod
    def attend(self, seconds: float) -> None:
        """Lets it go on for so long, and takes what it writes."""

    @abstractmethod
    def end(self) -> None:
        """Ends it, halted or not."""

    def warm_up(self) -> None:
        """Until the first steps are made; then it is halted."""
        while len(steps_of(self.root)) < FIRST_STEPS:
            self.attend(0.3)
        os.kill(self.pid, signal.SIGSTOP)

    def turn(self, seconds: float) -> None:
        began = time.time()
        os.kill(self.pid, signal.SIGCONT)
        self.attend(seconds)
        os.kill(self.pid, signal.SIGSTOP)
        self.turns.append((began, time.time()))

    def whole_steps(self) -> dict[int, tuple[float, int]]:
        """Seconds and examples, by its number, of each step that began and ended in one turn, once that had settled."""
        steps = steps_of(self.root)
        return {
            step.step: (step.elapsed - before.elapsed, step.examples)
            for before, step in pairwise(steps)
            if any(began + SETTLE_S <= before.time and step.time <= ended for began, ended in self.turns)
        }


class Headless(Program):
    """``train``, whose words nobody reads."""

    def __init__(self, command: list[str], root: Path, environment: dict[str, str]) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
        super().__init__(self._process.pid, root)

    def attend(self, seconds: float) -> None:
        time.sleep(seconds)
        if self._process.poll() is not None:
            sys.exit(f"{self._process.args} has ended with code {self._process.returncode}")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


class InConsole(Program):
    """The console, with the first preset started and the run on the screen."""

    def __init__(self, command: list[str], root: Path, environment: dict[str, str]) -> None:
        self._terminal = Terminal(command, environment)
        super().__init__(self._terminal.pid, root)
        self._terminal.until("Presets")
        self._terminal.quiet(1.0)
        self._terminal.write("\r")
        self._terminal.quiet(0.5)
        self._terminal.write("s")

    def attend(self, seconds: float) -> None:
        """What comes is read and not shown: an emulator would take the processors from what is measured."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for _ in self._terminal.drain(left, left):
                pass

    def end(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
        with suppress(OSError):
            self._terminal.end()


Pair = tuple[int, float, float]
"""A step that both made whole: its examples, the seconds of the one and those of the other."""


def in_turns(one: Program, other: Program, turns: int) -> list[Pair]:
    """Lets them go in turns, so many each."""
    seconds = STEPS_A_TURN * statistics.median(step.seconds for step in steps_of(other.root)[1:])
    for _ in range(turns):
        for program in (one, other):
            program.turn(seconds)
    ones, others = one.whole_steps(), other.whole_steps()
    return [(ones[step][1], ones[step][0], others[step][0]) for step in sorted(ones.keys() & others.keys())]


def compare(pairs: list[Pair]) -> tuple[float, float, float, float]:
    """Samples a second of the one and of the other, their ratio and its standard error.

    The error is that of a ratio of sums (Cochran, Sampling Techniques, 6.4).
    """
    examples, took, took_other = (sum(column) for column in zip(*pairs, strict=True))
    ratio = took_other / took
    spread = statistics.stdev(theirs - ratio * ours for _, ours, theirs in pairs)
    return examples / took, examples / took_other, ratio, spread * len(pairs) ** 0.5 / took
