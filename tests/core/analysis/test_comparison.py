"""The comparison of two runs review by review, and ``imdb-tui compare``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.analysis.comparison import Paired, paired
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run


@pytest.fixture
def two(config: RunConfig, tmp_path: Path) -> tuple[Run, Run]:
    config = configured(config, train__num_epochs=1)
    first, _ = run(config, tmp_path / "runs")
    second, _ = run(configured(config, train__learning_rate=0.05), tmp_path / "runs")
    return first, second


def predict(done: Run, logits: list[float]) -> None:
    """Write other logits for the validation reviews after the first epoch."""
    labels = [(place, label) for place, label, _ in done.predictions(1)]
    rows = "".join(f"{place},{label},{logit}\n" for (place, label), logit in zip(labels, logits, strict=True))
    (done.path / "predictions" / "epoch-1.csv").write_text(f"id,label,logit\n{rows}", encoding="utf-8")


@pytest.mark.parametrize(
    ("pair", "p_value"),
    [
        (Paired(50, 0, 0, 3), 1.0),
        (Paired(0, 1, 1, 0), 1.0),
        (Paired(0, 5, 0, 0), 2 / 32),
        (Paired(0, 8, 1, 0), 2 * (1 + 9) / 512),
        (Paired(0, 1, 8, 0), 2 * (1 + 9) / 512),
    ],
)
def test_the_p_value_matches_values_computed_by_hand(pair: Paired, p_value: float) -> None:
    assert pair.p_value == pytest.approx(p_value, rel=1e-12)


def test_the_p_value_of_many_reviews_does_not_overflow() -> None:
    assert Paired(0, 1000, 1200, 0).p_value == pytest.approx(2.2e-5, rel=0.2)
    assert 0 <= Paired(0, 0, 5000, 0).p_value < 1e-300


def test_reviews_are_counted_by_the_run_that_is_correct(two: tuple[Run, Run]) -> None:
    labels = [label for _, label, _ in two[0].predictions(1)]
    right = [1.0 if label else -1.0 for label in labels]
    assert len(right) >= 6
    predict(two[0], [-right[0], -right[1], *right[2:]])
    predict(two[1], [-right[0], right[1], -right[2], -right[3], *right[4:]])
    found = paired(*two)
    assert found == Paired(both=len(right) - 4, only_first=2, only_second=1, neither=1)
    assert found.reviews == len(right)
    assert paired(two[1], two[0]) == Paired(found.both, 1, 2, 1)


def test_runs_on_different_reviews_or_without_predictions_are_refused(
    two: tuple[Run, Run], config: RunConfig, tmp_path: Path
) -> None:
    more = tmp_path / "more.csv"
    more.write_text(Path(config.data.source).read_text(encoding="utf-8") + "one more,positive\n", encoding="utf-8")
    other, _ = run(configured(config, train__num_epochs=1, data__source=str(more)), tmp_path / "runs")
    with pytest.raises(InputError, match="were not validated on the same reviews"):
        paired(two[0], other)
    (two[1].path / "predictions" / "epoch-1.csv").unlink()
    with pytest.raises(InputError, match="predictions cannot be read"):
        paired(*two)


def test_compare_shows_results_differences_and_paired_counts(call: Call, two: tuple[Run, Run], tmp_path: Path) -> None:
    names, root = [done.name for done in two], tmp_path / "runs"
    found = paired(*two)
    code, out, err = call("compare", *names, "--runs-dir", root)
    assert (code, err) == (0, "")
    lines = {line.split("  ")[0]: line.split() for line in out.splitlines()}
    assert lines["train.learning_rate"][1:] == ["0.001", "0.05"]
    assert lines["status"][1:] == ["✓", "completed", "✓", "completed"]
    assert (
        f"of {found.reviews} reviews, both runs predict {found.both} correctly, only the first {found.only_first}"
        in out
    )
    code, out, _ = call("compare", *names, "--json", "--runs-dir", root)
    answer = json.loads(out)
    assert [each["run"] for each in answer["runs"]] == names
    assert answer["differences"] == {"train.learning_rate": [0.001, 0.05]}
    assert answer["paired"][0]["both"] == found.both
    for wrong in ([names[0]], [names[0], names[0]]):
        assert "give at least two different runs" in refused(call("compare", *wrong, "--runs-dir", root))


def test_runs_on_different_reviews_are_compared_without_paired_counts(
    call: Call, two: tuple[Run, Run], tmp_path: Path
) -> None:
    (two[1].path / "predictions" / "epoch-1.csv").unlink()
    code, out, _ = call("compare", *(done.name for done in two), "--runs-dir", tmp_path / "runs")
    assert code == 0
    assert "predictions not compared" in out
    code, out, _ = call("compare", *(done.name for done in two), "--json", "--runs-dir", tmp_path / "runs")
    assert "cannot be read" in json.loads(out)["paired"][0]["error"]
