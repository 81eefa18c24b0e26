"""The live view: what is proposed, what the events tell, what the keys ask of the run."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.widgets import Static

from core.config.presets import load_preset
from core.config.schema import RunConfig
from tests.tui.fakes import epoch, finished, progressed, started, step, warned, whole_run, write_run
from tui.messages import TrainingEvents

BRAILLE = {chr(code) for code in range(0x2801, 0x2900)}


async def test_without_a_preset_it_shows_which_key_to_press(open_console, trainer):
    async with open_console() as console:
        await console.press("4")
        await console.see("No run yet", "preset")
        assert "s start" not in console.lines("q quit")[0]
        await console.press("s")
        await console.notice("Choose a preset first")
        assert trainer.configs == []


async def test_a_proposal_shows_its_numbers_and_s_starts_it(open_console, trainer):
    async with open_console() as console:
        await console.press("enter")
        quick = load_preset("quick")
        await console.see("quick", "is ready", "press s to start", "synthetic reviews (no Hub)", "s start")
        for field, value in {"n_samples": quick.data.n_samples, "num_epochs": quick.train.num_epochs}.items():
            assert any(str(value) in line.split() for line in console.lines(field))
        assert trainer.configs == []
        await console.press("s")
        await console.see("○ starting")
        await console.until(lambda: trainer.configs, "the start")
    assert trainer.configs[0].preset == "quick"


async def test_events_update_status_step_curves_epochs_and_log(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(progressed("reading reviews"))
        await console.see("reading reviews")
        trainer.emit(started(), warned("only one class"))
        await console.see("● running", "0/30", "only one class", "float32")
        assert not BRAILLE & set(console.text())
        trainer.emit(*(step(number) for number in range(1, 11)))
        await console.see("10/30")
        await console.until(lambda: BRAILLE & set(console.text()), "a curve")
        trainer.emit(epoch(1, at=10))
        await console.see("0.567", "71.2 %", "0.456", "78.9 %", "epoch 1: val loss 0.456")
        trainer.emit(step(11, epoch=2))
        await console.see("2/3", "11/30")
        trainer.emit(finished("completed", at=30, reason="all 3 epochs are done"))
        await console.see("✓ completed", "all 3 epochs are done")


async def test_p_pauses_a_run_and_resumes_it(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.see("● running")
        await console.press("p")
        await console.see("‖ paused")
        await console.press("p")
        await console.see("● running")
        await console.see_no("‖ paused")


async def test_x_asks_and_n_continues_and_y_stops(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.see("● running")
        await console.press("x")
        await console.see("Stop this run", "y  stop now and save", "n  continue training")
        await console.press("n")
        await console.see_no("Stop this run")
        assert not console.app.session.training.control.stop_requested
        await console.press("x", "y")
        await console.see("■ stopped")
        await console.see_no("Stop this run")
    assert console.app.session.own.finished.reason == "requested in the console"


async def test_events_that_come_while_the_console_is_taken_down_are_not_drawn(open_console, trainer):
    class Slow(Static):
        """Holds up its ancestors, so that they are there when what stood beside them is gone."""

        async def on_unmount(self) -> None:
            console.app.post_message(TrainingEvents([step(2)]))
            await asyncio.sleep(0.3)

    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.see("● running")
        await console.app.query_one("#train-log").mount(Slow())
    assert console.app.session.own.step == 2


async def test_a_paused_run_can_be_stopped(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1))
        await console.press("p")
        await console.see("‖ paused")
        await console.press("x", "y")
        await console.see("■ stopped")


async def test_p_and_x_without_a_live_run_show_a_notice(open_console):
    async with open_console() as console:
        await console.press("4")
        for key in ("p", "x"):
            console.notices.clear()
            await console.press(key)
            await console.notice("No run is live")


async def test_a_failed_run_shows_its_error_in_one_line_and_the_traceback_on_demand(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trace = 'Traceback (most recent call last):\n  File "loop.py", line 3, in deep_inside\nValueError: too hot'
        trainer.emit(started(), step(1), finished("failed", at=1, error="ValueError: too hot", traceback=trace))
        await console.see("✗ failed", "ValueError: too hot")
        assert "deep_inside" not in console.text()
        await console.press("t")
        await console.see("deep_inside")


async def test_l_shows_the_whole_lines_of_the_log(open_console, trainer):
    reason = "requested by somebody whose message is far too long for a column beside a table of epochs"
    async with open_console(size=(80, 24)) as console:
        assert "l log" not in console.text()
        await console.start()
        trainer.emit(started(), step(1), finished("stopped", at=1, reason=reason))
        await console.see("■ stopped", "after step 1 of", "l log")
        await console.press("l")
        await console.see("Log of this run", "beside a table of epochs", "escape closes")
        await console.press("l")
        await console.see("l log")


async def test_i_shows_the_engine_of_the_run(open_console, trainer):
    async with open_console() as console:
        await console.start()
        assert "i engine" not in console.text()
        layout = "unpadded (nothing is computed for [padding])"
        trainer.emit(replace(started(), engine={"dtype": "bfloat16 (the CPU has AMX tiles)", "layout": layout}))
        await console.see("● running", "i engine")
        await console.press("i")
        await console.see("Engine of this run", f"layout  {layout}", "dtype   bfloat16 (the CPU has AMX tiles)")
        await console.press("escape")
        await console.until(lambda: "Engine of" not in console.text(), "the end of the dialog")


async def test_after_a_run_s_starts_the_same_again(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(*whole_run(epochs=1))
        await console.see("✓ completed")
        await console.until(lambda: not console.app.session.is_live, "the end of the run")
        await console.press("s")
        await console.until(lambda: len(trainer.configs) == 2, "the second start")
        await console.see("○ starting")
    assert trainer.configs[0] == trainer.configs[1]


async def test_a_screen_made_small_in_the_middle_of_training_still_shows_the_status(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(*whole_run(done=1, end=None))
        await console.see("● running", "10/30")
        await console.pilot.resize_terminal(40, 12)
        trainer.emit(step(11, epoch=2))
        await console.see("● running")
        assert max(len(line) for line in console.text().splitlines()) <= 40
        await console.pilot.resize_terminal(120, 40)
        await console.see("● running", "11/30", "0.500")


async def test_all_the_epochs_that_there_is_room_for_are_seen_in_a_run_of_the_disk(open_console, tmp_path):
    run = write_run(tmp_path / "runs", RunConfig(preset="quick"), whole_run(epochs=8))
    async with open_console(root=tmp_path / "runs", watch=run, size=(120, 60)) as console:
        await console.see("epoch 1: val loss", "epoch 8: val loss")
        await console.see("━━━ 100%")
        await console.pilot.resize_terminal(120, 24)
        await console.see_no("epoch 1: val loss")
        await console.see("epoch 8: val loss")
        await console.pilot.resize_terminal(120, 60)
        await console.see("epoch 1: val loss")


async def test_numbers_that_are_not_finite_are_shown_and_break_nothing(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1), step(2, loss=float("nan")), step(3, loss=float("inf")))
        trainer.emit(epoch(1, at=10, val_loss=float("nan")))
        await console.see("3/30", "nan")
        trainer.emit(finished("failed", at=3, error="step 4: loss nan"))
        await console.see("✗ failed")


async def test_with_no_color_every_cell_is_grey_and_the_status_has_its_sign(open_console, trainer, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_console() as console:
        await console.start()
        trainer.emit(*whole_run(done=1, end=None))
        await console.see("● running", "0.500")
        await console.until(lambda: BRAILLE & set(console.text()), "a curve")
        styles = [segment.style for strip in console.strips() for segment in strip if segment.style]
    triplets = {colour.get_truecolor() for style in styles for colour in (style.color, style.bgcolor) if colour}
    assert {(red, green, blue) for red, green, blue in triplets if not red == green == blue} == set()


async def test_a_traceback_with_brackets_is_shown_as_it_is(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(), step(1), finished("failed", at=1, error="too hot", traceback="shape [3, 4] [/x] deep"))
        await console.see("✗ failed")
        await console.press("t")
        await console.see("[3, 4] [/x] deep")


async def test_no_control_character_of_an_error_or_an_activity_reaches_the_screen(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(progressed("reading \x1b[31m now"))
        await console.see("reading")
        assert "\x1b" not in console.text()
        trainer.emit(started(), finished("failed", at=1, error="file \x1b[2J is bad"))
        await console.see("✗ failed")
        assert "\x1b" not in console.text()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_newest_epoch_and_the_newest_line_of_the_log_are_in_sight(open_console, trainer, size):
    async with open_console(size=size) as console:
        await console.start()
        trainer.emit(*whole_run(epochs=30, steps=2, done=20, end=None), warned("newest"))
        await console.see("40/60")
        await console.see("newest")
        await console.until(lambda: any(line.split()[:1] == ["20"] for line in console.lines("0.567")), "epoch 20")
        trainer.emit(step(41, epoch=21), warned("newer"))
        await console.see("newer")


async def test_points_that_come_between_two_drawings_break_nothing(open_console, trainer):
    async with open_console() as console:
        await console.start()
        trainer.emit(started(steps_per_epoch=500), *(step(number) for number in range(1, 401)))
        await console.see("400/1500")
        for number in range(401, 410):
            console.app.session.own.apply(step(number))
        await console.pilot.resize_terminal(110, 36)
        assert console.app.is_running


async def test_curves_and_legend_are_those_of_the_whole_run_after_it_ended_behind_another_pane(open_console, trainer):
    events = whole_run()
    async with open_console() as console:
        await console.start()
        trainer.emit(*events[:12])
        await console.see("● running", "● validation loss 0.500")
        await console.press("5")
        await console.until(lambda: console.app.pane == "runs", "the Runs pane")
        trainer.emit(*events[12:])
        await console.until(lambda: console.app.session.own.finished is not None, "the end of the run")
        await console.press("4")
        await console.see("completed", "● validation loss 0.300")
