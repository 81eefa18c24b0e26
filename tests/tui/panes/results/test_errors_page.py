"""Errors: the list, its filters, and the review beside it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import numpy as np
import pytest

from core.analysis.predictions import validation_predictions
from core.formatting import counted
from tui.panes.results.errors import ErrorsPage


@pytest.fixture
def open_errors(open_console, results_root):
    @asynccontextmanager
    async def opened(**options):
        async with open_console(root=results_root, **options) as console:
            await console.press("6")
            await console.see("95 % interval")
            await console.press("e")
            await console.see("largest loss first")
            yield console

    return opened


def page_of(console) -> ErrorsPage:
    return console.app.query_one(ErrorsPage)


async def test_the_largest_loss_is_first_and_its_whole_review_is_shown(open_errors, results_run):
    predictions = validation_predictions(results_run)
    wrong = int(np.sum(~predictions.correct))
    assert wrong
    async with open_errors() as console:
        await console.see(f"{wrong} errors")
        page = page_of(console)
        assert page.current.loss == pytest.approx(float(predictions.losses[~predictions.correct].max()))
        await console.see(f"P(positive) {page.current.probability:.3f}", "24 tokens, 8 cut")
        await console.see("does not read the last 8 tokens")
        assert "<br" not in "".join(console.text().splitlines()[4:20])


async def test_x_lists_the_cells_of_the_confusion_matrix_and_escape_all_errors_again(open_errors, results_run):
    predictions = validation_predictions(results_run)
    async with open_errors() as console:
        counts = {
            "false positive": np.sum((predictions.logits > 0) & (predictions.labels == 0)),
            "false negative": np.sum((predictions.logits <= 0) & (predictions.labels == 1)),
            "true positive": np.sum((predictions.logits > 0) & (predictions.labels == 1)),
            "true negative": np.sum((predictions.logits <= 0) & (predictions.labels == 0)),
        }
        for name, count in counts.items():
            await console.press("x")
            await console.see(counted(int(count), name))
        await console.press("escape")
        await console.see(f"{counts['false positive'] + counts['false negative']} errors")


async def test_a_cell_of_the_matrix_opens_its_reviews(open_console, results_root):
    async with open_console(root=results_root) as console:
        await console.press("6")
        await console.see("95 % interval")
        await console.press("down", "left", "enter")
        await console.see(" · largest loss first", "false negative")


async def test_slash_lists_only_the_reviews_that_contain_a_text(open_errors):
    async with open_errors() as console:
        page = page_of(console)
        await console.press("slash", *"WARM", "enter")
        await console.until(lambda: "with “WARM”" in console.text(), "the filter")
        assert all("warm" in each.text for each in page._listed)
        await console.press("slash", *"zzz")
        await console.see("0 errors", "no review matches")


async def test_g_lists_the_errors_in_a_slice(open_errors):
    async with open_errors() as console:
        await console.press("g")
        await console.see("List the errors in a slice", "contains not, never", "all reviews")
        await console.press("down", "enter")
        await console.see("slice length-q1")


async def test_enter_takes_the_review_to_the_tokenizer(open_errors):
    async with open_errors() as console:
        text = page_of(console).current.text
        await console.press("enter")
        await console.until(lambda: console.app.pane == "tokenizer", "the Tokenizer")
        from tui.panes.tokenizer.source_text import SourceText

        assert console.app.query_one(SourceText).text == text


async def test_reviews_that_are_gone_leave_the_predictions(open_console, results_root, trained):
    run = next(results_root.iterdir())
    toml = (run / "config.toml").read_text(encoding="utf-8")
    (run / "config.toml").write_text(toml.replace("reviews.csv", "gone.csv"), encoding="utf-8")
    async with open_console(root=results_root) as console:
        await console.press("6")
        await console.see("95 % interval")
        await console.press("e")
        await console.see("the reviews cannot be read", "gone.csv")
        assert page_of(console)._listed


async def test_m_marks_a_label_and_stores_the_decision_for_the_next_run(open_errors, results_run):
    from core.data.corrections import read_corrections

    async with open_errors() as console:
        row = page_of(console).current.id
        await console.press("m")
        await console.see(f"Review {row} is labelled negative", "flip it to positive", "drop the review")
        await console.press("f")
        await console.notice("corrections.csv")
        await console.see("labels: 1 flipped", "neg ↔")
        await console.press("down", "m", "n")
        await console.see("labels: 1 flipped")
        await console.press("s", "left_square_bracket", "e")
        await console.see("labels: 1 flipped")
    (stored,) = read_corrections(results_run.path / "corrections.csv")
    assert (stored.id, stored.decision) == (row, "flip")
