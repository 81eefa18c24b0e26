"""Looks at a model in threads of their own: a new one cancels the one before, and a live run comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.message import Message

from core.errors import InputError, Stopped
from core.training.preload import preload
from tui.messages import LookDone

Between = Callable[[], None]
Work = Callable[[Between], Any]
REFUSED = "not while a run trains: it would take memory and time from it; look again when it is done"
LEFT = "left, because a run began; look again when it is done"


class Looks:
    """At most one look computes at a time. ``run_is_live`` is asked between its pieces of work."""

    def __init__(self, post: Callable[[Message], Any], run_is_live: Callable[[], bool]) -> None:
        self._post, self._run_is_live = post, run_is_live
        self._number = 0
        self._turn = threading.Lock()

    def cancel(self) -> None:
        """What is being looked at is left at its next piece of work, and nothing comes of it."""
        self._number += 1

    def start(self, page: str, work: Work, *, heavy: bool) -> None:
        """Computes ``work`` for ``page`` and posts LookDone. A heavy one must not run beside a live run."""
        self._number += 1
        arguments = (self._number, page, work, heavy)
        threading.Thread(target=self._work, args=arguments, name=f"look-{page}", daemon=True).start()

    def _work(self, number: int, page: str, work: Work, heavy: bool) -> None:
        def between() -> None:
            if number != self._number:
                raise Stopped
            if heavy and self._run_is_live():
                raise InputError(LEFT)

        try:
            preload()
            with self._turn:  # an older look leaves soon; two at once would take the memory of both
                between()
                message = LookDone(page, work(between), "")
        except Stopped:
            return
        except InputError as error:
            message = LookDone(page, None, str(error))
        except Exception as error:
            message = LookDone(page, None, f"{type(error).__name__}: {error}".splitlines()[0])
        if number == self._number:
            self._post(message)
