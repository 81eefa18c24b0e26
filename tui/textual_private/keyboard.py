"""Reading keys: asleep until one comes, or until an escape is known to stand alone."""

from __future__ import annotations

import os
import selectors
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress

from textual._parser import ParseError
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.message import Message

READ_BYTES = 4096


class WakingEvent(threading.Event):
    """An event that a selector can wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._reader, self._writer = os.pipe()

    def fileno(self) -> int:
        return self._reader

    def set(self) -> None:
        if not self.is_set():
            super().set()
            os.write(self._writer, b"!")

    def clear(self) -> None:
        if self.is_set():
            super().clear()
            os.read(self._reader, 1)

    def __del__(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


def read_keys(terminal: int, tell: Callable[[Message], None], leave: WakingEvent, *, debug: bool = False) -> None:
    """Tells what the file ``terminal`` sends until ``leave`` is set.

    An escape that nothing follows is one key, else it begins another one: Textual's parser waits for so long as
    ESCDELAY says. Textual's own reader looks whether that time is over ten times a second, and so wakes up ten times a
    second and tells an escape a tenth of a second late.
    """
    parser = XTermParser(debug)
    decode = getincrementaldecoder("utf-8")().decode
    with selectors.SelectSelector() as selector:  # on macOS the others know nothing of terminals
        selector.register(terminal, selectors.EVENT_READ)
        selector.register(leave, selectors.EVENT_READ)
        while not leave.is_set():
            due = parser._timeout_time
            ready = selector.select(None if due is None else max(due - get_time(), 0.0))
            if any(key.fileobj == terminal for key, _ in ready):
                data = os.read(terminal, READ_BYTES)
                if not data:  # no terminal any more, from which no more will come
                    selector.unregister(terminal)
                if text := decode(data):  # else the rest of a character follows
                    for message in parser.feed(text):
                        tell(message)
            for message in parser.tick():
                tell(message)
    with suppress(EOFError, ParseError):
        for _ in parser.feed(""):
            pass
