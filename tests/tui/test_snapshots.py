"""Pictures of the panes, with frozen runs, plan, checkpoint and clock."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest
from textual.widgets import Input

import core.training.setup  # noqa: F401 - now, or it would take what stands in below for the real thing
from core.config.schema import RunConfig
from core.data.reviews import Review
from core.sources.origin import Origin
from core.sources.resolve import ModelSource
from tests.core.support.texts import HARD
from tests.tui.conftest import Driver
from tests.tui.fakes import PIECES, FakeTrainer, small_tokenizer, whole_run, write_run
from tui.app import ImdbTui
from tui.panes.tokenizer.pane import FIRST_TEXT

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the pictures were taken on Python 3.11; others may know other characters"
)

SIZES = [(80, 24), (120, 40)]
SMALL = {"vocab_size": len(PIECES), "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}


@pytest.fixture(autouse=True)
def _frozen(monkeypatch):
    """One time zone, one plan, one estimate, one checkpoint: nothing of this machine is in the pictures."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    tokenizer = Origin("embedded", "small vocabulary")
    weights = Origin("embedded", "small weights")
    checkpoint = ModelSource(small_tokenizer(), tokenizer, SMALL, weights, dict)
    monkeypatch.setattr("core.sources.resolve.open_checkpoint", lambda *_, **__: checkpoint)
    monkeypatch.setattr("core.sources.resolve.open_tokenizer", lambda *_, **__: (checkpoint.tokenizer, tokenizer))
    reviews = [Review("a film", 1)], Origin("file", "one.csv")
    monkeypatch.setattr("core.sources.resolve.open_reviews", lambda *_: reviews)
    guess = SimpleNamespace(seconds=61.0, basis="measured by 20261124-090000-quick")
    monkeypatch.setattr("core.runs.estimate.estimate", lambda *_: guess)


@pytest.fixture
def picture(tmp_path, trainer, snap_compare):
    """Compares the console with its picture once ``texts`` are on the screen and nothing blinks or changes."""

    def compared(size, act, *texts):
        app = ImdbTui(tmp_path / "runs", train=trainer, background=False)

        async def arrive(pilot):
            console = Driver(app, pilot)
            await act(console)
            await console.see(*texts)
            for field in app.query(Input):
                field.cursor_blink = False
            await console.settle()

        return snap_compare(app, terminal_size=size, run_before=arrive)

    return compared


async def planned(console):
    """Every preset of the menu has its time."""
    await console.until(lambda: console.text().count("1:01") >= 5, "the plans")


async def staged(console, text):
    """The stages of ``text``, which come after its tokens, are there."""
    pane = console.app.query_one("#tokenizer")

    def there():
        playground = pane._playground
        return playground.encoding.text == text and playground.stages and not playground.stale

    await console.until(there, "the stages")


@pytest.mark.parametrize("size", SIZES)
def test_presets(picture, size):
    assert picture(size, planned, "small vocabulary")


@pytest.mark.parametrize("size", SIZES)
def test_tokenizer(picture, size):
    async def act(console):
        await planned(console)
        await console.press("2")
        await console.see("7 tokens")
        await console.press(*"s xyzzy", "escape", "down")
        await staged(console, f"{FIRST_TEXT}s xyzzy")

    assert picture(size, act, "1 unknown")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("s", "5 with template"),
        ("b", "in data order"),
        ("v", "differs"),
        ("c", "truncated at 256"),
        ("r", "enter opens one"),
    ],
)
def test_tokenizer_pages(picture, key, text):
    async def act(console):
        await planned(console)
        await console.press("2")
        await console.see("7 tokens")
        await console.press(*" Red films!", "escape", key)
        await staged(console, f"{FIRST_TEXT} Red films!")

    assert picture(SIZES[0], act, text)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", HARD)
def test_tokenizer_with_hard_texts(picture, size, name):
    text = HARD[name]

    async def act(console):
        await planned(console)
        await console.press("2")
        await console.see("7 tokens")
        await console.press("ctrl+u")
        await console.paste(text)
        await staged(console, text)
        await console.press("escape", "up")

    assert picture(size, act, "kind")


@pytest.mark.parametrize("size", SIZES)
def test_model(picture, size):
    async def act(console):
        await planned(console)
        await console.press("3")

    assert picture(size, act, "architecture, task-agnostic")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("key", "text"), [("s", "one hidden state"), ("p", "classifier is trained")])
def test_pages_of_the_model(picture, size, key, text):
    async def act(console):
        await planned(console)
        await console.press("3")
        await console.see("parameters in 22 tensors")
        await console.press(key)

    assert picture(size, act, text)


@pytest.mark.parametrize("size", SIZES)
def test_train_before_a_run(picture, size):
    async def act(console):
        await planned(console)
        await console.press("enter")

    assert picture(size, act, "ready")


@pytest.mark.parametrize("size", SIZES)
def test_train(picture, size, trainer: FakeTrainer):
    async def act(console):
        await planned(console)
        await console.start()
        trainer.emit(*whole_run(done=2, steps=50, end=None))

    assert picture(size, act, "● running", "100/150", "0.400")


@pytest.mark.parametrize("size", SIZES)
def test_runs(picture, size, tmp_path):
    for minute, (name, done, end, rate) in enumerate(
        [("scratch", 1, "failed", 5e-5), ("pretrained", 3, "completed", 5e-6), ("quick", 2, None, 1e-4)]
    ):
        config = RunConfig(preset=name).set("train.learning_rate", rate)
        write_run(tmp_path / "runs", config, whole_run(preset=name, done=done, end=end), minute=minute)

    async def act(console):
        await console.press("5")
        await console.see("pretrained")
        await console.press("space", "down", "space")

    assert picture(size, act, "train.learning_rate")


@pytest.fixture
def evaluated(tmp_path, monkeypatch):
    """A finished run with predictions of forty reviews, of which eight are wrong, and without a checkpoint."""
    path = tmp_path / "reviews.csv"
    texts = [f"film {i} was {'a warm and moving joy' if i % 2 else 'a dull and tedious bore'}" for i in range(40)]
    labels = [int(bool(i % 2) != (i % 5 == 0)) for i in range(40)]
    rows = (f"{text},{('negative', 'positive')[label]}" for text, label in zip(texts, labels, strict=True))
    path.write_text("\n".join(["review,sentiment", *rows]) + "\n", encoding="utf-8")
    run = write_run(tmp_path / "runs", RunConfig(preset="quick").set("data.source", str(path)), whole_run())
    (run.path / "checkpoints" / "step-1").rmdir()
    folder = run.path / "predictions"
    folder.mkdir(exist_ok=True)
    for epoch in (1, 2, 3):
        logits = ((1 if i % 2 else -1) * (0.2 * epoch + i / 20) for i in range(40))
        lines = [f"{i},{label},{logit}" for (i, label), logit in zip(enumerate(labels), logits, strict=True)]
        (folder / f"epoch-{epoch}.csv").write_text("\n".join(["id,label,logit", *lines]) + "\n", encoding="utf-8")
    reviews = [Review(text, label) for text, label in zip(texts, labels, strict=True)], Origin("file", "reviews.csv")
    monkeypatch.setattr("core.analysis.run_reviews.open_reviews", lambda *_: reviews)
    monkeypatch.setattr("core.analysis.run_reviews.require_same_reviews", lambda *_: None)


@pytest.mark.parametrize("size", SIZES)
def test_summary_of_results(picture, size, evaluated):
    async def act(console):
        await planned(console)
        await console.press("6")

    assert picture(size, act, "80.0 % of 40", "0.521")


@pytest.mark.parametrize("size", SIZES)
def test_errors_of_results(picture, size, evaluated):
    async def act(console):
        await planned(console)
        await console.press("6")
        await console.see("0.521")
        await console.press("e")
        await console.see("no checkpoint")
        await console.press("down")

    assert picture(size, act, "8 errors", "P(pos) 0.109", "no checkpoint")
