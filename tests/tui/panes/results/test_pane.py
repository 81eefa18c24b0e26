"""Results: what it opens for, and how its pages share what they read."""

from __future__ import annotations

from core.config.schema import RunConfig
from tests.tui.fakes import whole_run, write_run
from tui.panes.results.subject import SubjectData, subjects_of


async def test_without_a_run_it_shows_what_to_press(open_console):
    async with open_console() as console:
        await console.press("6")
        await console.see("No run has finished an epoch yet", "enter shows the results of one")
        await console.press("s", "e", "b", "left_square_bracket", "y", "escape")
        assert console.app.pane == "results"


async def test_it_opens_for_the_newest_run_that_finished_an_epoch(open_console, results_root, results_run):
    write_run(results_root, RunConfig(preset="unfinished"), whole_run(done=0, end=None), minute=59)
    async with open_console(root=results_root) as console:
        await console.press("6")
        await console.see(results_run.name, "epoch 2", "8 validation reviews", "reviews.csv")


async def test_enter_in_runs_opens_the_run_under_the_cursor(open_console, results_root, results_run):
    async with open_console(root=results_root) as console:
        await console.press("5")
        await console.see("tiny")
        await console.press("enter")
        await console.until(lambda: console.app.pane == "results", "the Results pane")
        await console.see(results_run.name, "95 % interval")


async def test_v_in_train_opens_the_run_that_train_shows(open_console, results_root, results_run):
    async with open_console(root=results_root) as console:
        await console.press("5")
        await console.see("tiny")
        await console.press("o")
        await console.until(lambda: console.app.pane == "train", "the Train pane")
        await console.see("completed", "v results")
        await console.press("v")
        await console.see(results_run.name, "95 % interval")


async def test_a_run_without_an_epoch_says_so_and_what_to_press(open_console, tmp_path):
    root = tmp_path / "runs"
    write_run(root, RunConfig(preset="halted"), whole_run(done=0, end="stopped"))
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("halted")
        await console.press("enter")
        await console.see("has not finished an epoch", "Press 1")


async def test_brackets_step_through_the_epochs_and_b_lists_them(open_console, results_root):
    async with open_console(root=results_root) as console:
        await console.press("6")
        await console.see("epoch 2 ·")
        await console.press("left_square_bracket")
        await console.see("epoch 1 ·")
        await console.press("b")
        await console.see("Show the predictions of:")
        await console.press("down", "enter")
        await console.see_no("Show the predictions of:")
        await console.see("epoch 2 ·")


async def test_letters_are_text_while_the_filter_has_the_focus(open_console, results_root):
    async with open_console(root=results_root) as console:
        await console.press("6")
        await console.see("95 % interval")
        await console.press("e")
        await console.see("largest loss first")
        await console.press("slash", *"seb")
        await console.see("with “seb”")


def test_the_parts_of_a_subject_are_read_once(results_run):
    data = SubjectData(subjects_of(results_run)[-1])
    assert data.texts() is data.texts()
    assert len(data.texts()) == len(data.predictions()) == 8
    scorer = data.scorer()
    assert data.scorer() is scorer
    data.release_weights()
    assert data.scorer() is not scorer
