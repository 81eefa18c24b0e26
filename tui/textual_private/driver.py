"""The terminal driver, made to outlive its terminal, and being stopped.

When a terminal is closed, Textual's writer thread dies of the first failed write; the app then blocks on the
thread's full queue and never ends. Here a write to a terminal that is gone is dropped, so that the app can stop
its run, save, and leave.

When a process has been stopped without a word (``kill -STOP``) and goes on, Textual's driver takes the terminal a
second time: two threads read the keys and none of the first ends, so that the app never does. Here the terminal is
given back first.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver

from tui.textual_private.keyboard import WakingEvent, read_keys


class _Terminal:
    """A text file whose writes are dropped once they fail."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    @property
    def fileno(self) -> Callable[[], int]:
        return self._file.fileno


class SturdyDriver(LinuxDriver):
    """Textual's own driver for Linux and macOS, on a terminal that may vanish."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file: Any = _Terminal(self._file)
        self.exit_event = self._leave = WakingEvent()

    def run_input_thread(self) -> None:
        read_keys(self.fileno, self.process_message, self._leave, debug=self._debug)

    def _sigcont_application(self, *_: object) -> None:
        """Takes the terminal again, which somebody else may have had; in the background it stops until it may."""
        with suppress(OSError):
            if os.tcgetpgrp(self.fileno) != os.getpgrp():
                os.kill(os.getpid(), signal.SIGSTOP)
                return  # what lets it go on sends another signal
        if not self._must_signal_resume and self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        super()._sigcont_application()
