"""Runs on reviews of which some have equal texts: new runs keep them together, older runs keep their split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.analysis.run_reviews import reviews_of_run
from core.config.schema import RunConfig
from core.data.splits import split_reviews
from core.runs.events import Warned
from core.training import setup
from tests.core.support.resuming import assert_same, resumed
from tests.core.support.training import configured, on_step, run


@pytest.fixture
def duplicated(config: RunConfig, tmp_path: Path) -> RunConfig:
    """Reviews of which every second one has the text of the one before, with 10 other texts at the end."""
    path = tmp_path / "duplicated.csv"
    rows = [f"film {i // 2 if i < 30 else i},{i // 2 % 2}" for i in range(40)]
    path.write_text("\n".join(["review,sentiment", *rows, ""]), encoding="utf-8")
    return configured(config, data__source=str(path), train__num_epochs=2)


def test_a_run_keeps_equal_texts_together_and_resumes_bit_identically(duplicated: RunConfig, tmp_path: Path) -> None:
    whole, recorder = run(duplicated, tmp_path / "whole")
    assert [event.message for event in recorder.of(Warned) if event.message.startswith("exchanged ")]
    found = reviews_of_run(whole)
    assert not {*found.texts(found.train)} & {*found.texts(found.validation)}
    assert found.validation == [i for i, _, _ in whole.predictions(1)]
    broken, _ = run(duplicated, tmp_path / "broken", on_step(3, lambda control: control.stop("enough")))
    resumed(broken)
    assert_same(broken, whole)


def test_a_run_from_before_the_exchange_keeps_its_split_and_counts_the_duplicates(
    duplicated: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def split_as_before(*arguments: Any, **options: Any) -> Any:
        return split_reviews(*arguments, **{**options, "equal_texts_together": False})

    with monkeypatch.context() as patch:
        patch.setattr(setup, "split_reviews", split_as_before)
        whole, recorder = run(duplicated, tmp_path / "whole")
        broken, _ = run(duplicated, tmp_path / "broken", on_step(3, lambda control: control.stop("enough")))
    for one in (whole, broken):
        about = one.environment()
        del about["origins"]["reviews"][setup.EQUAL_TEXTS]
        (one.path / "environment.json").write_text(json.dumps(about), encoding="utf-8")
    resumed(broken)
    assert_same(broken, whole)
    assert [event.message for event in recorder.of(Warned) if "their accuracy is memory" in event.message]
    assert setup.EQUAL_TEXTS not in broken.environment()["origins"]["reviews"]
    found = reviews_of_run(broken)
    assert found.validation == [i for i, _, _ in whole.predictions(1)]
    assert {*found.texts(found.train)} & {*found.texts(found.validation)}
