"""What the tests of training and of the command line share: a tiny checkpoint, and what trains on it in a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.schema import RunConfig
from tests.core.support.commands import Call, caller


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that save_pretrained could have written, of a DistilBERT with a width of 16; nobody writes to it."""
    from tests.core.support.tiny import write_checkpoint  # imports torch, which half of these tests can do without

    return write_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny(tmp_path: Path, folder: Path, reviews_csv: Path) -> str:
    """The name of a preset that trains in a moment."""
    from tests.core.support.tiny import write_preset

    write_preset(tmp_path / "own-presets", source=reviews_csv, checkpoint=folder)
    return "tiny"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command in this process and returns what it answered."""
    return caller(capsys)


@pytest.fixture
def config(folder: Path, reviews_csv: Path) -> RunConfig:
    """The tiny configuration over the tiny checkpoint."""
    from tests.core.support.training import tiny_config

    return tiny_config(folder, reviews_csv)
