"""Reads a run's events.jsonl, whole or as it grows; a line that is no event never ends it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.runs.events import Event, StepLogged, from_line
from core.runs.state import RunState
from core.runs.step_columns import MANY, StepBlock, read_block

_PIECE = 8 << 20
_STEP = b'{"event": "step"'
_END_OF_LINE = re.compile(rb"\n")
_END_OF_STEPS = re.compile(rb'\n(?!\{"event": "step")')


def take_in(parts: Iterable[StepBlock | Event], state: RunState) -> list[Event]:
    """Applies what :meth:`EventReader.parts` gives to ``state``; gives the events other than steps."""
    others: list[Event] = []
    for part in parts:
        if isinstance(part, StepBlock):
            state.apply_block(part)
            continue
        state.apply(part)
        if not isinstance(part, StepLogged):
            others.append(part)
    return others


class EventReader:
    """Reads events.jsonl as it grows. A line that is no event is counted in ``skipped`` and passed over."""

    def __init__(self, path: Path, *, steps: bool = True) -> None:
        self.path = path
        self.skipped = 0
        self._offset = 0
        self._steps = steps

    def read(self) -> list[Event]:
        """The events whose lines were completed since the last call.

        With ``steps=False`` only the last step of those is among them, which makes listing many runs fast.
        """
        events: list[Event] = []
        wants_step = True
        for line in reversed(self._completed().split(b"\n")[:-1]):
            if not wants_step and line.startswith(_STEP):
                continue
            for event in self._events(line):
                events.append(event)
                wants_step = wants_step and (self._steps or not isinstance(event, StepLogged))
        return events[::-1]

    def parts(self) -> Iterator[StepBlock | Event]:
        """What was completed since the last call, in order: events, but many steps in a row as a block."""
        try:
            many = self.path.stat().st_size - self._offset >= MANY
        except FileNotFoundError:
            return
        for content in self._pieces():
            start = 0
            while start < len(content):
                steps = content.startswith(_STEP, start)
                found = (_END_OF_STEPS if steps else _END_OF_LINE).search(content, start)
                assert found  # the content ends in a newline
                lines = content[start : found.end()]
                block = read_block(lines, with_pyarrow=many) if steps else None
                if block is not None:
                    yield block
                else:
                    for line in lines.split(b"\n")[:-1]:
                        yield from self._events(line)
                start = found.end()

    def fold_into(self, state: RunState) -> list[Event]:
        """Applies what was completed since the last call to ``state``; gives the events other than steps."""
        return take_in(self.parts(), state)

    def _pieces(self) -> Iterator[bytes]:
        """The whole lines that have been added to the file since the last call, some megabytes at a time."""
        rest = b""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            while more := file.read(_PIECE):
                rest += more
                whole = rest.rfind(b"\n") + 1
                self._offset += whole
                yield rest[:whole]
                rest = rest[whole:]

    def _events(self, line: bytes) -> list[Event]:
        """The event of a line, or none and one more that was skipped."""
        try:
            return [from_line(line.decode("utf-8"))]
        except ValueError:
            self.skipped += 1
            return []

    def _completed(self) -> bytes:
        """The whole lines that have been added to the file since the last call."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return b""
        whole = content.rfind(b"\n") + 1
        self._offset += whole
        return content if whole == len(content) else content[:whole]

    def torn(self) -> bool:
        """Whether the file ends in the middle of a line."""
        try:
            return self.path.stat().st_size > self._offset
        except FileNotFoundError:
            return False
