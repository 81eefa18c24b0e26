"""The Runs pane: the list of runs, the configuration of one, and several in comparison."""

from __future__ import annotations

import threading

import pytest

from core.config.schema import RunConfig
from core.runs.reader import RunReader
from tests.tui.fakes import epoch, finished, started, step, whole_run, write_run


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


def config(name, **fields):
    made = RunConfig(preset=name)
    for field, value in fields.items():
        made = made.set(field.replace("__", "."), value)
    return made


async def test_runs_of_every_status_are_listed_with_its_sign_and_name(open_console, root):
    write_run(root, config("done"), whole_run(preset="done"), minute=1)
    write_run(root, config("halted"), whole_run(preset="halted", done=1, end="stopped"), minute=2)
    write_run(root, config("broke"), whole_run(preset="broke", done=1, end="failed"), minute=3)
    write_run(root, config("died"), whole_run(preset="died", done=1, end=None), minute=4)
    async with open_console(root=root) as console:
        await console.press("5")
        for status, preset in {
            "✓ completed": "done",
            "■ stopped": "halted",
            "✗ failed": "broke",
            "? interrupted": "died",
        }.items():
            await console.see(status)
            assert any(preset in line for line in console.lines(status))
        assert any("90.0 %" in line for line in console.lines("✓ completed"))


async def test_the_newest_run_is_on_top_and_the_keys_move(open_console, root):
    write_run(root, config("older"), whole_run(preset="older"), minute=1)
    write_run(root, config("newer"), whole_run(preset="newer"), minute=2)
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("older", "newer")
        assert console.text().index("newer") < console.text().index("older")


async def test_a_run_shows_its_epochs_and_i_opens_its_configuration(open_console, root):
    write_run(root, config("one", train__learning_rate="0.00321"), whole_run(preset="one"))
    async with open_console(root=root, size=(120, 60)) as console:
        await console.press("5")
        await console.see("0.500", "70.0 %")
        await console.press("i")
        await console.see("model.init", "model.checkpoint")
        await console.press("escape")
        await console.see_no("model.checkpoint")


async def test_two_marked_runs_show_only_the_fields_in_which_they_differ(open_console, root):
    write_run(root, config("slow", train__learning_rate="0.00123"), whole_run(preset="slow"), minute=1)
    write_run(root, config("fast", train__learning_rate="0.0456"), whole_run(preset="fast"), minute=2)
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("slow", "fast")
        await console.press("space", "down", "space")
        await console.see("train.learning_rate", "0.00123", "0.0456", "2 marked")
        assert "weight_decay" not in console.text()
        await console.press("c")
        await console.see_no("train.learning_rate")


async def test_two_marked_runs_of_one_configuration_are_reported_as_the_same(open_console, root):
    for minute in (1, 2):
        write_run(root, config("twin"), whole_run(preset="twin"), minute=minute)
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("twin")
        await console.press("space", "j", "space")
        await console.see("the same")


async def test_an_empty_list_shows_what_to_press(open_console, root):
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("No runs yet", "enter to open it in Train", "s to start")
        await console.press("space", "enter", "c")
        assert console.app.pane == "runs"


async def test_a_runs_directory_that_cannot_be_read_is_reported(open_console, root):
    root.write_text("a file, not a directory", encoding="utf-8")
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("✗", "cannot be read")


async def test_a_run_with_torn_and_damaged_lines_is_shown(open_console, root):
    run = write_run(root, config("torn"), whole_run(preset="torn", done=1, end=None))
    with run.events_path.open("ab") as file:
        file.write(b'not json\n\xff\xfe\n{"event": "step", "loss": 0.')
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("? interrupted", "torn", "0.500")
        assert any("! 20261124-090000-torn  unreadable lines: 3" in line for line in console.lines("? interrupted"))
        assert any("3 unreadable lines in events.jsonl" in line for line in console.lines("space: mark"))
        await console.press("o")
        await console.see("opened from disk · 3 unreadable lines in events.jsonl")


async def test_a_run_without_events_or_with_a_damaged_configuration_is_shown(open_console, root):
    write_run(root, config("empty"), [], minute=1)
    damaged = write_run(root, config("damaged"), whole_run(preset="damaged"), minute=2)
    (damaged.path / "config.toml").write_text("train = 3\n", encoding="utf-8")
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("empty", "damaged")
        await console.press("enter")
        await console.see("✗")
        await console.press("space", "down", "space")
        assert console.app.is_running


async def test_a_run_that_appears_while_the_pane_is_open_is_seen_after_refresh(open_console, root):
    write_run(root, config("first"), whole_run(preset="first"), minute=1)
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("first")
        write_run(root, config("second"), whole_run(preset="second"), minute=2)
        await console.press("r")
        await console.see("second", "first")


async def test_the_live_run_is_listed_as_it_grows(open_console, root):
    from core.runs.writer import create_run

    writer = create_run(root, config("live"))
    writer.append(started(preset="live", num_epochs=1))
    writer.append(step(1))
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("● running")
        writer.append(epoch(1, at=10))
        writer.append(finished("completed", at=10))
        writer.close()
        await console.press("r")
        await console.see("✓ completed", "78.9 %")


async def test_control_characters_in_a_run_do_not_reach_the_screen(open_console, root):
    write_run(root, config("\x1b[2Jbad"), whole_run(preset="\x1b[2Jbad"))
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("✓ completed")
        assert not [char for char in console.text() if ord(char) < 32 and char != "\n"]


async def test_an_unreadable_runs_directory_with_brackets_in_its_name_is_reported(open_console, tmp_path):
    (tmp_path / "[").mkdir()
    root = tmp_path / "[" / "x]"
    root.write_text("a file", encoding="utf-8")
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("cannot be read", "[/x]")


async def test_brackets_in_a_configuration_are_only_brackets(open_console, root):
    write_run(root, config("one", data__source="/[/x]/a.csv"), whole_run(preset="one"), minute=1)
    write_run(root, config("two", data__source="/[red]/b.csv"), whole_run(preset="two"), minute=2)
    async with open_console(root=root, size=(120, 60)) as console:
        await console.press("5", "space", "down", "space")
        await console.see("/[/x]/a.csv", "/[red]/b.csv")
        await console.press("c", "i")
        await console.see("data.source", "/[/x]/a.csv")


def names(console):
    """The runs of the table, from the top."""
    return [str(key.value)[16:] for key in console.app.query_one("#runs-table").rows]


@pytest.fixture
def three(root):
    """Runs of different endings, lengths and accuracies."""
    best = [started(preset="b-mid"), epoch(1, at=10, val_accuracy=0.99), finished("completed", at=30)]
    write_run(root, config("b-mid"), best, minute=1)
    write_run(root, config("a-bad"), whole_run(preset="a-bad", done=1, end="failed"), minute=2)
    write_run(root, config("c-new"), [started(preset="c-new"), epoch(1, at=9, val_accuracy=0.95)], minute=3)
    return root


async def test_names_of_runs_are_whole_also_where_there_is_little_room(open_console, three):
    async with open_console(root=three, size=(80, 24)) as console:
        await console.press("5")
        await console.see("20261124-090300-c-new", "best acc")
        await console.press(*"sss")  # by the preset, which is the end of the name
        await console.see("run▾")
        assert names(console) == ["a-bad", "b-mid", "c-new"]
        await console.pilot.resize_terminal(120, 40)
        await console.see("preset▾", "20261124-090300-c-new")


async def test_home_and_end_go_to_the_first_and_the_last_run_and_escape_shows_all(open_console, three):
    async with open_console(root=three) as console:
        await console.press("5")
        await console.see("c-new", "/: filter")
        table = console.app.query_one("#runs-table")
        await console.press("end")
        await console.until(lambda: table.cursor_row == 2, "the last run")
        await console.press("home")
        await console.until(lambda: table.cursor_row == 0, "the first run")
        await console.press("slash", *"bad", "enter")
        await console.see("escape: show all")
        await console.press("escape")
        await console.see("/: filter", "c-new")
        await console.press("space", "down", "space")
        await console.see("2 marked")
        assert "config" not in console.text().splitlines()[-1]


async def test_s_sorts_the_table_by_the_next_column(open_console, three):
    async with open_console(root=three) as console:
        await console.press("5")
        await console.see("date▾", "c-new")
        assert names(console) == ["c-new", "a-bad", "b-mid"]
        await console.press("down", "s")
        await console.see("best acc▾")
        assert names(console) == ["b-mid", "c-new", "a-bad"]
        await console.press("s")
        await console.see("time▾")
        assert names(console)[0] == "b-mid"
        await console.press("s")
        await console.see("preset▾")
        assert names(console) == ["a-bad", "b-mid", "c-new"]
        assert console.app.query_one("#runs-table").current.endswith("a-bad")  # the cursor stays on its run
        await console.press("s")
        await console.see("status▾")
        assert names(console) == ["b-mid", "a-bad", "c-new"]


async def test_the_heading_shows_the_order_of_a_single_run_too(open_console, root):
    write_run(root, config("only"), whole_run(preset="only"))
    async with open_console(root=root) as console:
        await console.press("5")
        await console.see("date▾", "✓ completed")
        await console.press("s")
        await console.see("best acc▾", "✓ completed")
        await console.pilot.click("#runs-table", offset=(62, 0))
        await console.see("time▾")


async def test_the_table_is_filtered_while_typing_and_escape_shows_all(open_console, three):
    async with open_console(root=three) as console:
        await console.press("5")
        await console.see("c-new")
        await console.press("slash", *"fail")
        await console.until(lambda: names(console) == ["a-bad"], "the failed run alone")
        await console.press(*" new")
        await console.see("No run matches the filter")
        await console.press(*["backspace"] * 4, "enter")
        await console.until(lambda: names(console) == ["a-bad"], "the failed run again")
        await console.see("fail")
        await console.press("escape")
        await console.until(lambda: len(names(console)) == 3, "all runs")
        assert not console.app.query_one("#runs-filter-line").display


async def test_keys_are_answered_while_a_long_run_is_read(open_console, three, monkeypatch):
    reading, go = threading.Event(), threading.Event()

    def parts(self, original=RunReader.parts):
        if "b-mid" in self.run.name and self.steps == "columns":
            reading.set()
            assert go.wait(20)
        return original(self)

    monkeypatch.setattr(RunReader, "parts", parts)
    async with open_console(root=three) as console:
        try:
            await console.press("5")
            await console.see("c-new", "95.0 %")
            await console.press("down", "down")
            await console.until(reading.is_set, "the reading of the long run")
            await console.see("reading", "b-mid …")
            await console.press("up", "s")
            await console.see("best acc▾")
        finally:
            go.set()
        await console.press("s", "s", "s", "s", "down", "down")
        await console.see("date▾", "space: mark runs to compare")
