"""Compare: the verdict, the interval, the four cells, and the reviews in them."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager

import pytest

from core.analysis.comparison import AtEpoch, common_predictions, compare_predictions, compared_reviews, paired
from core.analysis.mcnemar import Paired
from core.analysis.stored_evaluations import stored_evaluations
from core.runs.directory import Run
from tests.core.support.training import run, tiny_config
from tui.panes.results.compare import FLIPPED, LISTS, ComparePage
from tui.panes.results.difference_view import CellTable, difference_bar
from tui.panes.results.opponents import compare_with, opponents, shared_data, short_name
from tui.panes.results.subject import subjects_of
from tui.widgets.tinted_text import TintedText


def change_predictions(run: Run, epoch: int, logits: dict[int, float]) -> None:
    """Store other logits for the first validation reviews after ``epoch``; the keys are places in the file."""
    rows = run.predictions(epoch)
    lines = [f"{row},{label},{logits.get(i, logit)}" for i, (row, label, logit) in enumerate(rows)]
    path = run.path / "predictions" / f"epoch-{epoch}.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


@pytest.fixture
def second_run(results_root, results_run) -> Run:
    """A newer copy of the run that predicts each review with the other sign."""
    path = results_root / f"{results_run.name[:9]}235959-other"
    shutil.copytree(results_run.path, path)
    run = Run(path)
    change_predictions(run, 2, {i: -logit for i, (_, _, logit) in enumerate(results_run.predictions(2))})
    return run


@pytest.fixture
def open_compare(open_console, results_root, results_run):
    @asynccontextmanager
    async def opened(run=results_run, **options):
        async with open_console(root=results_root, **options) as console:
            await console.app.show_results(run)
            await console.see("95 % interval")
            await console.press("v")
            yield console

    return opened


async def test_it_shows_the_verdict_of_the_analysis_and_the_names(open_compare, results_run, second_run):
    pair = paired(results_run, second_run)
    names = short_name(AtEpoch(results_run)), short_name(AtEpoch(second_run))
    verdict = pair.verdict(*names)
    async with open_compare(size=(160, 40)) as console:
        await console.see(f"first {names[0]}", f"second {names[1]}", verdict[:100], "McNemar p = ")
        await console.see("◀ tiny", "other 23:59:59 better ▶")
        await console.press("y")
        assert console.app.clipboard == verdict


async def test_the_cells_and_the_flipped_reviews_are_those_of_the_predictions(open_compare, results_run, second_run):
    first, second = common_predictions(results_run, second_run)
    expected = compared_reviews(first, second, FLIPPED)
    assert len(expected) == 8
    async with open_compare() as console:
        await console.see("8 reviews predicted differently", "film ")
        page = console.app.query_one(ComparePage)
        assert page._listed == expected
        found = expected[0]
        await console.see(f"first {found.first_probability:.3f}", f"second {found.second_probability:.3f}")
        start = page.current_text().partition("<br")[0]
        shown = page.query_one(TintedText)
        await console.until(lambda: start and shown._text.startswith(start), "the review")
        before = page.current_text()
        await console.press("down")
        await console.until(lambda: page.current_text() != before, "the next review")


async def test_x_a_click_and_enter_list_the_reviews_of_a_cell(open_compare, results_run, second_run):
    counts = compare_predictions(*common_predictions(results_run, second_run))
    async with open_compare() as console:
        await console.see("8 reviews predicted differently")
        page = console.app.query_one(ComparePage)
        for cells in LISTS[1:]:
            await console.press("x")
            await console.until(lambda: page._cells == cells, str(cells))  # noqa: B023
            assert len(page._listed) == getattr(counts, cells[0])
        await console.see("no review is in this cell")
        await console.press("escape")
        await console.see("8 reviews predicted differently")
        await console.pilot.click(CellTable, offset=(24, 2))
        await console.see(f"{counts.only_second} review", "only second right")
        console.app.query_one(CellTable).focus()
        await console.press("up", "right", "enter")
        await console.see("only first right")


async def test_without_another_run_two_epochs_are_compared_and_o_lists_all(open_compare, results_run, results_root):
    async with open_compare() as console:
        await console.see("epoch 2", "epoch 1", "cannot be told apart")
        await console.press("o")
        await console.see("Compare with:", "epoch 1 · validation")
        await console.press("escape")
    offered = opponents(results_root, subjects_of(results_run)[-1])
    assert [(each.at.run, each.at.epoch) for each in offered] == [(results_run, 1)]


async def test_o_compares_with_the_chosen_run(open_compare, results_run, second_run):
    async with open_compare(second_run) as console:
        await console.see("second tiny")
        await console.press("o")
        await console.see("Compare with:", "other", "tiny")
        await console.press("home", "enter")
        await console.see("first other 23:59:59 epoch 2", "second other 23:59:59 epoch 1")


async def test_two_marked_runs_open_on_compare(open_console, results_root, results_run, second_run):
    async with open_console(root=results_root) as console:
        await console.press("5")
        await console.see("tiny", "other")
        await console.press("space", "down", "space", "enter")
        await console.see("McNemar p = ", "predicted differently")


async def test_runs_without_common_reviews_say_why_and_n_evaluates_both(
    open_compare, results_root, results_run, tmp_path, trained
):
    path = tmp_path / "others.csv"
    lines = [f"a {'moving' if i % 2 else 'dull'} play {i},{'positive' if i % 2 else 'negative'}" for i in range(40)]
    path.write_text("review,sentiment\n" + "\n".join(lines) + "\n", encoding="utf-8")
    second, _ = run(tiny_config(trained / "checkpoint", path), results_root)
    assert shared_data(second, results_run) == str(path)
    assert "did not predict the same reviews" in compare_with(AtEpoch(results_run), AtEpoch(second)).problem
    async with open_compare(second) as console:
        await console.see("epoch 2", "epoch 1", "McNemar")  # the other run cannot be compared
        await console.press("o")
        await console.see("Compare with:")
        await console.press("end", "enter")
        await console.see("✗", "did not predict the same reviews", "Press n to evaluate both")
        await console.press("n")
        await console.see("Evaluate both on the same other reviews", "500 reviews")
        await console.press("enter")
        await console.until(lambda: stored_evaluations(results_run), "the evaluation")
        await console.see("of validation + others · McNemar p = ")
    assert [each.n for each in stored_evaluations(results_run)] == [40]


@pytest.mark.parametrize(
    ("pair", "side"), [(Paired(10, 5, 5, 10), 0), (Paired(300, 10, 60, 30), 1), (Paired(300, 60, 10, 30), -1)]
)
def test_the_bar_has_the_interval_on_the_side_of_the_better_one(pair, side):
    names, bar, axis = difference_bar(pair, "quick", "improved", 81).plain.split("\n")
    assert names.startswith("◀ quick better")
    assert names.endswith("improved better ▶")
    assert len(bar) == len(axis) == 81
    assert axis[40] == "0"
    end = int(axis.rpartition("+")[2].removesuffix(" points"))
    for sign, value in (("┣", pair.interval.low), ("┫", pair.interval.high), ("●", pair.difference)):
        assert (bar.index(sign) - 40) / 40 * end == pytest.approx(100 * value, abs=end / 80 + 1e-9)
    assert (bar[40] == "┃") is (side != 0)
    assert (bar.index("●") > 40) - (bar.index("●") < 40) == side
