"""The run directory: written while training, read by every view, listed and compared afterwards.

<runs>/20261123-221501-pretrained/
  config.toml        what reproduces the run
  environment.json   versions, device, dtype with reason, origins with hashes
  events.jsonl       one JSON object a line, append-only
  owner.json         the process that trains, for as long as it does
  predictions/       validation predictions, one CSV an epoch
  checkpoints/       weights
"""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import platformdirs
import psutil

from core.config import RunConfig, from_toml, to_toml
from core.errors import InputError
from core.events import LIVE, Event, RunFinished, RunState, Status, StepLogged, from_line, to_line

ELSEWHERE_LIVE_S = 60.0
"""A run owned by another host counts as live while its events are younger than this."""


def runs_root(given: str | os.PathLike[str] | None = None) -> Path:
    """The runs directory: the one given, else ``$IMDB_TUI_RUNS``, else the user data directory."""
    chosen = given or os.environ.get("IMDB_TUI_RUNS")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("imdb-tui")) / "runs"


def write_text_atomically(path: Path, text: str) -> None:
    """Writes beside the target, syncs, renames: the file is the old one or the new one, never half of one."""
    # Not tempfile's, whose files nobody but their owner may read: a run on a shared disk is for everyone to see.
    name = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with name.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


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
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content.rfind(b"\n") + 1
        self._offset += whole
        events: list[Event] = []
        wants_step = True
        for line in reversed(content[:whole].split(b"\n")[:-1]):
            if not wants_step and line.startswith(b'{"event": "step"'):
                continue
            try:
                events.append(from_line(line.decode("utf-8")))
            except ValueError:
                self.skipped += 1
            else:
                wants_step = wants_step and (self._steps or not isinstance(events[-1], StepLogged))
        return events[::-1]

    def torn(self) -> bool:
        """Whether the file ends in the middle of a line."""
        try:
            return self.path.stat().st_size > self._offset
        except FileNotFoundError:
            return False


@dataclass(frozen=True, slots=True)
class Run:
    """One run directory, for reading."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def created(self) -> datetime:
        """Local time from the directory's name, else its modification time."""
        try:
            return datetime.strptime(self.name[:15], "%Y%m%d-%H%M%S").astimezone()
        except ValueError:
            return datetime.fromtimestamp(self.path.stat().st_mtime).astimezone()

    def config(self) -> RunConfig:
        """The run's resolved configuration. Raises InputError where it is missing or damaged."""
        path = self.path / "config.toml"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: the run's configuration cannot be read ({error})") from None
        return from_toml(text, preset="unknown", where=str(path))

    def environment(self) -> dict[str, Any]:
        """Versions, device and origins; empty where none was written."""
        try:
            content = json.loads((self.path / "environment.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def state(self, *, steps: bool = True) -> RunState:
        """The fold of the run's events; its status says ``interrupted`` where nobody writes on."""
        reader = EventReader(self.events_path, steps=steps)
        state = RunState(run=self.name, preset=self.name[16:])
        for event in reader.read():
            state.apply(event)
        state.skipped_lines = reader.skipped
        state.status = self.status(state)
        if reader.torn() and state.status not in LIVE:
            state.skipped_lines += 1
        return state

    def status(self, state: RunState) -> Status:
        """``state.status``, corrected for a run that died without writing its end."""
        return "interrupted" if state.status in LIVE and not self.is_live() else state.status

    def is_live(self) -> bool:
        """Whether the process that owns the run still lives."""
        try:
            owner = json.loads((self.path / "owner.json").read_text(encoding="utf-8"))
            if owner["host"] != socket.gethostname():
                return time.time() - self.events_path.stat().st_mtime < ELSEWHERE_LIVE_S
            process = psutil.Process(owner["pid"])
            # A killed process that its parent has not yet waited for still has its number.
            dead = process.status() == psutil.STATUS_ZOMBIE
            return not dead and bool(abs(process.create_time() - owner["process_started"]) < 1.0)
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return False

    def predictions(self, epoch: int) -> list[tuple[int, int, float]]:
        """(review id, label, logit) of each validation review after ``epoch``.

        Raises InputError where they are missing or damaged.
        """
        path = self.path / "predictions" / f"epoch-{epoch}.csv"
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return [(int(r["id"]), int(r["label"]), float(r["logit"])) for r in csv.DictReader(file)]
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(f"{path}: the run's predictions cannot be read ({error})") from None


def list_runs(root: Path) -> list[Run]:
    """All runs in ``root``, newest first; an absent directory has none."""
    try:
        found = [Run(path) for path in root.iterdir() if (path / "config.toml").is_file()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"the runs directory {root} cannot be read ({error.strerror}); choose another with --runs-dir"
        ) from None
    return sorted(found, key=lambda run: run.name, reverse=True)


def find_run(root: Path, name: str) -> Run:
    """The run of that name, of a unique beginning of a name, or ``last``. Raises InputError for none or several."""
    runs = list_runs(root)
    if not name:
        raise InputError("the name of the run is empty; `imdb-tui runs` lists them")
    if name == "last" and runs:
        return runs[0]
    matches = [run for run in runs if run.name == name] or [run for run in runs if run.name.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise InputError(f"{name!r} could be any of {', '.join(run.name for run in matches)}; write more of it")
    raise InputError(f"there is no run {name!r} in {root}; `imdb-tui runs` lists them")


class RunWriter:
    """A run directory while its run is being written; made by :func:`create_run`, ended by :meth:`close`."""

    def __init__(self, path: Path) -> None:
        self.run = Run(path)
        self.saving_fails_since: float | None = None
        self._file = os.open(self.run.events_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._pending = b""

    @property
    def path(self) -> Path:
        return self.run.path

    def append(self, event: Event) -> OSError | None:
        """Hands one event's line to the system, the last one down to the disk.

        What cannot be written waits in memory and goes out before the next line; the error is returned, so
        that the caller can say so and go on.
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

    def write_predictions(self, epoch: int, ids: Sequence[int], labels: Sequence[int], logits: Sequence[float]) -> None:
        """Keeps the validation predictions of one epoch: what makes a paired comparison possible."""
        folder = self.path / "predictions"
        folder.mkdir(exist_ok=True)
        rows = "".join(f"{i},{label},{logit!r}\n" for i, label, logit in zip(ids, labels, logits, strict=True))
        write_text_atomically(folder / f"epoch-{epoch}.csv", "id,label,logit\n" + rows)

    def close(self) -> None:
        """Writes what a full disk kept waiting, if it can, and gives up ownership: the run is no longer live."""
        with suppress(OSError):
            self._write_pending()
        os.close(self._file)
        (self.path / "owner.json").unlink(missing_ok=True)


def create_run(
    root: Path, config: RunConfig, *, now: Callable[[], datetime] = lambda: datetime.now().astimezone()
) -> RunWriter:
    """Makes a new run directory under ``root``. Raises InputError where that cannot be done."""
    name = f"{now():%Y%m%d-%H%M%S}-{_slug(config.preset)}"
    path = writer = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        path = _new_directory(root, name)
        owner = {
            "pid": os.getpid(),
            "process_started": psutil.Process().create_time(),
            "host": socket.gethostname(),
        }
        write_text_atomically(path / "owner.json", json.dumps(owner) + "\n")
        writer = RunWriter(path)
        write_text_atomically(path / "config.toml", to_toml(config))
    except OSError as error:
        if writer is not None:
            writer.close()
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)  # it has no configuration, so it would never be listed
        raise InputError(
            f"the runs directory {root} cannot be written ({error.strerror}); "
            "choose another with --runs-dir or IMDB_TUI_RUNS"
        ) from None
    return writer


def _new_directory(root: Path, name: str) -> Path:
    """Two programs that start in the same second get different directories."""
    for number in range(1, 1000):
        path = root / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise OSError(errno.EEXIST, "a thousand runs of that name exist")


def _slug(preset: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_.-]+", "-", preset).strip("-.")[:40] or "run"
