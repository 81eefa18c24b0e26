"""Output of the commands: answers on stdout, messages on stderr, and the progress of a run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core import formatting
from core.errors import InputError
from core.runs import summary
from core.runs.events import Event, Progressed, RunFinished, RunStarted, StepLogged
from core.runs.state import RunState


class Output(Console):
    """A rich console without markup, emoji or highlighting, which handles a closed pipe."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = 10_000  # do not wrap lines that a program may read

    def on_broken_pipe(self) -> None:
        """Handle a closed pipe: on stderr, stop printing but continue the command; on stdout, end the command."""
        self.quiet = True
        silence(self.file)
        if not self.stderr:
            raise BrokenPipeError


def silence(stream: IO[str]) -> None:
    """Redirect a stream to the null device, so that Python's flush at exit does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


out, err = Output(), Output(stderr=True)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr while a task runs, if it is a terminal; call what it yields with (done, total)."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=err, transient=True, disable=not err.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class Reporter:
    """Show the events of a run: a progress bar on a terminal, plain lines otherwise.

    The lines of the first seconds are printed once the run starts, and not at all if its input is refused.
    """

    LINE_EVERY_S = 10.0

    def __init__(self, console: Output = err) -> None:
        self.state = RunState()
        self._console = console
        self._last_line = 0.0
        self._held: list[str] | None = []
        self._first_line = time.monotonic()
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.fields[status]}"), BarColumn(), TextColumn("{task.description}"), console=console
            )
            self._task = self._bar.add_task("", total=None, status=summary.status_label("starting"))

    def __enter__(self) -> Reporter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        refused = kind is not None and issubclass(kind, InputError)
        if not refused:
            self._release()
        if self._bar:
            self._bar.live.transient = refused
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        before = len(self.state.log)
        self.state.apply(event)
        for moment, message in self.state.log[before:]:
            if not isinstance(event, RunFinished):
                self._line(f"{formatting.clock(moment)} {message}")
        if isinstance(event, RunStarted):
            self._release()
            for thing, origin in event.origins.items():
                self._line(f"         {thing}: {describe_origin(origin)}")
        if self._bar:
            self._update_bar()
        elif isinstance(event, StepLogged) and event.elapsed - self._last_line >= self.LINE_EVERY_S:
            self._last_line = event.elapsed
            self._line(f"{summary.progress_text(self.state)} · loss {event.loss:.3f}")
        elif isinstance(event, Progressed) and event.done is None:
            self._line(event.message)

    def ending(self) -> str:
        """Return how the run ended. Printed by the caller, which also prints errors of input."""
        finished = self.state.finished
        reason = f": {finished.error or finished.reason}" if finished else ""
        return formatting.printable(summary.status_label(self.state.status) + reason)

    def _release(self) -> None:
        """Print the lines that are held, and from now on every line at once."""
        held, self._held = self._held or [], None
        for text in held:
            self._line(text)

    def _line(self, text: str) -> None:
        if self._held is not None:
            self._held.append(text)
            if time.monotonic() - self._first_line > self.LINE_EVERY_S:
                self._release()
            return
        self._console.print(formatting.printable(text), soft_wrap=True)

    def _update_bar(self) -> None:
        assert self._bar is not None
        total = self.state.total_steps or None
        description = summary.progress_text(self.state)
        loss = self.state.curves["train/loss"].last
        if loss is not None:
            description += f" · loss {loss:.3f}"
        self._bar.update(
            self._task,
            completed=self.state.step,
            total=total,
            description=description,
            status=summary.status_label(self.state.status),
        )


def describe_origin(origin: dict[str, Any]) -> str:
    """Describe an entry of a run's ``origins``, for example where the weights came from."""
    from core.sources.origin import Origin

    known = {key: origin[key] for key in ("kind", "name", "note") if key in origin}
    counts = f", {origin['taken']:,} of {origin['available']:,}" if "taken" in origin else ""
    if corrections := origin.get("corrections"):
        counts += f"; {corrections['name']}: {corrections['flipped']} flipped, {corrections['dropped']} dropped"
    return Origin(**known).describe() + counts
