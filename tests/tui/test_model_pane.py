"""The model pane: parameters and configuration of a small checkpoint, and one real batch."""

from __future__ import annotations

import pytest

from core.reviews import Review
from core.sources import Origin


@pytest.fixture(autouse=True)
def _small_checkpoint(monkeypatch, checkpoint_folder):
    from core import sources

    real = sources.open_checkpoint
    reviews = [Review("hello my name is kevin", 1)] * 5

    def small(_, pretrained):
        return real(str(checkpoint_folder), pretrained=pretrained)

    monkeypatch.setattr(sources, "open_checkpoint", small)
    monkeypatch.setattr(sources, "open_reviews", lambda *_: (reviews, Origin("file", "five.csv")))


def parameters():
    """Of one layer of width 16 over the small vocabulary, with its linear head."""
    from tests.tui.fakes import PIECES

    embeddings = len(PIECES) * 16 + 512 * 16 + 2 * 16
    attention = 4 * (16 * 16 + 16) + 2 * 16
    feed_forward = 16 * 32 + 32 + 32 * 16 + 16 + 2 * 16
    return embeddings + attention + feed_forward + 16 + 1


async def move_to(console, words):
    for _ in range(80):
        if words in console.text():
            return
        await console.press("down")
    raise AssertionError(f"the cursor never came to {words!r}; the screen is\n{console.text()}")


async def test_the_tree_has_the_parameters_with_their_counts_and_the_configuration(open_console):
    async with open_console() as console:
        await console.press("3")
        await console.see("parameters", f"{parameters():,}", "embeddings", "classifier", "configuration", "n_layers")


async def test_a_field_says_what_it_means_and_whether_it_belongs_to_the_task(open_console):
    async with open_console() as console:
        await console.press("3")
        await console.see("configuration")
        await move_to(console, "How many transformer blocks")
        await console.see("agnostic")
        await move_to(console, "Dropout before the question")
        await console.until(lambda: any("specific" in line for line in console.lines("task")), "task-specific")


async def test_b_runs_a_real_batch_and_shows_the_shape_of_last_hidden_state(open_console):
    async with open_console() as console:
        await console.press("3")
        await console.see("configuration")
        await console.press("b")
        await console.see("last_hidden_state", "five.csv")
        assert any("[5, 5, 16]" in line or "[5, 7, 16]" in line for line in console.lines("last_hidden_state"))


async def test_b_is_refused_while_a_run_trains(open_console, trainer):
    async with open_console() as console:
        await console.start()
        await console.press("3", "b")
        await console.notice("not while a run trains")


async def test_why_a_checkpoint_is_not_to_be_had_is_said_brackets_included(open_console, monkeypatch):
    from core.errors import InputError

    def nothing(*_, **__):
        raise InputError("no folder [/x] here")

    monkeypatch.setattr("core.sources.open_checkpoint", nothing)
    async with open_console() as console:
        await console.press("3")
        await console.see("no folder [/x] here")
