"""Reads the events of one run: all of them, or what was added since the last call.

Everything that shows a run reads it here: the panes, the list of runs, ``watch``, ``show`` and resuming. A line that is
not an event is counted and skipped; it never ends the reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.runs.events import Event, StepLogged, from_line
from core.runs.files import MOST_BYTES, is_regular
from core.runs.step_columns import FEW, StepBlock, read_block

if TYPE_CHECKING:
    from core.runs.directory import Run

POLL_S = 0.3
"""How often new events are looked for, in seconds."""
MANY = 1 << 20
"""With at least this many bytes to read, importing pyarrow to parse steps in columns pays off."""
_PIECE = 8 << 20
_STEP = b'{"event": "step"'
_PROBES = b'{"event": "probes"'
_END_OF_LINE = re.compile(rb"\n")
_END_OF_STEPS = re.compile(rb'\n(?!\{"event": "(?:step|probes)")')
_PROBES_LINE = re.compile(rb'^\{"event": "probes"[^\n]*\n', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """What one call of :meth:`RunReader.read` found; apply it with :meth:`core.runs.state.RunState.update`."""

    parts: list[StepBlock | Event]
    """The new events in order; long stretches of steps are in blocks."""
    is_live: bool
    """Whether the process that writes the run is alive."""
    skipped_lines: int
    """Unreadable lines so far, over all calls."""

    @property
    def events(self) -> list[Event]:
        """The parts that are single events: all of them, if the reader gives each step."""
        return [part for part in self.parts if isinstance(part, Event)]


class RunReader:
    """Reads the events of ``run`` as they grow; each call continues where the last one ended.

    ``steps`` is ``columns`` to get long stretches of steps as blocks, which is fast; ``each`` to get every step as an
    event; ``last`` to get only the last step of each stretch and no probes, which is enough for a list of runs.
    """

    def __init__(self, run: Run, *, steps: Literal["columns", "each", "last"] = "columns") -> None:
        self.run = run
        self.steps = steps
        self._offset = 0
        self._skipped = 0

    def read(self) -> RunUpdate:
        """What was added since the last call, and whether the run is live. Raises OSError if it cannot be read."""
        is_live = self.run.is_live()  # before reading: what is written while the run ends is then read for sure
        parts = list(self.parts())
        return RunUpdate(parts, is_live, self.skipped_lines(is_live))

    def parts(self) -> Iterator[StepBlock | Event]:
        """What was added since the last call, in order; a caller may stop reading a long run and continue later."""
        in_columns = self.steps == "columns" and self._unread() >= MANY
        for are_steps, lines in self._stretches():
            if are_steps and self.steps == "last":
                yield from self._last_event(lines)
                continue
            probes: list[bytes] = []
            block = None
            if are_steps and in_columns and len(lines) >= FEW:
                probes = _PROBES_LINE.findall(lines)
                block = read_block(_PROBES_LINE.sub(b"", lines) if probes else lines)
            if block is not None:
                yield block
                yield from self._events_of(b"".join(probes))  # they change nothing that a step changes
            else:
                yield from self._events_of(lines)

    def skipped_lines(self, is_live: bool) -> int:
        """Unreadable lines so far; a half-written last line counts when no process writes the run."""
        return self._skipped + (not is_live and self._unread() > 0)

    @property
    def was_replaced(self) -> bool:
        """Whether the file is shorter than what was read of it, so that it must be another one."""
        return self._unread() < 0

    def _unread(self) -> int:
        try:
            return self.run.events_path.stat().st_size - self._offset
        except FileNotFoundError:
            return 0

    def _stretches(self) -> Iterator[tuple[bool, bytes]]:
        """Whole lines: steps in a row with the probes among them, with True; every other line alone, with False."""
        for content in self._pieces():
            start = 0
            while start < len(content):
                are_steps = content.startswith((_STEP, _PROBES), start)
                found = (_END_OF_STEPS if are_steps else _END_OF_LINE).search(content, start)
                assert found  # the content ends in a newline
                yield are_steps, content[start : found.end()]
                start = found.end()

    def _pieces(self) -> Iterator[bytes]:
        """The whole lines that were added to the file since the last call, a few megabytes at a time."""
        rest = b""
        try:
            if not is_regular(self.run.events_path):
                self._skipped = max(self._skipped, 1)
                return
            file = self.run.events_path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self._offset)
            while more := file.read(_PIECE):
                rest += more
                whole = rest.rfind(b"\n") + 1
                self._offset += whole
                yield rest[:whole]
                rest = rest[whole:]
                if len(rest) > MOST_BYTES:  # no event is that long
                    self._offset += len(rest)
                    self._skipped += 1
                    rest = b""

    def _events_of(self, lines: bytes) -> Iterator[Event]:
        for line in lines.split(b"\n")[:-1]:
            if (event := self._event(line)) is not None:
                yield event

    def _last_event(self, lines: bytes) -> Iterator[Event]:
        """The last readable step, and what else a damaged line after it turned out to be."""
        found: list[Event] = []
        for line in reversed(lines.split(b"\n")[:-1]):
            if not line.startswith(_PROBES) and (event := self._event(line)) is not None:
                found.append(event)
                if isinstance(event, StepLogged):
                    break
        yield from reversed(found)

    def _event(self, line: bytes) -> Event | None:
        try:
            return from_line(line.decode("utf-8"))
        except ValueError:
            self._skipped += 1
            return None


def read_events(run: Run) -> list[Event]:
    """All events of ``run``, every step an event of its own. Raises OSError if they cannot be read."""
    return RunReader(run, steps="each").read().events
