"""The comparison of two runs review by review, and ``imdb-tui compare``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.analysis.comparison import (
    AtEpoch,
    Cell,
    Paired,
    common_predictions,
    compare_all,
    compare_predictions,
    compared_reviews,
    find_at_epoch,
    flipped,
    paired,
)
from core.analysis.predictions import validation_predictions
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.simulated import predictions_of
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
    with pytest.raises(InputError, match="did not predict the same reviews; evaluate both"):
        paired(two[0], other)
    (two[1].path / "predictions" / "epoch-1.csv").unlink()
    with pytest.raises(InputError, match="predictions cannot be read"):
        paired(*two)


def test_compare_shows_results_differences_and_paired_counts(call: Call, two: tuple[Run, Run], tmp_path: Path) -> None:
    names, root = [done.name for done in two], tmp_path / "runs"
    found = paired(*two)
    code, out, err = call("compare", *names, "--runs-dir", root)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == found.verdict(*names)
    lines = {line.split("  ")[0]: line.split() for line in out.splitlines()}
    assert lines["train.learning_rate"][1:] == ["0.001", "0.05"]
    assert lines["status"][1:] == ["✓", "completed", "✓", "completed"]
    cells = (found.reviews, found.both, found.only_first, found.only_second, found.neither)
    rows = ("reviews", "both correct", "only first correct", "only this correct", "neither correct")
    assert [lines[row][-2:] for row in rows] == [["–", str(n)] for n in cells]
    assert lines["compared on"][-1] == "validation"
    code, out, _ = call("compare", *names, "--json", "--runs-dir", root)
    answer = json.loads(out)
    assert [each["run"] for each in answer["runs"]] == names
    assert answer["differences"] == {"train.learning_rate": [0.001, 0.05]}
    (pair,) = answer["paired"]
    assert [pair[key] for key in ("run", "data", "reviews", "both")] == [names[1], "validation", *cells[:2]]
    assert pair["difference"] == found.difference
    assert pair["interval"] == pytest.approx(found.interval)
    assert pair["verdict"] == found.verdict(*names)
    assert pair["needed_reviews"] == found.needed_reviews
    assert pair["p_adjusted"] == pair["p_value"] == found.p_value
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


def test_the_difference_is_second_minus_first(two: tuple[Run, Run]) -> None:
    first, second = (validation_predictions(done).correct.mean() for done in two)
    assert paired(*two).difference == pytest.approx(second - first)


def test_only_common_reviews_with_the_same_label_are_compared() -> None:
    first = predictions_of([1, 1, 0, 0], [1.0, -1.0, -2.0, 3.0])
    second = predictions_of([1, 0, 1, 1, 0], [2.0, 1.0, -1.0, 1.0, 1.0])
    second.ids[:] = [7, 3, 1, 2, 9]
    assert compare_predictions(first, second) == Paired(both=0, only_first=0, only_second=0, neither=2)
    second.ids[:] = [10, 11, 12, 13, 14]
    with pytest.raises(InputError, match="did not predict the same reviews"):
        compare_predictions(first, second)
    with pytest.raises(InputError, match="did not predict the same reviews"):
        compare_predictions(first, second.take([]))


def test_flipped_reviews_are_sorted_by_the_change_of_their_probability() -> None:
    first = predictions_of([1, 1, 0, 0], [0.5, -1.0, -2.0, 3.0])
    second = predictions_of([1, 1, 0, 0], [-0.5, 2.0, -3.0, -4.0])
    found = flipped(first, second)
    assert [each.id for each in found] == [3, 1, 0]
    assert [each.second_is_correct for each in found] == [True, True, False]
    assert found[1].first_probability == pytest.approx(0.268941, abs=1e-6)
    assert found[1].second_probability == pytest.approx(0.880797, abs=1e-6)
    assert (found[0].label, found[1].label) == (0, 1)


def test_the_reviews_of_a_cell_are_those_that_the_comparison_counts() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 60).tolist()
    first, second = (predictions_of(labels, rng.normal(size=60).tolist()) for _ in range(2))
    counts = compare_predictions(first, second)
    cells: tuple[Cell, ...] = ("both", "only_first", "only_second", "neither")
    for cell in cells:
        found = compared_reviews(first, second, (cell,))
        assert len(found) == getattr(counts, cell) > 0
        assert {each.cell for each in found} == {cell}
        assert [first.ids[each.row] for each in found] == [each.id for each in found]
    assert sorted(each.id for each in compared_reviews(first, second, cells)) == first.ids.tolist()


def test_two_epochs_of_a_run_are_compared(call: Call, config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(config, tmp_path / "runs")
    name = done.name
    one, last = common_predictions(AtEpoch(done, 1), done)
    assert (one.checkpoint, last.checkpoint) == ("epoch-1", "epoch-2")
    assert one.ids.tolist() == last.ids.tolist() == validation_predictions(done).ids.tolist()
    code, out, _ = call("compare", f"{name}@epoch-1", name, "--json", "--runs-dir", tmp_path / "runs")
    assert code == 0
    answer = json.loads(out)
    assert answer["runs"][0]["compared_epoch"] == 1
    assert answer["paired"][0]["verdict"] == paired(AtEpoch(done, 1), done).verdict(f"{name}@epoch-1", name)
    code, out, _ = call("compare", f"{name}@1", f"{name}@epoch-2", "--runs-dir", tmp_path / "runs")
    assert f"{name}@epoch-1" in out
    assert "last val acc" not in out
    for wrong, message in (
        (f"{name}@epoch-3", "has no epoch 3; it has finished 2"),
        (f"{name}@step-4", "runs are compared after an epoch"),
        (f"{name}@", "runs are compared after an epoch"),
        (f"{name}@epoch-2", "give at least two different runs"),
    ):
        assert message in refused(call("compare", name, wrong, "--runs-dir", tmp_path / "runs"))
    assert find_at_epoch(tmp_path / "runs", "last") == AtEpoch(done)


def test_several_runs_are_each_compared_with_the_first(
    call: Call, two: tuple[Run, Run], config: RunConfig, tmp_path: Path
) -> None:
    third, _ = run(configured(config, train__num_epochs=1, train__learning_rate=0.02), tmp_path / "runs")
    broken, _ = run(configured(config, train__num_epochs=1, train__learning_rate=0.03), tmp_path / "runs")
    (broken.path / "predictions" / "epoch-1.csv").unlink()
    found = compare_all(two[0], [two[1], broken, third])
    assert isinstance(found[1], InputError)
    compared = [pair for pair in found if isinstance(pair, Paired)]
    assert [pair.comparisons for pair in compared] == [2, 2]
    assert all(pair.p_adjusted is not None and pair.p_adjusted >= pair.p_value for pair in compared)
    names = [done.name for done in (*two, broken, third)]
    code, out, _ = call("compare", *names, "--runs-dir", tmp_path / "runs")
    assert code == 0
    assert "p (Holm)" in out
    assert f"{broken.name}: predictions not compared: " in out.splitlines()[1]
