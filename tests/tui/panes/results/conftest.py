"""A run that was really trained, with the tiny model, and its reviews."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import core.training.setup  # noqa: F401 - now, or it would take what other tests put in its place for the real thing
from core.runs.directory import Run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one run of two epochs over forty reviews, ten of which are wrongly labelled."""
    from tests.core.support.tiny import write_checkpoint
    from tests.core.support.training import run, tiny_config

    folder = tmp_path_factory.mktemp("results")
    lines = ["review,sentiment"]
    for i in range(40):
        positive = (i % 2) != (i % 8 == 0)
        words = "a warm and moving joy" if i % 2 else "a dull and tedious bore"
        lines.append(f"film {i} was {words}<br /><br />and it was {words},{'positive' if positive else 'negative'}")
    reviews = folder / "reviews.csv"
    reviews.write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(tiny_config(write_checkpoint(folder / "checkpoint"), reviews), folder / "runs")
    return folder


@pytest.fixture
def results_root(trained: Path, tmp_path: Path) -> Path:
    """A copy of the runs directory, for one test."""
    root = tmp_path / "runs"
    shutil.copytree(trained / "runs", root)
    return root


@pytest.fixture
def results_run(results_root: Path) -> Run:
    """The only run in it."""
    return Run(next(results_root.iterdir()))
