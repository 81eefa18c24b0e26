"""Slices, Calibration, Words, What if and Dynamics of a run that was really trained."""

from __future__ import annotations

import threading
import time
from contextlib import asynccontextmanager

import numpy as np
import pytest

from core.analysis.bag_of_words import bag_of_words_of
from core.analysis.example_dynamics import REGIONS, dynamics
from core.analysis.predicted_reviews import predicted_reviews
from core.analysis.probes import run_probes
from core.analysis.scorer import load_scorer
from core.analysis.slices import slices, token_counts
from core.inspection.target import find_target, resolve
from core.runs.directory import predictions_file
from tui.widgets.decimation import thinned


@pytest.fixture
def open_page(open_console, results_root):
    """Open Results on the page with this letter."""

    @asynccontextmanager
    async def opened(letter, *texts, **options):
        async with open_console(root=results_root, **options) as console:
            await console.press("6")
            await console.see("8 validation reviews", "95 % interval")
            await console.press(letter)
            await console.see(*texts)
            yield console

    return opened


async def test_slices_show_the_counts_of_core_and_open_their_errors(open_page, results_run):
    predicted = predicted_reviews(results_run)
    found = slices(predicted.predictions, predicted.texts, *token_counts(results_run, predicted.texts))
    async with open_page("l", "none differs clearly") as console:
        for one in found:
            assert any(line.split()[:2] == [one.name, f"{one.n:,}"] for line in console.text().splitlines()), one.name
        await console.press("end", "up", "up", "up", "up", "up", "enter")
        name = found[-6].name
        await console.see(f"slice {name}")


async def test_the_users_own_pattern_is_a_slice_and_an_invalid_one_is_refused(open_page, results_run):
    texts = predicted_reviews(results_run).texts
    async with open_page("l", "none differs") as console:
        await console.press("slash", *"joy", "enter")
        count = sum("joy" in text for text in texts)
        await console.until(
            lambda: any(line.split()[:2] == ["pattern", str(count)] for line in console.text().splitlines()),
            "the slice of the pattern",
        )
        await console.press("end", "enter")
        await console.see("matching joy")
        await console.press("l", "slash", "end", "(", "enter")
        await console.see("not a valid regular expression")


async def test_what_cutting_costs_compares_the_long_reviews_with_themselves_whole(open_page):
    async with open_page("l", "none differs") as console:
        await console.press("u")
        await console.see("longer than 16 tokens", "cannot be told apart")
        assert "✗" not in console.text()


async def test_calibration_shows_a_row_per_bin_and_what_it_means(open_page, results_run):
    predictions = predicted_reviews(results_run).predictions
    async with open_page("c", "Calibration error", "0 to 10 %", "90 to 100 %", size=(120, 60)) as console:
        counts = np.histogram(predictions.probabilities, bins=np.linspace(0, 1, 11))[0]
        rows = [line.split() for line in console.text().splitlines() if " %  " in line and " to " in line]
        assert [int(row[4]) for row in rows if row[1] == "to"][:10] == counts.tolist()
        await console.press("home", *["down"] * int(np.argmax(counts)), "enter")
        low = 10 * int(np.argmax(counts))
        await console.see(f"P(positive) {low} to {low + 10} %")


async def test_words_of_the_bag_of_words_come_first_and_the_models_own_on_request(open_page, results_run):
    heaviest = max(bag_of_words_of(results_run).by_word().items(), key=lambda pair: abs(pair[1]))
    async with open_page("w", "heaviest words", heaviest[0], "sorted by bag of words") as console:
        await console.press("n")
        await console.see("from 8 reviews with up to", "sorted by effect")
        await console.press("o")
        await console.see("sorted by count")
        await console.press("slash", *"joy", "enter")
        await console.see_no("tedious")
        await console.press("escape")
        await console.see("film")


async def test_a_replacement_lists_the_changed_reviews_and_counts_the_flips(open_page, results_run):
    n = sum("joy" in text for text in predicted_reviews(results_run).texts)
    async with open_page("f", "ready-made") as console:
        await console.press("slash", *"joy", "enter", *"bore", "enter")
        await console.see(f"{n} of 8 reviews contain it", "predictions flip", "moving bore")
        await console.press("g", "enter")
        await console.see("“great” by “terrible”: none of 8 reviews contains it", "replace  great", "by  terrible")
        await console.press("x")
        await console.see("replace pattern")
        await console.press("slash", "end", "ctrl+u", *"j.y", "enter", "end", "ctrl+u", *"bore", "enter")
        await console.see(f"“j.y” by “bore”: {n} of 8 reviews contain it")


async def test_probes_have_a_table_whose_rows_open_the_failed_pairs(open_page, results_run):
    found = run_probes(load_scorer(resolve(find_target(str(results_run.path), results_run.path.parent))))
    worst = max(found, key=lambda one: one.failures)
    assert worst.failures
    async with open_page("f", "ready-made") as console:
        await console.press("p")
        await console.see(f"{sum(one.failures for one in found)} of 600 pairs of sentences fail", "expected")
        await console.press("home", *["down"] * found.index(worst), "enter")
        await console.see(f"{worst.kind}: {worst.failures} of 40 pairs fail", "→")
        await console.press("escape")
        await console.see("pairs of sentences fail")


async def test_dynamics_count_the_regions_and_list_their_reviews(open_page, results_run):
    found = dynamics(results_run)
    region = max(found.counts, key=found.counts.__getitem__)
    async with open_page("d", "32 training reviews over 2 epochs", *REGIONS) as console:
        for name, count in found.counts.items():
            assert any(name in line and f" {count} " in line for line in console.text().splitlines()), name
        await console.press("home", *["down"] * list(REGIONS).index(region), "enter")
        await console.see("probability of the label per epoch")
        await console.press("escape", "escape")
        await console.see("enter on a region")
        await console.press("p")
        await console.see("8 validation reviews over 2 epochs")


async def test_dynamics_of_an_older_run_say_what_is_missing(open_page, results_run):
    for epoch in (1, 2):
        (results_run.path / "predictions" / predictions_file(epoch, "train")).unlink()
    async with open_page("d", "has no predictions of its training reviews", "Press p") as console:
        await console.see_no("enter on a region")
        await console.press("p")
        await console.see("8 validation reviews over 2 epochs")


def test_a_thinned_cloud_has_one_point_per_cell_and_leaves_none_empty():
    steps, values = np.arange(10_000) % 100, np.arange(10_000) / 10_000
    few_steps, few_values = thinned(steps, values, (10, 10))
    cells = {(int(step / 99 * 9), int(value / values.max() * 9)) for step, value in zip(steps, values, strict=True)}
    few = zip(few_steps, few_values, strict=True)
    kept = {(int(step / 99 * 9), int(value / values.max() * 9)) for step, value in few}
    assert kept == cells
    assert len(few_steps) == len(cells) < 101
    assert len(thinned(steps[:0], values[:0], (10, 10))[0]) == 0


async def test_the_attribution_of_a_review_ends_when_another_page_comes_to_the_front(open_page, monkeypatch):
    ended = threading.Event()

    def endless(_scorer, _text, _method, check_cancelled, *_):
        try:
            while True:
                check_cancelled()
                time.sleep(0.01)
        finally:
            ended.set()

    monkeypatch.setattr("core.analysis.attribution.attribute", endless)
    async with open_page("e", "largest loss first", "integrated gradients") as console:
        await console.press("f", "p")
        await console.see("pairs of sentences fail")
        assert ended.is_set()
        ended.clear()
        await console.press("e")
        await console.see("integrated gradients: computing")
