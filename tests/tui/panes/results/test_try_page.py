"""Try: the prediction follows the text, for several models, and for the live run."""

from __future__ import annotations

import shutil
import threading
from contextlib import asynccontextmanager

import pytest

from core.analysis.attribution import attribute
from core.analysis.scorer import load_scorer
from core.inspection.target import find_target, resolve
from tests.tui.fakes import started, step
from tui.panes.results.attribution import tints_of
from tui.panes.results.tried_card import TriedCard, effect_lines, prediction_lines, signed
from tui.panes.results.tried_models import Trier
from tui.widgets.source_text import SourceText
from tui.widgets.tinted_text import TintedText

TEXT = "a warm film and a dull play"


@pytest.fixture
def open_try(open_console, results_root):
    @asynccontextmanager
    async def opened(**options):
        async with open_console(root=results_root, **options) as console:
            await console.press("6")
            await console.see("95 % interval")
            await console.press("t")
            await console.see("Type a sentence", "no text yet")
            yield console

    return opened


async def type_text(console, text=TEXT):
    await console.press(*("space" if char == " " else char for char in text))


def scored(run, text, at):
    return attribute(load_scorer(resolve(find_target(f"{run.name}@step-{at}", run.path.parent))), text)


async def test_the_prediction_and_the_words_follow_what_is_typed(open_try, results_run):
    expected = scored(results_run, TEXT, 8)
    async with open_try() as console:
        await type_text(console)
        await console.see(f"P(positive) {expected.probability:.3f}", signed(expected.logit), "by occlusion")
        for word in expected.strongest(3):
            await console.until(
                lambda word=word: any(signed(word.effect) in line for line in console.lines(word.text)), word.text
            )
        assert list(console.app.query_one("#tried-text", TintedText)._tints) == tints_of(expected)
        await console.press("escape")
        await console.see("⏎ edit the text", "o add a model")
        await console.press("e")
        await console.see("largest loss first")


async def test_letters_and_digits_are_typed_until_escape(open_try):
    async with open_try() as console:
        await type_text(console, "1s exo/?")
        assert console.app.query_one(SourceText).text == "1s exo/?"
        await console.press("escape", "1")
        assert console.app.pane == "presets"


async def test_o_adds_a_checkpoint_beside_and_x_removes_it(open_try, results_run):
    async with open_try() as console:
        await type_text(console)
        await console.press("escape", "o")
        await console.see("Try the text also on:", "step 4")
        await console.press("enter")
        numbers = [f"P(positive) {scored(results_run, TEXT, at).probability:.3f}" for at in (8, 4)]
        await console.until(lambda: any(all(n in line for n in numbers) for line in console.lines("P(pos")), "both")
        await console.press("right", "x")
        await console.see_no("step 4")
        assert [card.model.step for card in console.app.query(TriedCard)] == [8]
        await console.press("x")
        assert len(console.app.query(TriedCard)) == 1


async def test_another_epoch_replaces_the_first_model_and_keeps_the_text(open_try, results_run):
    async with open_try() as console:
        await type_text(console)
        await console.press("escape", "left_square_bracket")
        await console.see("step 4", f"P(positive) {scored(results_run, TEXT, 4).probability:.3f}")
        assert len(console.app.query(TriedCard)) == 1


async def test_the_review_under_the_cursor_of_errors_is_taken_along(open_try):
    async with open_try() as console:
        await console.press("escape", "e")
        await console.see("largest loss first")
        await console.press("down", "t")
        await console.until(lambda: "film" in console.app.query_one(SourceText).text, "the text of the review")
        await console.see("the model does not read the last 8 tokens")
        first = console.app.query_one(SourceText).text
        await console.press("e", "down", "t")
        await console.until(lambda: console.app.query_one(SourceText).text not in ("", first), "the next review")
        await console.press("enter", "ctrl+k", "x", "escape", "e", "down", "t")
        await console.see("step 8")
        assert console.app.query_one(SourceText).text == "x"  # what is typed is not replaced, except by T
        await console.press("e", "T")
        await console.until(lambda: "film" in console.app.query_one(SourceText).text, "the text of the review")


async def test_only_the_newest_text_is_shown_and_the_older_work_ends(open_try, results_run, monkeypatch):
    reached, proceed = threading.Event(), threading.Event()
    attribute_words = Trier._attribute

    def slow(self, number, text, model):
        if text == "a":
            reached.set()
            proceed.wait(10)
        attribute_words(self, number, text, model)

    monkeypatch.setattr(Trier, "_attribute", slow)
    async with open_try() as console:
        await console.press("a")
        await console.until(reached.is_set, "the work for the first letter")
        await type_text(console, " dull play")
        assert console.app.query_one(SourceText).text == "a dull play"  # no key waited for the work
        proceed.set()
        await console.see(f"P(positive) {scored(results_run, 'a dull play', 8).probability:.3f}", "by occlusion")


async def test_a_text_of_100_000_characters_is_cut_and_said_to_be(open_try):
    async with open_try() as console:
        await console.paste("a dull film was warm " * 5_000)
        await console.see("the model does not read the last", "P(positive)")
        await console.press("x")
        assert len(console.app.query_one(SourceText).text) == 105_001


async def test_deleting_the_text_shows_the_empty_state_again(open_try):
    async with open_try() as console:
        await type_text(console, "dull")
        await console.see("by occlusion")
        await console.press("ctrl+u")
        await console.see("Type a sentence", "no text yet")
        await console.see_no("P(positive)")


async def test_a_checkpoint_that_was_deleted_is_reported(open_try, results_run):
    async with open_try() as console:
        shutil.rmtree(results_run.path / "checkpoints" / "step-8")
        await type_text(console, "dull")
        await console.see("✗", "has no checkpoint step-8")


async def test_the_live_run_answers_at_its_next_step(open_console, tmp_path, trainer, results_run, monkeypatch):
    """The trainer is a fake; its control answers as the training thread does."""
    root = tmp_path / "runs"
    async with open_console(root=root) as console:
        await console.start()
        begun = started()
        trainer.emit(begun, step(1))
        await console.until(lambda: console.app.session.own and console.app.session.own.started, "the start")
        results_run.path.rename(root / begun.run)  # the tokenizer and the configuration that the run has stored
        (root / begun.run / "events.jsonl").unlink()
        await console.press("6")
        await console.see("While a run trains, press t")
        await console.press("t")
        await console.see("quick", "live")
        await type_text(console, "a dull play")
        await console.see("waits for the next step of the run")
        control = console.app.session.training.control

        def score(rows):
            return [2.0 - 0.5 * place for place in range(len(rows))]

        def answered():
            control.answer_requests(score, 143)
            return "step 143" in console.text()

        await console.until(answered, "the answer")
        await console.see("P(positive) 0.881", "logit +2.00", "live, step 143")
        await console.until(lambda: any("+1.50" in line for line in console.lines("play")), "the effect of play")
        control.refuse_requests("run x has ended; use one of its checkpoints")
        await console.press("s")
        await console.see("use one of its checkpoints")


def test_the_axis_and_the_bars_show_the_direction_without_colour(results_run):
    found = scored(results_run, TEXT, 8)
    _, axis = prediction_lines(found, 60).plain.split("\n")
    left = axis.index("●") - len("negative ")
    assert left == pytest.approx(found.probability * 41, abs=1)
    for line, word in zip(effect_lines(found, 80), found.strongest(60), strict=True):
        before, _, after = line.plain.partition("│")
        assert ("━" in after) == (word.effect > 0 and "━" in line.plain)
        assert ("━" in before) == (word.effect < 0 and "━" in line.plain)
