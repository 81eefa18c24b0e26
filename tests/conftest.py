"""What every test stands on: no network, no home directory, nothing of the person who runs the tests."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

_HOME = tempfile.TemporaryDirectory(prefix="imdb-tui-tests-")
for _name in ("HF_ENDPOINT", "HF_TOKEN", "NO_COLOR", "IMDB_TUI_RUNS", "IMDB_TUI_PRESETS", "TRANSFORMERS_OFFLINE"):
    os.environ.pop(_name, None)
# huggingface_hub reads these when it is imported, so they are set before any test module is.
os.environ.update(
    HOME=_HOME.name,
    XDG_DATA_HOME=f"{_HOME.name}/data",
    XDG_CONFIG_HOME=f"{_HOME.name}/config",
    XDG_CACHE_HOME=f"{_HOME.name}/cache",
    HF_HOME=f"{_HOME.name}/huggingface",
    HF_HUB_OFFLINE="1",
    TZ="UTC",
    TOKENIZERS_PARALLELISM="true",
)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own runs directory and its own folder of presets."""
    monkeypatch.setenv("IMDB_TUI_RUNS", str(tmp_path / "default-runs"))
    monkeypatch.setenv("IMDB_TUI_PRESETS", str(tmp_path / "own-presets"))


@pytest.fixture
def reviews_csv(tmp_path: Path) -> Path:
    """Forty short labelled reviews in a CSV file, half of each class."""
    path = tmp_path / "reviews.csv"
    rows = [
        f"film {i} was {'a warm and moving joy' if i % 2 else 'a dull and tedious bore'},"
        f"{'positive' if i % 2 else 'negative'}"
        for i in range(40)
    ]
    path.write_text("review,sentiment\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path
