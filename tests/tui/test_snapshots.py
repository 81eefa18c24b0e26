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
