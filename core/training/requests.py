"""Requests of other processes to a run: small files in its directory, so that any host that sees it can steer it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path

from core.atomic_write import write_text_atomically
from core.errors import InputError
from core.runs.directory import Run
from core.training.control import CHANGES, Change, Control

REQUESTS = "requests"
ACTIONS: dict[str, Callable[[Control, str], None]] = {
    "pause": lambda control, _: control.pause(),
    "resume": lambda control, _: control.resume(),
    "finish_epoch": Control.finish_epoch,
    "stop": Control.stop,
    "discard": Control.discard,
}


def ask(run: Run, action: str, value: float | None = None) -> None:
    """Write a request into the run's directory, for the process that trains it.

    Raises InputError for an unknown action, an invalid value, a run that no process trains, or a directory that cannot
    be written.
    """
    if action in CHANGES:
        if value is None:
            needed = {"learning_rate": "the new peak learning rate", "add_epochs": "the number of epochs to add"}
            raise InputError(f"{action} needs a value: {needed[action]}")
        Change(action, value)
    elif action in ACTIONS:
        if value is not None:
            raise InputError(f"{action} takes no value, but {value:g} was given")
    else:
        raise InputError(f"unknown action {action!r}; the actions are {', '.join((*ACTIONS, *CHANGES))}")
    if not run.is_live():
        raise InputError(
            f"run {run.name} is not live: no process trains it; resume it with `imdb-tui train --resume {run.name}`, "
            "and with `--add-epochs N` if it is completed"
        )
    content = {"action": action, "value": value, "from": f"process {os.getpid()} on {socket.gethostname()}"}
    folder = run.path / REQUESTS
    try:
        folder.mkdir(exist_ok=True)
        write_text_atomically(folder / f"{time.time_ns()}-{secrets.token_hex(2)}.json", json.dumps(content) + "\n")
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror})") from None


class RemoteControl:
    """:class:`core.training.control.Control` for a run of another process; every method raises as :func:`ask`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pause(self) -> None:
        ask(self._run, "pause")

    def resume(self) -> None:
        ask(self._run, "resume")

    def finish_epoch(self, _: str) -> None:
        ask(self._run, "finish_epoch")

    def stop(self, _: str) -> None:
        ask(self._run, "stop")

    def discard(self, _: str) -> None:
        ask(self._run, "discard")

    def change(self, change: Change) -> None:
        ask(self._run, change.action, change.value)


class Requests:
    """The requests waiting in a run's directory; the process that trains the run reads them."""

    EVERY_S = 0.2

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next_look = 0.0

    def clear(self) -> None:
        """Remove the requests to an earlier process of this run."""
        for path in self._waiting():
            path.unlink(missing_ok=True)

    def deliver(self, control: Control) -> None:
        """Pass each new request to ``control``, once and in order; look at most every ``EVERY_S`` seconds."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + self.EVERY_S
        for path in self._waiting():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                path.unlink(missing_ok=True)
                reason = f"requested by {content['from']}"
                if content["action"] in CHANGES:
                    control.change(Change(content["action"], float(content["value"]), reason))
                else:
                    ACTIONS[content["action"]](control, reason)
            except (OSError, ValueError, TypeError, KeyError, InputError):
                continue  # not a valid request; training continues

    def _waiting(self) -> list[Path]:
        try:
            return sorted(self._folder.glob("[0-9]*.json"))
        except OSError:
            return []
