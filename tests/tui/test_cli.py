"""The entry point: it opens the console, or runs a command of core."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from core import __version__
from tui import cli


@pytest.fixture
def opened(monkeypatch):
    """The consoles that were opened; none is really run."""
    apps = []
    monkeypatch.setattr("tui.app.ImdbTui.run", lambda app, **_: apps.append(app))
    monkeypatch.setattr(cli, "leave", sys.exit)  # the real one would end the tests with the daemon threads of others
    return apps


@pytest.fixture
def call(monkeypatch, capsys, opened):
    """Calls ``imdb-tui`` with arguments, at a terminal or not; (exit code, stdout, stderr)."""

    def called(*arguments, at_terminal=False):
        monkeypatch.setattr(sys, "argv", ["imdb-tui", *arguments])
        for stream in (sys.stdin, sys.stdout):
            monkeypatch.setattr(stream, "isatty", lambda: at_terminal, raising=False)
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    return called


def test_without_a_terminal_the_console_is_refused_in_one_line():
    done = subprocess.run(
        [sys.executable, "-c", "from tui.cli import main; main()"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "terminal" in done.stderr


def test_commands_are_handed_on_to_core(call):
    code, out, err = call("presets", "--json")
    assert (code, err) == (0, "")
    assert {"quick", "pretrained", "scratch", "improved"} <= {preset["name"] for preset in json.loads(out)}


def test_version_and_help_are_cores(call):
    assert call("--version") == (0, f"imdb-tui {__version__}\n", "")
    code, out, _ = call("--help")
    assert code == 0
    assert "train" in out


def test_an_unknown_command_is_bad_usage(call):
    code, _, err = call("fly")
    assert code == 2
    assert "fly" in err


def test_an_unknown_preset_is_one_line_and_no_console(call, opened):
    code, _, err = call("--preset", "nope", at_terminal=True)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "nope" in err
    assert opened == []


def test_no_command_opens_the_console_with_its_options(call, opened, tmp_path, reviews_csv):
    options = ("--preset", "scratch", f"--runs-dir={tmp_path / 'here'}", "--data", str(reviews_csv))
    code, _, err = call(*options, at_terminal=True)
    assert (code, err) == (0, "")
    (app,) = opened
    assert (app.first_preset, app.root, app.data) == ("scratch", tmp_path / "here", str(reviews_csv))


def test_no_arguments_open_the_console_in_the_default_place(call, opened, tmp_path):
    assert call(at_terminal=True)[0] == 0
    assert opened[0].root == tmp_path / "default-runs"


def test_a_daemon_thread_does_not_delay_the_exit_or_change_its_code():
    program = """
import sys, threading
from tui.cli import leave
threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.stdout.write("written before")
leave(3)
"""
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (answer.returncode, answer.stdout, answer.stderr) == (3, "written before", "")


def test_without_daemon_threads_exit_handlers_run():
    program = "import atexit; atexit.register(print, 'at exit'); from tui.cli import leave; leave(2)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (answer.returncode, answer.stdout) == (2, "at exit\n")


def test_an_interrupt_while_modules_are_imported_prints_nothing():
    code = """
import builtins, sys
take = builtins.__import__
def interrupted(name, *rest, **options):
    if name == "core.cli.main":
        raise KeyboardInterrupt
    return take(name, *rest, **options)
from tui.cli import main
builtins.__import__ = interrupted
sys.argv = ["imdb-tui", "runs"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_closed_stdin_is_no_terminal():
    line = f'exec {sys.executable} -c "from tui.cli import main; main()" <&-'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("imdb-tui: the console needs a terminal")


def test_an_option_of_the_console_given_twice_is_refused(call, opened):
    code, _, err = call("--data", "embedded", "--data=hub", at_terminal=True)
    assert code == 2
    assert "--data is given 2 times" in err
    assert not opened


def test_help_names_the_options_of_the_console_also_after_them(call):
    code, out, _ = call("--data", "reviews.csv", "--help")
    assert code == 0
    assert out == call("--help")[1]
    assert all(option in out for option in cli.CONSOLE_OPTIONS)


def test_a_terminal_that_cannot_place_its_cursor_is_refused(call, opened, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    code, _, err = call(at_terminal=True)
    assert (code, len(err.splitlines()), opened) == (2, 1, [])
    assert "TERM is dumb" in err


def test_a_terminal_that_is_not_utf8_is_refused(call, opened, monkeypatch):
    monkeypatch.setattr(sys, "__stderr__", io.TextIOWrapper(io.BytesIO(), encoding="iso8859-1"))
    code, _, err = call(at_terminal=True)
    assert (code, len(err.splitlines()), opened) == (2, 1, [])
    assert "the encoding is iso8859-1" in err
