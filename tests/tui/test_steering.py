"""Steering a run from the keyboard: this console's own, one of another process, and one that has ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.config.schema import RunConfig
from core.runs.directory import Run
from core.runs.events import ControlReceived, Warned
from core.runs.writer import RunWriter, create_run
from core.training.control import Change, Ending
from tests.core.support.events_of import saved
from tests.tui.fakes import BEGAN, FakeTrainer, finished, moment, started, step, whole_run, write_run


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


class FakeResume:
    """Records which runs it was asked to resume, and ends at once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(self, run: Run, control: Any, emit: Any, add_epochs: int) -> None:
        self.asked.append((run.name, add_epochs))
        emit(started(num_epochs=3))
        emit(finished("completed", at=30, reason="resumed to the end"))


async def go(console, trainer: FakeTrainer) -> None:
    await console.start()
    trainer.emit(started(), step(1))
    await console.see("● running")


async def test_r_asks_for_a_rate_and_hands_it_to_the_run(open_console, trainer):
    async with open_console() as console:
        await go(console, trainer)
        await console.press("r")
        await console.see("New peak learning rate")
        await console.press(*["backspace"] * 8, *"2e-4", "enter")
        changes = console.app.session.training.control.take_changes(1)
        assert [(change.action, change.value) for change in changes] == [("learning_rate", 2e-4)]


@pytest.mark.parametrize(("typed", "reason"), [("fast", "'fast' is not a number"), ("2", "at most 1")])
async def test_an_invalid_rate_is_refused_with_the_reason(open_console, trainer, typed, reason):
    async with open_console() as console:
        await go(console, trainer)
        await console.press("r", *["backspace"] * 8, *typed, "enter")
        await console.see("✗ ", reason, typed)
        assert console.app.session.training.control.take_changes(1) == []


async def test_plus_adds_epochs_to_a_live_run(open_console, trainer):
    async with open_console() as console:
        await go(console, trainer)
        await console.press("plus")
        await console.see("How many epochs to add?")
        await console.press("backspace", "2", "enter")
        changes = console.app.session.training.control.take_changes(1)
        assert changes == [Change("add_epochs", 2.0, "requested in the console")]


@pytest.mark.parametrize(("key", "ending"), [("e", Ending.FINISH_EPOCH), ("d", Ending.DISCARD)])
async def test_x_offers_the_other_endings(open_console, trainer, key, ending):
    async with open_console() as console:
        await go(console, trainer)
        await console.press("x")
        await console.see("e  stop after this epoch", "d  discard (stop without saving)")
        await console.press(key)
        await console.until(lambda: console.app.session.training.control.ending is ending, "the ending")
        if key == "e":
            await console.see("stops after this epoch")


async def test_a_change_of_the_rate_a_pause_and_a_save_are_marked_under_the_axis(open_console, trainer):
    def asked(action: str, at: int, value: float | None = None) -> ControlReceived:
        return ControlReceived(**moment(20.0), step=at, action=action, reason="asked for", value=value)

    async with open_console() as console:
        await console.start()
        trainer.emit(started(), *(step(i) for i in range(1, 16)), asked("learning_rate", 15, 1e-3), asked("pause", 5))
        await console.see("λ rate changed", "‖ pause")
        line = next(line for line in console.text().splitlines() if "λ" in line and "‖" in line and "rate" not in line)
        axis = next(line for line in console.text().splitlines() if "└" in line)
        left, right = axis.index("└") + 1, axis.index("┘")
        assert abs(line.index("λ") - (left + (right - left) / 2)) <= 1, "step 15 of 30 is in the middle of the axis"
        assert abs(line.index("‖") - (left + (right - left) / 6)) <= 1


async def test_a_failing_save_stays_on_the_screen_until_it_works_again(open_console, trainer):
    async with open_console() as console:
        await go(console, trainer)
        trainer.emit(Warned(**moment(5.0), message="Saving failed (No space left)", saving_fails=True), step(2))
        await console.see("✗ Saving has failed since ")
        trainer.emit(step(3), Warned(**moment(6.0), message="Saving works again", saving_fails=False))
        await console.see_no("✗ Saving has failed since ")


async def test_whatever_the_trainer_raises_its_traceback_is_there_on_demand_and_another_run_starts(
    open_console, trainer
):
    async with open_console() as console:
        await go(console, trainer)
        trainer.emit(SystemError("the roof is gone"))
        await console.see("✗ failed")
        await console.notice("SystemError: the roof is gone")
        await console.press("t")
        await console.see("Traceback", "raise item")
        await console.press("escape", "s")
        await console.until(lambda: len(trainer.configs) == 2, "a second run")
        trainer.emit(started(), step(1))
        await console.see("● running")


async def test_o_opens_a_stopped_run_in_train_and_p_resumes_it(open_console, root):
    run = write_run(root, RunConfig(preset="quick"), whole_run(done=2, end="stopped"))
    resume = FakeResume()
    async with open_console(resume=resume) as console:
        await console.press("5")
        await console.see("stopped")
        await console.press("o")
        await console.see("■ stopped", "opened from disk", "p resume")
        assert console.app.pane == "train"
        await console.press("p")
        await console.see("✓ completed", "resumed to the end")
        assert resume.asked == [(run.name, 0)]
        assert console.app.session.watched is None
        assert console.app.session.own.curves["train/loss"].steps[:20].tolist() == list(range(1, 21)), (
            "the curve so far is there"
        )


@pytest.mark.parametrize("pane", ["runs", "train"])
async def test_p_starts_a_run_again_that_ended_before_its_first_checkpoint(open_console, root, pane):
    run = write_run(root, RunConfig(preset="quick"), whole_run(done=1, end="failed"), saved=False)
    resume = FakeResume()
    async with open_console(resume=resume) as console:
        await console.press("5")
        await console.see("failed", "p resume")
        if pane == "train":
            await console.press("o")
            await console.see("✗ failed", "opened from disk", "p resume")
        await console.press("p")
        await console.until(lambda: resume.asked, "the run to be resumed")
        assert resume.asked == [(run.name, 0)]


async def test_a_run_whose_checkpoints_were_removed_cannot_be_resumed(open_console, root):
    events = whole_run(done=1, end="stopped")
    write_run(root, RunConfig(preset="quick"), [*events[:-1], saved(at=1), events[-1]], saved=False)
    resume = FakeResume()
    async with open_console(resume=resume) as console:
        await console.press("5")
        await console.see("stopped")
        assert "p resume" not in console.text()
        await console.press("p", "o")
        await console.see("■ stopped", "after step", "opened from disk")
        assert "p resume" not in console.text()
        await console.press("p")
        await console.notice("This run has ended. Press s to start a new one.")
        assert resume.asked == []


async def test_p_on_a_completed_run_suggests_to_add_epochs(open_console, root):
    write_run(root, RunConfig(preset="quick"), whole_run())
    async with open_console() as console:
        await console.press("5")
        await console.see("completed")
        await console.press("o")
        await console.see("✓ completed", "opened from disk")
        await console.press("p")
        await console.notice("Press s to start a new one, + to add epochs.")


async def test_plus_adds_epochs_to_a_completed_run(open_console, root):
    run = write_run(root, RunConfig(preset="quick"), whole_run())
    resume = FakeResume()
    async with open_console(resume=resume) as console:
        await console.press("5")
        await console.see("completed")
        await console.press("p")
        assert not console.app.session.is_live
        await console.press("o")
        await console.see("opened from disk", "+ add epochs")
        await console.press("plus", "backspace", "4", "enter")
        await console.until(lambda: resume.asked, "the run to be resumed")
        assert resume.asked == [(run.name, 4)]


async def test_a_run_that_cannot_be_resumed_shows_the_reason(open_console, root):
    def refuse(run: Run, control: Any, emit: Any, add_epochs: int) -> None:
        from core.errors import InputError

        raise InputError(f"run {run.name} has no checkpoint to resume from: none")

    write_run(root, RunConfig(preset="quick"), whole_run(done=1, end="failed"))
    async with open_console(resume=refuse) as console:
        await console.press("5")
        await console.see("failed")
        await console.press("p")
        await console.notice("has no checkpoint to resume from")
        await console.until(lambda: not console.app.session.is_live, "the end")


async def test_o_shows_the_live_run_of_this_console_in_train(open_console, root, trainer):
    writer = create_run(root, RunConfig(preset="quick"), now=lambda: BEGAN)
    writer.append(started())
    async with open_console() as console:
        await go(console, trainer)
        await console.press("5")
        await console.see("20261124-090000-quick")
        await console.press("o")
        await console.until(lambda: console.app.pane == "train", "the Train pane")
        assert console.app.session.watched is None


def requests(writer: RunWriter) -> list[tuple[str, Any]]:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((writer.path / "requests").glob("*.json"))]
    return [(each["action"], each["value"]) for each in found]


async def test_a_run_of_another_process_is_followed_and_steered(open_console, root):
    writer = create_run(root, RunConfig(preset="quick"), now=lambda: BEGAN)
    for event in whole_run(done=1, end=None):
        writer.append(event)
    async with open_console() as console:
        await console.press("5")
        await console.see("running")
        await console.press("o")
        await console.see("● running", "step 10/30", "process ")
        for i in range(11, 14):
            writer.append(step(i, epoch=2))
        await console.see("step 13/30")
        await console.press("p")
        await console.until(lambda: requests(writer) == [("pause", None)], "the request to pause")
        writer.append(ControlReceived(**moment(20.0), step=13, action="pause", reason="asked for"))
        await console.see("‖ paused")
        await console.press("p", "r", *["backspace"] * 8, *"1e-3", "enter", "x", "y")
        await console.until(lambda: len(requests(writer)) == 4, "all requests")
        assert requests(writer)[1:] == [("resume", None), ("learning_rate", 1e-3), ("stop", None)]
        writer.append(finished("stopped", at=13))
        writer.close()
        await console.see("■ stopped")
        await console.see("p resume")  # it has no checkpoint, so it would start again


async def test_a_followed_run_whose_process_dies_becomes_interrupted(open_console, root):
    writer = create_run(root, RunConfig(preset="quick"), now=lambda: BEGAN)
    for event in whole_run(done=1, end=None):
        writer.append(event)
    async with open_console(watch=writer.run) as console:
        await console.see("● running", "step 10/30")
        writer.close()
        await console.see("? interrupted")


async def test_the_console_can_be_opened_on_a_run_and_shows_its_curve(open_console, root):
    run = write_run(root, RunConfig(preset="quick"), whole_run())
    async with open_console(watch=run) as console:
        await console.see("✓ completed", "opened from disk", "epoch 1")
        await console.press("1", "enter")
        await console.see("is ready · press s to start")
