"""A terminal driver that survives the closing of its terminal and a stop without a warning.

It uses private names of Textual's ``LinuxDriver`` (read from textual 8.2.8) for two reasons:

- When a terminal is closed, Textual's writer thread dies of its first failed write. The app then blocks on the full
  queue of that thread and never ends; its reader thread meanwhile reads the end of the file in a busy loop. Here
  writes to a closed terminal are dropped and reading ends, so that the app stops its run, saves it and exits.
  It ends with a Textual whose writer thread survives an ``OSError`` (``_file``).
- When a process is stopped by ``kill -STOP`` and continued, Textual enters application mode a second time: two threads
  read the keys, and one of them never ends. Here application mode is left first. A console continued in the background
  stops again until it has the terminal. Textual also leaves and enters application mode inside of the signal handlers,
  which can deadlock. It ends with a Textual that mends the three in its handlers (``_sigtstp_application``,
  ``_sigcont_application``, ``_must_signal_resume``, ``_auto_restart``).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class _Terminal:
    """A text file that drops writes to a closed terminal and sets ``closed`` at the first of them."""

    def __init__(self, file: IO[str], closed: Event) -> None:
        self._file, self._closed = file, closed

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._closed.set()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._closed.set()

    @property
    def fileno(self) -> Callable[[], int]:
        return self._file.fileno


class SturdyDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, on a terminal that may close or stop the app at any time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file: Any = _Terminal(self._file, self.exit_event)
        self._event_loop = asyncio.get_running_loop()

    def _sigtstp_application(self, *_: object) -> None:
        """Leave application mode and stop."""
        self._between_messages(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        """Enter application mode again, or stop again in the background until the terminal is ours."""
        with suppress(OSError):
            if os.tcgetpgrp(self.fileno) != os.getpgrp():
                os.kill(os.getpid(), signal.SIGSTOP)
                return  # the next SIGCONT calls this again
        self._between_messages(self._enter_again)

    def _enter_again(self) -> None:
        if not self._must_signal_resume and self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        super()._sigcont_application()

    def _between_messages(self, call: Callable[[], None]) -> None:
        # A signal interrupts the app anywhere, also while it holds the lock of the writer thread's queue; leaving
        # application mode takes that lock as well, and would wait for it for ever.
        with suppress(RuntimeError):  # the app has ended
            self._event_loop.call_soon_threadsafe(call)
