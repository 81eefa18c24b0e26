"""Errors: the list, its filters, and the review beside it."""

from __future__ import annotations

import gc
import json
import shutil
import threading
import time
from contextlib import asynccontextmanager

import numpy as np
import pytest

from core.analysis.predictions import validation_predictions
from core.atomic_write import sha256_of
from core.formatting import counted
from tests.tui.fakes import started, step
from tui.panes.results.errors import ErrorsPage
from tui.panes.results.review_panel import ReviewPanel
from tui.panes.results.subject import SubjectData
from tui.widgets.tinted_text import TintedText


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
        await console.see(f"P(pos) {page.current.probability:.3f}", "24 tokens, 8 cut")
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


async def test_a_dialog_that_comes_late_does_not_open_over_another_one(open_errors, monkeypatch):
    may_answer = threading.Event()
    slices = SubjectData.slices

    def late(data):
        may_answer.wait(10)
        return slices(data)

    monkeypatch.setattr(SubjectData, "slices", late)
    async with open_errors() as console:
        await console.press("g", "m")
        await console.see("keep the label")
        dialog = console.app.screen
        may_answer.set()
        await console.until(
            lambda: "counting the reviews" not in str(console.app.query_one("#errors-line").visual), "g"
        )
        assert console.app.screen is dialog


async def test_enter_takes_the_review_to_the_tokenizer(open_errors):
    async with open_errors() as console:
        text = page_of(console).current.text
        await console.press("enter")
        await console.until(lambda: console.app.pane == "tokenizer", "the Tokenizer")
        from tui.widgets.source_text import SourceText

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


async def test_the_words_of_the_review_under_the_cursor_are_attributed_and_a_switches_the_method(
    open_errors, results_run
):
    from core.analysis.attribution import attribute
    from core.analysis.scorer import load_scorer
    from core.inspection.target import find_target, resolve

    scorer = load_scorer(resolve(find_target(results_run.name, results_run.path.parent)))
    async with open_errors(size=(200, 40)) as console:
        text = page_of(console).current.text
        for method, name in (
            ("integrated-gradients", "integrated gradients, effect"),
            ("occlusion", "occlusion, effect on the logit"),
            ("mask", "occlusion by [MASK], effect on the logit"),
        ):
            await console.see(name)
            word = attribute(scorer, text, method).strongest(1)[0]
            await console.see(f"{word.text} {word.effect:+.2f}".replace("-", "−"))
            await console.press("a")


async def test_words_are_tinted_in_their_direction(open_errors):
    async with open_errors() as console:
        await console.see("effect on the logit")
        page = page_of(console)
        attribution = page.query_one(ReviewPanel).attribution
        strongest = attribution.strongest(1)[0]
        shown = console.app.query_one(TintedText)
        level = next(tint.level for tint in shown._tints if tint.start == strongest.start)
        assert level == (3 if strongest.effect > 0 else -3)


async def test_attribution_waits_for_a_live_run_and_escape_cancels_it(open_errors, trainer):
    async with open_errors() as console:
        await console.see("effect on the logit")
        await console.start()
        trainer.emit(started(), step(1))
        await console.press("6", "down")
        await console.see("integrated gradients: waits until the run has ended")
        await console.press("escape")
        await console.see("cancelled")


async def test_a_checkpoint_that_is_gone_is_named_instead_of_the_words(open_console, results_root, results_run):
    shutil.rmtree(results_run.path / "checkpoints")
    async with open_console(root=results_root) as console:
        await console.press("6")
        await console.see("95 % interval")
        await console.press("e")
        await console.see("largest loss first", "✗", "no checkpoint")


@pytest.fixture
def many(results_root, results_run, tmp_path):
    """25,000 wrong predictions over the reviews of a large file, and one review of 100,000 characters."""
    folder = results_run.path
    lines = ["id,label,logit", *(f"{i},{i % 2},{(1 if i % 2 == 0 else -1) * (1 + i / 25_000)}" for i in range(25_000))]
    (folder / "predictions" / "epoch-2.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = tmp_path / "many.csv"
    rows = [f"film {i} {'word ' * 20},{'positive' if i % 2 else 'negative'}" for i in range(24_999)]
    path.write_text("\n".join(["review,sentiment", *rows, f"{'long ' * 20_000},positive"]) + "\n", encoding="utf-8")
    toml = (folder / "config.toml").read_text(encoding="utf-8")
    (folder / "config.toml").write_text(
        "\n".join(f'source = "{path}"' if line.startswith("source") else line for line in toml.splitlines()),
        encoding="utf-8",
    )
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    environment["origins"]["reviews"].update(name=str(path), sha256=sha256_of(path), available=25_000)
    (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    return results_root


async def test_with_25000_errors_and_a_review_of_100000_characters_keys_are_answered(open_console, many):
    async with open_console(root=many) as console:
        await console.press("6")
        await console.see("25,000")
        await console.press("e")
        await console.see("25,000 errors")
        slowest = 0.0
        gc.collect()  # torch's objects make a collection long, and the real console has frozen them
        gc.freeze()
        for key in ("end", "up", "down", "home", "pagedown", "end", "x", "x", "slash", "z", "escape"):
            begun = time.thread_time()
            await console.press(key)
            slowest = max(slowest, time.thread_time() - begun)
        gc.unfreeze()
        assert slowest < 0.3  # seconds of this thread, which also draws and waits for an idle screen
        await console.press("escape")
        await console.see("25,000 errors")
        await console.press("home")
        await console.see("long long", "the model does not read")
