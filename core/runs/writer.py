"""Writes a run directory: a new one, or that of a run that is resumed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from core.atomic_write import write_text_atomically
from core.config.schema import RunConfig
from core.config.toml_file import to_toml
from core.errors import InputError
from core.runs.directory import APPLIED_CORRECTIONS, LOCK, MODEL, OWNER, Part, Run, predictions_file
from core.runs.events import Event, RunFinished, to_line


class RunWriter:
    """Writes one run directory, until :meth:`close`. Only one process may do so at a time.

    Raises InputError, which names the other process, if one writes the run already.
    """

    LOCK_PATIENCE_S = 1.0
    """Seconds to wait for the lock: checking whether a run is live holds it for a moment."""

    def __init__(self, path: Path) -> None:
        self.run = Run(path)
        self.saving_fails_since: float | None = None
        self._pending = b""
        self._lock = FileLock(path / LOCK, thread_local=False)
        try:
            self._lock.acquire(timeout=self.LOCK_PATIENCE_S)
        except Timeout:
            raise InputError(self.run.owner_message()) from None
        try:
            self._file = os.open(self.run.events_path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            if self._ends_torn():
                self._pending = b"\n"  # the line that a crash cut off is ended first
            owner = {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "process_started": psutil.Process().create_time(),
            }
            write_text_atomically(path / OWNER, json.dumps(owner | {"launch": launch_id()}) + "\n")
        except BaseException:
            self._lock.release()
            raise

    def _ends_torn(self) -> bool:
        size = os.fstat(self._file).st_size
        return size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    @property
    def path(self) -> Path:
        return self.run.path

    def append(self, event: Event) -> OSError | None:
        """Write one event as a line; the last event of a run is also synced to the disk.

        What cannot be written stays in memory and is written before the next line. The error is returned, so that the
        caller can warn and continue.
        """
        self._pending += to_line(event).encode() + b"\n"
        try:
            self._write_pending()
            if isinstance(event, RunFinished):
                os.fsync(self._file)
        except OSError as error:
            self.saving_fails_since = self.saving_fails_since or event.time
            return error
        self.saving_fails_since = None
        return None

    def _write_pending(self) -> None:
        while self._pending:
            self._pending = self._pending[os.write(self._file, self._pending) :]

    def write_environment(self, environment: dict[str, Any]) -> None:
        write_text_atomically(self.path / "environment.json", json.dumps(environment, indent=2) + "\n")

    def write_model(self, config: dict[str, Any], tokenizer: str) -> None:
        """Store the encoder's configuration and the tokenizer, which resuming and exporting the run need."""
        folder = self.path / MODEL
        folder.mkdir(exist_ok=True)
        write_text_atomically(folder / "config.json", json.dumps(config, indent=2) + "\n")
        write_text_atomically(folder / "tokenizer.json", tokenizer)

    def write_corrections(self, corrections: str) -> None:
        """Store the corrections of labels that the run applies: resuming it must not depend on the original file."""
        write_text_atomically(self.path / APPLIED_CORRECTIONS, corrections)

    def write_predictions(
        self,
        epoch: int,
        ids: Sequence[int],
        labels: Sequence[int],
        logits: Sequence[float],
        *,
        part: Part = "validation",
    ) -> None:
        """Store the predictions of one epoch.

        A paired comparison of two runs needs those of the validation reviews, learning dynamics also the others.
        """
        folder = self.path / "predictions"
        folder.mkdir(exist_ok=True)
        rows = "".join(f"{i},{label},{logit!r}\n" for i, label, logit in zip(ids, labels, logits, strict=True))
        write_text_atomically(folder / predictions_file(epoch, part), "id,label,logit\n" + rows)

    def close(self, *, remove: bool = False) -> None:
        """Write what is still in memory, if possible, and release the run: it is no longer live.

        With ``remove``, delete its directory: for a run that never started.
        """
        with suppress(OSError):
            self._write_pending()
        os.close(self._file)
        (self.path / OWNER).unlink(missing_ok=True)
        self._lock.release()
        if remove:
            shutil.rmtree(self.path, ignore_errors=True)


def create_run(
    root: Path, config: RunConfig, *, now: Callable[[], datetime] = lambda: datetime.now().astimezone()
) -> RunWriter:
    """Create a run directory under ``root``. Raises InputError if that is not possible."""
    name = f"{now():%Y%m%d-%H%M%S}-{_slug(config.preset)}"
    path = writer = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        path = _new_directory(root, name)
        writer = RunWriter(path)
        write_text_atomically(path / "config.toml", to_toml(config))
    except OSError as error:
        if writer is not None:
            writer.close()
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)  # without a configuration it would never be listed
        raise InputError(
            f"the runs directory {root} cannot be written ({error.strerror}); "
            "choose another with --runs-dir or IMDB_TUI_RUNS"
        ) from None
    return writer


def launch_id() -> str:
    """An id that all processes of one torchrun share, also after its restarts; empty without torchrun."""
    run_id = os.environ.get("TORCHELASTIC_RUN_ID", "")
    # Without a rendezvous id every launch is called "none"; the parent process then identifies it.
    return f"{run_id}/{os.getppid()}@{socket.gethostname()}" if run_id == "none" else run_id


def _new_directory(root: Path, name: str) -> Path:
    """Create a directory; two programs that start in the same second get different ones."""
    for number in range(1, 1000):
        path = root / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise OSError(errno.EEXIST, "there are already 1,000 runs with that name")


def _slug(preset: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_.-]+", "-", preset).strip("-.")[:40] or "run"
