"""Signals that stop the work of a command, so that what is done is kept."""

from __future__ import annotations

import signal
from collections.abc import Callable

from core.training.control import Control


def stop_on_signals(control: Control) -> Callable[[], None]:
    """Request a stop on SIGINT, SIGTERM or SIGHUP; a second signal raises KeyboardInterrupt.

    Returns the function that restores the former handlers.
    """
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in names}
    if before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:  # nohup: continue without a terminal
        del before[signal.SIGHUP]

    def stop(number: int, _: object) -> None:
        if control.stop_requested:
            raise KeyboardInterrupt
        control.stop(f"signal {signal.Signals(number).name}")

    for number in before:
        signal.signal(number, stop)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
