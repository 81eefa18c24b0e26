"""A run that is killed with SIGKILL at any moment, also while it saves, resumes bit-identically.

Ten kills by default; ``IMDB_TUI_KILLS=50 python -m pytest tests/core/training/test_kills.py`` makes fifty.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.config.schema import RunConfig
from core.config.toml_file import to_toml
from core.runs.directory import list_runs
from tests.core.support.resuming import assert_same
from tests.core.support.training import configured, run

KILLS = int(os.environ.get("IMDB_TUI_KILLS", "10"))


@pytest.mark.slow
@pytest.mark.timeout(60 + 10 * KILLS)
def test_a_run_killed_many_times_ends_bit_identical_to_one_never_killed(config: RunConfig, tmp_path: Path) -> None:
    config = configured(
        config,
        model__head_dropout=0.3,
        train__reshuffle_each_epoch=True,
        train__num_epochs=5 + KILLS,
        train__save_steps=1,
        train__keep_best=True,
    )
    (tmp_path / "config.toml").write_text(to_toml(config), encoding="utf-8")
    root = tmp_path / "killed"
    answer = subprocess.run(
        [sys.executable, "-m", "tests.core.support.kill_loop", root, tmp_path / "config.toml", str(KILLS), "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    assert (summary["killed"], summary["statuses"]) == (KILLS, ["interrupted"])
    assert summary["killed_while_saving"] > 0
    plain, _ = run(config, tmp_path / "plain")
    (killed,) = list_runs(root)
    assert killed.state().skipped_lines <= KILLS
    assert_same(killed, plain)
