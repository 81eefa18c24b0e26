"""Fixtures for the tests of training and of the command line: a tiny checkpoint, and configurations for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.schema import RunConfig
from core.runs.writer import RunWriter, create_run
from tests.core.support.commands import Call, caller
from tests.core.support.events_of import started


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like those of save_pretrained, with a DistilBERT of width 16. Tests share it, so do not write to it."""
    from tests.core.support.tiny import write_checkpoint  # imports torch, which many of these tests do not need

    return write_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny(tmp_path: Path, folder: Path, reviews_csv: Path) -> str:
    """The name of a preset that trains in less than a second."""
    from tests.core.support.tiny import write_preset

    write_preset(tmp_path / "own-presets", source=reviews_csv, checkpoint=folder)
    return "tiny"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process. Returns exit code, stdout and stderr."""
    return caller(capsys)


@pytest.fixture
def config(folder: Path, reviews_csv: Path) -> RunConfig:
    """The tiny configuration over the tiny checkpoint."""
    from tests.core.support.training import tiny_config

    return tiny_config(folder, reviews_csv)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    """Writes a run that has just started; closed at the end of the test."""
    made = create_run(tmp_path, RunConfig(preset="tiny"))
    made.append(started())
    yield made
    if made.run.is_live():
        made.close()
