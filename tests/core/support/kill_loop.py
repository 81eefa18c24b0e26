"""Train one run in several processes, one after another, each killed with SIGKILL at a random moment but the last.

``python -m tests.core.support.kill_loop ROOT CONFIG.toml KILLS SEED`` prints a summary as JSON.
torch is imported once and each process is a fork, so that it starts in a tenth of a second.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

from core.config.toml_file import from_toml
from core.runs.directory import list_runs
from core.runs.events import Event
from core.training.control import Control
from core.training.loop import train
from core.training.preload import preload
from core.training.resume import resume


def train_or_resume(root: Path, config_path: Path, pipe: int) -> None:
    """Train the run or resume it, and write a byte to ``pipe`` for each event."""

    def emit(_: Event) -> None:
        os.write(pipe, b".")

    runs = list_runs(root)
    if runs:
        resume(runs[0], Control(), emit)
    else:
        train(from_toml(config_path.read_text(encoding="utf-8"), preset="kills", where=""), root, Control(), emit)


def run_process(root: Path, config_path: Path, chance: random.Random, *, kill: bool) -> bool:
    """Run one process. Returns whether it was killed, perhaps before the run has saved a checkpoint."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            train_or_resume(root, config_path, writer)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(writer)
    wanted = chance.randint(1, 12)
    seen = b""
    while kill and len(seen) < wanted:
        more = os.read(reader, 1)
        if not more:
            break
        seen += more
    if kill:
        time.sleep(chance.random() * 0.012)
        os.kill(child, signal.SIGKILL)
    else:
        while os.read(reader, 1024):
            pass
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"a process ended with exit code {os.WEXITSTATUS(status)}")
    return os.WIFSIGNALED(status)


def main(root: Path, config_path: Path, kills: int, seed: int) -> None:
    preload()
    chance = random.Random(seed)
    killed, statuses, saving, steps = 0, set(), 0, []
    while killed < kills:
        if not run_process(root, config_path, chance, kill=True):
            break
        killed += 1
        (run,) = list_runs(root)
        state = run.state(steps=False)
        statuses.add(state.status)
        steps.append(state.step)
        saving += any((run.path / "checkpoints").glob(".step-*"))
    run_process(root, config_path, chance, kill=False)
    print(json.dumps({"killed": killed, "statuses": sorted(statuses), "killed_while_saving": saving, "steps": steps}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
