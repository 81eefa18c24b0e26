"""Summary: the sentence, the confusion matrix, and evaluating on more reviews."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager

import pytest

from core.analysis.predictions import validation_predictions
from core.analysis.stored_evaluations import baseline_predictions, stored_evaluations
from tests.core.support.texts import HARD
from tests.tui.fakes import finished, started, step


@pytest.fixture
def open_summary(open_console, results_root):
    @asynccontextmanager
    async def opened(**options):
        async with open_console(root=results_root, **options) as console:
            await console.press("6")
            await console.see("8 validation reviews", "95 % interval")
            yield console

    return opened


@pytest.fixture
def other_reviews(tmp_path):
    path = tmp_path / "others.csv"
    lines = [
        f"a film that was {'moving' if i % 2 else 'dull'} {i},{'positive' if i % 2 else 'negative'}" for i in range(30)
    ]
    path.write_text("review,sentiment\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


async def evaluate(console, path):
    await console.press("n")
    await console.see("Evaluate", "95 % interval", "training used all reviews")
    await console.press("tab", *str(path), "enter")


async def test_y_copies_the_sentence(open_summary, results_run):
    accuracy = f"{validation_predictions(results_run).correct.mean():.1%}".replace("%", " %")
    async with open_summary() as console:
        await console.see(accuracy)
        await console.press("y")
        await console.notice("Copied the sentence")
        assert accuracy in console.app.clipboard


async def test_an_evaluation_of_a_file_is_stored_and_shown(open_summary, results_run, other_reviews):
    async with open_summary() as console:
        await evaluate(console, other_reviews)
        await console.notice("Evaluated 30 reviews of others.csv")
        await console.see("30 others reviews · others.csv")
        await console.press("e")
        await console.see("largest loss first")
    (stored,) = stored_evaluations(results_run)
    assert (stored.n, stored.complete) == (30, True)


async def test_a_file_that_does_not_exist_is_refused_in_the_question(open_summary, results_run):
    async with open_summary() as console:
        await evaluate(console, "/nowhere/gone.csv")
        await console.see("there is no file /nowhere/gone.csv")
        await console.press("escape")
        await console.see_no("there is no file")
    assert not stored_evaluations(results_run)


async def test_an_evaluation_waits_until_the_live_run_has_ended(open_summary, results_run, other_reviews, trainer):
    async with open_summary() as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.press("6")
        await evaluate(console, other_reviews)
        await console.see("waits until the run has ended")
        assert not stored_evaluations(results_run)
        console.app.session.training.control.stop("the test")
        await console.notice("Evaluated 30 reviews")


async def test_escape_stops_an_evaluation_and_keeps_what_it_has_predicted(
    open_summary, results_run, other_reviews, monkeypatch
):
    from core.analysis import evaluate_on

    reached, proceed = threading.Event(), threading.Event()
    score = evaluate_on.Scorer.logits

    def slow(self, rows, after_batch=lambda _: None, *, batch_size=32):
        answer = score(self, rows, after_batch, batch_size=8)
        reached.set()
        proceed.wait(10)
        return answer

    monkeypatch.setattr(evaluate_on.Scorer, "logits", slow)
    monkeypatch.setattr(evaluate_on, "BATCH_SIZE", 4)
    async with open_summary() as console:
        await evaluate(console, other_reviews)
        await console.until(reached.is_set, "the first chunk")
        await console.press("escape")
        await console.see("stopping")
        proceed.set()
        await console.notice("Stopped after 8 reviews")
    (stored,) = stored_evaluations(results_run)
    assert (stored.n, stored.complete) == (8, False)


@pytest.mark.parametrize("name", sorted(HARD)[:2])
async def test_a_review_of_hard_characters_is_shown(open_summary, tmp_path, name):
    path = tmp_path / "hard.csv"
    text = HARD[name].replace('"', "").replace("\0", "")[:2000]
    path.write_text(f'review,sentiment\n"{text}",positive\n"{text} a film",negative\n', encoding="utf-8")
    async with open_summary() as console:
        await evaluate(console, path)
        await console.notice("Evaluated 2 reviews")
        await console.see("2 hard reviews")
        await console.press("e")
        await console.see("1 error ")


async def test_the_sentence_the_metrics_and_the_bag_of_words_are_those_of_the_analysis(open_summary, results_run):
    from core.analysis.comparison import compare_predictions
    from core.analysis.metrics import metrics, summary_sentence

    async with open_summary(size=(200, 40)) as console:
        await console.see("bag of words", "largest losses")
        await console.until(lambda: baseline_predictions(results_run, "validation") is not None, "the baseline")
        predictions, baseline = validation_predictions(results_run), baseline_predictions(results_run, "validation")
        own, other = metrics(predictions), metrics(baseline)
        sentence = summary_sentence(own, predictions, other, compare_predictions(baseline, predictions))
        await console.until(lambda: sentence[:150] in console.text(), sentence)
        (row,) = console.lines("ROC AUC")
        assert [f"{own.roc_auc:.3f}", f"{other.roc_auc:.3f}"] == [row.split()[2], row.split()[-1]]
        await console.press("y")
        assert console.app.clipboard == sentence


async def test_reviews_of_one_class_have_no_auc_and_the_sentence_says_so(open_summary, tmp_path):
    path = tmp_path / "praise.csv"
    path.write_text("review,sentiment\n" + "".join(f"a warm film {i},positive\n" for i in range(9)), encoding="utf-8")
    async with open_summary() as console:
        await evaluate(console, path)
        await console.see("all of them are positive")
        (row,) = console.lines("ROC AUC")
        assert "–" in row


async def test_reviews_without_labels_have_only_predictions(open_summary, tmp_path):
    path = tmp_path / "unlabelled.csv"
    path.write_text("review\na warm film\na dull film\n", encoding="utf-8")
    async with open_summary() as console:
        await evaluate(console, path)
        await console.see("has no labels, so there are only predictions")
        await console.press("e")
        await console.see("✗", "no labels")


async def test_the_bag_of_words_waits_for_a_live_run_and_escape_cancels_it(
    open_console, results_root, results_run, trainer
):
    async with open_console(root=results_root) as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.press("6")
        await console.see("bag of words on the same reviews: waits until the run has ended")
        await console.press("escape")
        await console.see("cancelled")
        trainer.emit(finished("completed", at=10))
        await console.until(lambda: not console.app.session.is_live, "the end of the run")
        await console.see_no("fitting")
        assert baseline_predictions(results_run, "validation") is None
