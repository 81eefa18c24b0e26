"""The app: panes, keys, the status line, the live run, quitting."""

from __future__ import annotations

import re

import pytest

from tests.tui.fakes import finished, started, step, whole_run
from tui.screens.keys import KeysScreen

PANES = {"1": "presets", "2": "tokenizer", "3": "model", "4": "train", "5": "runs", "6": "results"}


@pytest.fixture(autouse=True)
def _no_model(monkeypatch):
    """No tokenizer and no checkpoint is available, which keeps torch out of these tests."""
    from core.errors import InputError

    def nothing(*_, **__):
        raise InputError("no checkpoint in this test")

    monkeypatch.setattr("core.sources.resolve.open_checkpoint", nothing)
    monkeypatch.setattr("core.sources.resolve.open_tokenizer", nothing)


async def test_each_digit_goes_to_its_pane(open_console):
    async with open_console() as console:
        for key in ("5", "6", "4", "3", "1", "2"):
            await console.press(key)
            assert console.app.pane == PANES[key]
            assert console.app.query_one(f"#{PANES[key]}").display
            await console.press("escape")


async def test_a_digit_typed_into_a_field_is_text_until_escape_leaves_the_field(open_console):
    async with open_console() as console:
        await console.press("2", "5")
        assert console.app.pane == "tokenizer"
        await console.see("kevin5")
        await console.press("escape", "5")
        assert console.app.pane == "runs"
        await console.press("2")
        await console.see("kevin5")


async def test_question_mark_lists_the_keys_of_every_pane_and_escape_closes_the_list(open_console):
    own_labels = {"1": "save as", "2": "special tokens", "3": "run a batch", "4": "pause", "5": "mark"}
    async with open_console(size=(120, 60)) as console:
        for key, label in own_labels.items():
            await console.press(key, "escape", "question_mark")
            await console.see("quit", label, "command palette")
            await console.press("escape")
            await console.see_no("command palette")
            assert console.app.pane == PANES[key]


async def test_q_quits_at_once_if_no_run_is_live(open_console):
    async with open_console() as console:
        await console.press("q")
        await console.until(lambda: console.app.return_code is not None, "the end")
    assert console.app.return_value == 0


async def test_q_with_a_live_run_asks_and_n_cancels(open_console, trainer):
    async with open_console() as console:
        await console.start()
        await console.press("q")
        await console.see("stop the run and quit", "quit when the run has ended", "cancel")
        await console.press("n")
        await console.see_no("stop the run and quit")
        assert console.app.session.is_live
        assert console.app.is_running


async def test_q_then_y_stops_the_run_and_quits(open_console, trainer):
    async with open_console() as console:
        await console.start()
        await console.press("q", "y")
        await console.until(lambda: not console.app.is_running, "the end")
    assert console.app.return_value == 0
    assert console.app.session.own.status == "stopped"


async def test_q_then_w_quits_when_the_run_has_ended(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.press("q", "w")
        await console.notice("close when the run has ended")
        await console.see("● running")
        assert console.app.is_running
        trainer.emit(finished("completed", at=30))
        await console.until(lambda: not console.app.is_running, "the end")
    assert console.app.return_value == 0
    assert console.app.session.own.status == "completed"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_first_line_shows_the_status_in_every_pane_while_a_run_is_live(open_console, trainer, size):
    async with open_console(size=size) as console:
        await console.start()
        trainer.emit(started(), step(1))
        for key in ("1", "2", "3", "4", "5", "6"):
            await console.press("escape", key)
            await console.until(lambda: "●" in console.text().splitlines()[0], f"the status in pane {key}")


async def test_the_first_line_spells_the_status_out_where_it_is_wide(open_console, trainer):
    async with open_console(size=(120, 40)) as console:
        await console.start()
        trainer.emit(started(), step(7))
        await console.press("1")
        await console.until(
            lambda: re.search(r"● running .*7/30", console.text().splitlines()[0]) is not None, "the status"
        )


async def test_a_second_start_is_refused_with_a_notice(open_console, trainer):
    async with open_console() as console:
        await console.start()
        await console.press("s")
        await console.notice("A run is live. Stop it first")
        await console.press("1", "down", "enter", "s")
        assert [config.preset for config in trainer.configs] == ["quick"]


async def test_a_signal_stops_the_run_and_exits_when_it_is_saved(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.see("● running")
        console.app.quit_prompt.stop_and_quit("signal SIGTERM")
        await console.until(lambda: not console.app.is_running, "the end")
    assert console.app.session.own.status == "stopped"
    assert console.app.session.own.finished.reason == "signal SIGTERM"
    assert not console.app.session.is_live


async def test_a_signal_exits_at_once_if_no_run_is_live(open_console):
    async with open_console() as console:
        console.app.quit_prompt.stop_and_quit("signal SIGTERM")
        await console.until(lambda: not console.app.is_running, "the end")


async def test_a_trainer_that_raises_leaves_the_console_alive_and_another_run_can_start(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1), RuntimeError("the disk is on fire"))
        await console.notice("the disk is on fire")
        await console.see("✗ failed")
        await console.until(lambda: not console.app.session.is_live, "the end of the run")
        await console.press("4", "s")
        trainer.emit(*whole_run())
        await console.see("✓ completed")
    assert len(trainer.configs) == 2


async def test_the_end_of_a_run_is_announced_in_other_panes(open_console, trainer):
    async with open_console() as console:
        await console.start()
        await console.press("5")
        trainer.emit(*whole_run())
        await console.notice("completed")


async def test_the_palette_goes_to_panes_and_takes_presets_to_train(open_console):
    async with open_console() as console:
        await console.press("ctrl+p")
        await console.press(*"Train scratch".replace(" ", "")[:12])
        await console.see("Train scratch")
        await console.press("enter")
        await console.until(lambda: console.app.pane == "train", "the Train pane")
        await console.see("scratch")


async def test_keys_in_the_palette_open_the_same_help_as_the_question_mark(open_console):
    async with open_console() as console:
        await console.press("ctrl+p", *"Keys")
        await console.see("Show every key of this screen")
        await console.press("enter")
        await console.until(lambda: isinstance(console.app.screen, KeysScreen), "the help screen")
        assert not console.app.screen.query("HelpPanel")


async def test_the_palette_applies_the_data_set_of_the_command_line(open_console, reviews_csv):
    async with open_console(data=str(reviews_csv)) as console:
        await console.app.run_action("train_preset('scratch')")
        assert console.app.session.proposed.data.source == str(reviews_csv)


async def test_ctrl_q_with_a_live_run_asks_as_q_does(open_console, trainer):
    async with open_console() as console:
        await console.start()
        await console.press("ctrl+q")
        await console.see("stop the run and quit")
