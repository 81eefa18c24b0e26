"""The run directory: where its files are, which runs there are, and whether the process of a run is alive.

<runs>/20261123-221501-pretrained/
  config.toml        what reproduces the run
  environment.json   versions, device, dtype with reason, origins with hashes
  events.jsonl       one JSON object per line, append-only
  owner.json         the process that trains, while it does; it then also holds a lock on .lock
  model/             the encoder's configuration and the tokenizer, as transformers reads them
  predictions/       one CSV per epoch with the validation predictions, and one with those of the training reviews
  evaluations/       predictions of other reviews, one folder per evaluation
  checkpoints/       what resuming needs: the last two checkpoints, and the best one if that is configured
  requests/          what other processes ask of the run
  corrections.csv    a user's decisions about wrong labels, for data.corrections of later runs
  applied-corrections.csv    the content of data.corrections when the run started, if it was set
"""

from __future__ import annotations

import csv
import json
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.config.schema import RunConfig
from core.config.toml_file import from_toml
from core.errors import InputError
from core.runs.files import read_text
from core.user_path import user_path

if TYPE_CHECKING:
    from core.runs.state import RunState

OWNER, LOCK, MODEL = "owner.json", ".lock", "model"
CORRECTIONS, APPLIED_CORRECTIONS = "corrections.csv", "applied-corrections.csv"

Part = Literal["train", "validation"]
"""The reviews that a run trains on, or those that it validates on."""

ELSEWHERE_LIVE_S = 60.0
"""A run owned by another host counts as live while its events are younger than this."""


def runs_root(given: str | os.PathLike[str] | None = None) -> Path:
    """The runs directory: the one given, else ``$IMDB_TUI_RUNS``, else the user data directory."""
    if chosen := given or os.environ.get("IMDB_TUI_RUNS"):
        return user_path(chosen)
    import platformdirs

    return Path(platformdirs.user_data_dir("imdb-tui")) / "runs"


@dataclass(frozen=True, slots=True)
class Run:
    """One run directory, for reading."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def can_resume(self, state: RunState) -> bool:
        """Whether there is a checkpoint, which is verified later, or none was saved, so that the run starts again.

        ``state`` is that of the run; its status must also allow it.
        """
        saved_one = any(mark.kind == "checkpoint" for mark in state.marks)
        return not saved_one or any((self.path / "checkpoints").glob("step-*"))

    @property
    def events_path(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def created(self) -> datetime:
        """Local time from the directory's name, else its modification time; 1970 if there is none."""
        try:
            return datetime.strptime(self.name[:15], "%Y%m%d-%H%M%S").astimezone()
        except ValueError:
            pass
        try:
            return datetime.fromtimestamp(self.path.stat().st_mtime).astimezone()
        except (OverflowError, ValueError, OSError):
            return datetime.fromtimestamp(0, tz=UTC)

    def config(self) -> RunConfig:
        """The run's resolved configuration. Raises InputError where it is missing or damaged."""
        path = self.path / "config.toml"
        try:
            text = read_text(path)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: the run's configuration cannot be read ({error})") from None
        return from_toml(text, preset="unknown", where=str(path))

    def environment(self) -> dict[str, Any]:
        """Versions, device and origins; empty where none was written."""
        try:
            content = json.loads(read_text(self.path / "environment.json"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def state(self, *, steps: bool = True) -> RunState:
        """The state of the run as it is on disk; without ``steps`` the curves are left out, which is fast."""
        from core.runs.reader import RunReader  # imported here because the console's first frame reads no run

        state = self.unread_state()
        state.update(RunReader(self, steps="columns" if steps else "last").read())
        return state

    def unread_state(self) -> RunState:
        """The state before the first event."""
        from core.runs.state import RunState

        return RunState(run=self.name, preset=self.name[16:])

    def owner(self) -> dict[str, Any] | None:
        """The process that trains, or that died while it did: pid, host, process_started, launch."""
        try:
            owner = json.loads(read_text(self.path / OWNER))
        except (OSError, ValueError):
            return None
        return owner if isinstance(owner, dict) else None

    def owner_message(self) -> str:
        """Which process writes the run, for the error that refuses a second one."""
        owner = self.owner() or {}
        pid, host = owner.get("pid", "?"), owner.get("host", "an unknown host")
        return f"run {self.name} is being written by process {pid} on {host}; stop that one first"

    def is_live(self) -> bool:
        """Whether the process that owns the run is alive."""
        owner = self.owner()
        if owner is None:
            return False
        try:
            if owner["host"] != socket.gethostname():
                return time.time() - self.events_path.stat().st_mtime < ELSEWHERE_LIVE_S
            if (self.path / LOCK).exists():
                return self._is_locked()
            return _process_lives(owner)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _is_locked(self) -> bool:
        """The system releases the lock when its process ends, even if the clock changed or the pid was reused."""
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.path / LOCK, timeout=0):
                return False
        except Timeout:
            return True

    def predictions(self, epoch: int, part: Part = "validation") -> list[tuple[int, int, float]]:
        """(review id, label, logit) of each validation review after ``epoch``, or of each training review during it.

        The logits of training reviews are computed with dropout, each before the update of its own step. Raises
        InputError where they are missing or damaged.
        """
        path = self.path / "predictions" / predictions_file(epoch, part)
        try:
            lines = read_text(path).splitlines()
            return [(int(r["id"]), int(r["label"]), float(r["logit"])) for r in csv.DictReader(lines)]
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(f"{path}: the run's predictions cannot be read ({error})") from None


def predictions_file(epoch: int, part: Part) -> str:
    """Name of the file with the predictions of ``epoch``, counted from 1, in the folder ``predictions``."""
    return f"{'train-' if part == 'train' else ''}epoch-{epoch}.csv"


def _process_lives(owner: dict[str, Any]) -> bool:
    import psutil

    try:
        process = psutil.Process(owner["pid"])
        # A killed process keeps its pid until its parent has waited for it.
        dead = process.status() == psutil.STATUS_ZOMBIE
        return not dead and bool(abs(process.create_time() - owner["process_started"]) < 1.0)
    except psutil.Error:
        return False


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
    # Among runs of the same second and preset, -10 sorts after -2.
    return sorted(found, key=lambda run: (run.name[:15], len(run.name), run.name), reverse=True)


def find_run(root: Path, name: str) -> Run:
    """The run with that name, with a unique prefix of it, or ``last``. Raises InputError for none or several."""
    runs = list_runs(root)
    if not name:
        raise InputError("the name of the run is empty; `imdb-tui runs` lists them")
    if name == "last" and runs:
        return runs[0]
    matches = [run for run in runs if run.name == name] or [run for run in runs if run.name.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise InputError(f"{name!r} could be any of {', '.join(run.name for run in matches)}; type more of the name")
    raise InputError(f"there is no run {name!r} in {root}; `imdb-tui runs` lists them")
