"""What the headless commands print with: stdout for answers, stderr for words, and a run's progress as it goes."""

from __future__ import annotations

import os
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from core import formatting
from core.runs import summary
from core.runs.events import Event, Progressed, RunFinished, RunStarted, StepLogged
from core.runs.state import RunState


class Output(Console):
    """Prints what it is given: no markup, emoji or colouring of what people wrote; tells of a pipe that is closed."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = 10_000  # nothing is folded that a program may read line by line

    def on_broken_pipe(self) -> None:
        """Without its reader, progress on stderr falls silent and the run goes on; an answer on stdout ends."""
        self.quiet = True
        silence(self.file)
        if not self.stderr:
            raise BrokenPipeError


def silence(stream: IO[str]) -> None:
    """What is still in the buffer must go somewhere when Python flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


out, err = Output(), Output(stderr=True)


class Reporter:
    """Shows events, on stderr unless told otherwise: a live progress bar on a terminal, plain lines otherwise."""

    LINE_EVERY_S = 10.0

    def __init__(self, console: Output = err) -> None:
        self.state = RunState()
        self._console = console
        self._last_line = 0.0
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

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        before = len(self.state.log)
        self.state.apply(event)
        for moment, words in self.state.log[before:]:
            if not isinstance(event, RunFinished):
                self._line(f"{formatting.clock(moment)} {words}")
        if isinstance(event, RunStarted):
            for thing, origin in event.origins.items():
                self._line(f"         {thing}: {origin_words(origin)}")
        if self._bar:
            self._update_bar()
        elif isinstance(event, StepLogged) and event.elapsed - self._last_line >= self.LINE_EVERY_S:
            self._last_line = event.elapsed
            self._line(f"{summary.progress_text(self.state)} · loss {event.loss:.3f}")
        elif isinstance(event, Progressed) and event.done is None:
            self._line(event.message)

    def ending(self) -> str:
        """How the run ended; not among the lines, because bad input is told by whoever catches it."""
        finished = self.state.finished
        words = f": {finished.error or finished.reason}" if finished else ""
        return formatting.printable(summary.status_label(self.state.status) + words)

    def _line(self, words: str) -> None:
        self._console.print(formatting.printable(words), soft_wrap=True)

    def _update_bar(self) -> None:
        assert self._bar is not None
        total = self.state.total_steps or None
        words = summary.progress_text(self.state)
        loss = self.state.curves["train/loss"].last
        if loss is not None:
            words += f" · loss {loss:.3f}"
        self._bar.update(
            self._task,
            completed=self.state.step,
            total=total,
            description=words,
            status=summary.status_label(self.state.status),
        )


def origin_words(origin: dict[str, Any]) -> str:
    """Where one thing came from, from a run's ``origins``."""
    from core.sources.origin import Origin

    known = {key: origin[key] for key in ("kind", "name", "note") if key in origin}
    counts = f", {origin['taken']:,} of {origin['available']:,}" if "taken" in origin else ""
    return Origin(**known).describe() + counts
