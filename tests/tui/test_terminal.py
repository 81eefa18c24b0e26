"""The real console in a pseudo-terminal: keys in, screen out, and what stays when the terminal goes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pyte
import pytest

from core.runs.directory import list_runs

pytestmark = pytest.mark.terminal

DEADLINE_S = 60.0
LEAVE_ALTERNATE_SCREEN = b"\x1b[?1049l"
# What Textual asks of a terminal, in forms that pyte would print as text.
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[?>=<][0-9;]*\$?[pqu]|\x1b\[[0-9;]*t|\x1bP.*?\x1b\\\\")


class Terminal:
    """A program with a terminal of its own, 80 by 24 at first."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.master, slave = os.openpty()
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._set_size(24, 80)
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, close_fds=True,
            preexec_fn=lambda: os.login_tty(slave),  # noqa: PLW1509 - only this makes it the controlling terminal
        )  # fmt: skip
        os.close(slave)

    def _set_size(self, lines: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines: int, columns: int) -> None:
        self.screen.resize(lines, columns)
        self._set_size(lines, columns)
        self.process.send_signal(signal.SIGWINCH)

    def read(self, seconds: float) -> None:
        """Takes what the program writes, waiting at most so long for the first of it."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return
        try:
            content = os.read(self.master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux says so once the program has closed its side
                raise
            return
        self.written += content
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", content))

    def text(self) -> str:
        return "\n".join(self.screen.display)

    def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < end, f"{what} did not come; the screen is\n{self.text()}"
            self.read(0.05)

    def see(self, *texts: str) -> None:
        for each in texts:
            self.until(lambda each=each: each in self.text(), repr(each))

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """The exit code, once the program has ended."""
        self.until(lambda: self.process.poll() is not None, "the end of the program")
        self.read_all()
        return int(self.process.returncode)

    def read_all(self, quiet: float = 0.0) -> None:
        """Reads until the program has written nothing for ``quiet`` seconds."""
        before = -1
        while before != len(self.written):
            before = len(self.written)
            self.read(quiet)

    def close(self) -> None:
        """Takes the terminal away, as closing its window does."""
        os.close(self.master)
        self.master = -1


@pytest.fixture(scope="module")
def lesson(checkpoint_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Presets that train a tiny model on a tiny file: ``short`` has two epochs, ``long`` a thousand."""
    folder = tmp_path_factory.mktemp("lesson")
    reviews = folder / "reviews.csv"
    rows = [f"a film was {('dull', 'warm and moving')[i % 2]} {i},{('negative', 'positive')[i % 2]}" for i in range(64)]
    reviews.write_text("review,sentiment\n" + "\n".join(rows) + "\n", encoding="utf-8")
    for name, epochs in {"long": 1000, "short": 2}.items():
        (folder / f"{name}.toml").write_text(
            f'title = "A {name} lesson"\ndescription = "About {name} ones"\n'
            f'[model]\ncheckpoint = "{checkpoint_folder}"\n[data]\nsource = "{reviews}"\nn_samples = 60\n'
            f"max_length = 16\n[train]\nnum_epochs = {epochs}\nbatch_size = 8\n"
            f'[engine]\ndevice = "cpu"\ndtype = "float32"\nthreads = 1\n',
            encoding="utf-8",
        )
    return folder


OpenTerminal = Callable[..., Terminal]


@pytest.fixture
def open_terminal(tmp_path: Path, lesson: Path) -> Iterator[OpenTerminal]:
    """Start ``imdb-tui`` with options, from a shell where wanted; the end of the test kills what still runs."""
    terminals: list[Terminal] = []

    def opened(*options: str, shell: bool = False) -> Terminal:
        command = [sys.executable, "-c", "from tui.cli import main; main()", "--runs-dir", str(tmp_path / "runs")]
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "IMDB_TUI_PRESETS": str(lesson)}
        start = ["bash", "--norc", "-i"] if shell else [*command, *options]
        terminals.append(Terminal(start, environment | {"PS1": "shell> "}))
        if shell:
            terminals[-1].see("shell>")
            terminals[-1].type(shlex.join([*command, *options]) + "\r")
        return terminals[-1]

    yield opened
    for terminal in terminals:
        if terminal.process.poll() is None:
            for process in psutil.Process(terminal.process.pid).children():
                process.kill()
            terminal.process.kill()
        terminal.process.wait()
        with contextlib.suppress(OSError):
            os.close(terminal.master)


def statuses(root: Path) -> list[str]:
    return [run.state(steps=False).status for run in list_runs(root)]


def start(terminal: Terminal, preset: str) -> None:
    """Takes the preset under the cursor to Train and starts it."""
    terminal.see(f"About {preset} ones")
    terminal.type("\r")
    terminal.see(f"{preset} is ready")
    terminal.type("s")


def test_a_lesson_from_the_keyboard_stopped_repeated_compared_and_left(open_terminal, tmp_path):
    root = tmp_path / "runs"
    terminal = open_terminal("--preset", "long")
    start(terminal, "long")
    terminal.see("● running", "/6000")
    terminal.resize(12, 40)
    terminal.see("● running")
    terminal.resize(24, 80)
    terminal.see("● running", "/6000")
    terminal.type("x")
    terminal.see("Stop this run", "stop now and save")
    terminal.type("y")
    terminal.see("■ stopped")
    assert statuses(root) == ["stopped"]

    terminal.type("1")
    terminal.see("About long ones", "open in Train")
    terminal.type("j")
    start(terminal, "short")
    terminal.see("✓ completed")
    assert statuses(root) == ["completed", "stopped"]

    terminal.type("5")
    terminal.see("✓ completed", "■ stopped")
    terminal.type(" j ")
    terminal.see("num_epochs", "1000")
    assert "weight_decay" not in terminal.text()

    terminal.type("q")
    assert terminal.end() == 0
    assert LEAVE_ALTERNATE_SCREEN in terminal.written
    assert b"Traceback" not in terminal.written
    steps = [run.state().step for run in list_runs(root)]
    assert steps[0] == 12
    assert 0 < steps[1] < 6000


def running(open_terminal, root) -> Terminal:
    """A terminal in which the long lesson has made its first steps."""
    terminal = open_terminal("--preset", "long")
    start(terminal, "long")
    terminal.see("● running")
    terminal.until(lambda: list_runs(root)[0].state(steps=False).step > 0, "the first step")
    return terminal


def require_stopped_and_saved(root, reason: str) -> None:
    (run,) = list_runs(root)
    state = run.state()
    assert (state.status, state.finished.reason) == ("stopped", reason)
    assert (run.path / "checkpoints" / f"step-{state.step}" / "manifest.json").is_file()


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_a_signal_during_training_stops_and_saves_the_run_and_restores_the_terminal(open_terminal, tmp_path, name):
    root = tmp_path / "runs"
    terminal = running(open_terminal, root)
    terminal.process.send_signal(getattr(signal, name))
    assert terminal.end() == 0
    assert LEAVE_ALTERNATE_SCREEN in terminal.written
    require_stopped_and_saved(root, f"signal {name}")


def test_closing_the_terminal_during_training_stops_and_saves_the_run_and_ends_the_process(open_terminal, tmp_path):
    root = tmp_path / "runs"
    terminal = running(open_terminal, root)
    terminal.close()
    terminal.process.wait(timeout=DEADLINE_S)
    require_stopped_and_saved(root, "signal SIGHUP")


def test_quitting_while_the_libraries_load_restores_the_terminal(open_terminal):
    terminal = open_terminal()
    terminal.see("loading torch", "open in Train")
    terminal.type("q")
    assert terminal.end() == 0
    assert LEAVE_ALTERNATE_SCREEN in terminal.written


def test_a_console_stopped_by_sigstop_and_continued_redraws_and_can_be_left(open_terminal):
    terminal = open_terminal()
    before = termios.tcgetattr(terminal.master)
    terminal.see("1 Presets", "open in Train")
    for _ in range(3):
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        terminal.read_all()
        terminal.screen.reset()  # as a shell does that has the terminal meanwhile
        terminal.process.send_signal(signal.SIGCONT)
        terminal.see("1 Presets", "open in Train")
    terminal.type("2")
    terminal.see("max_length")
    terminal.type("abcdefgh")
    terminal.see("abcdefgh", "esc leave text")
    terminal.type("\x1b")
    terminal.see("q quit")
    terminal.type("q")
    assert terminal.end() == 0
    assert termios.tcgetattr(terminal.master) == before


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGSTOP, signal.SIGTSTP])
def test_a_console_that_is_stopped_again_and_again_while_it_draws_redraws_in_the_end(open_terminal, stop):
    terminal = open_terminal()
    terminal.see("1 Presets", "open in Train")

    def stop_and_continue() -> None:
        terminal.process.send_signal(stop)
        flags = os.WSTOPPED | os.WNOHANG
        terminal.until(lambda: os.waitid(os.P_PID, terminal.process.pid, flags), "a stopped console")
        terminal.process.send_signal(signal.SIGCONT)

    for number in range(60):
        terminal.type("\x1b1" if number % 2 else "2")  # each draws the whole screen
        time.sleep(number % 7 * 0.003)
        stop_and_continue()
    terminal.read_all(0.5)
    terminal.screen.reset()
    stop_and_continue()
    terminal.see("1 Presets")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with jobs")
def test_ctrl_z_suspends_the_console_and_fg_restores_it(open_terminal):
    terminal = open_terminal(shell=True)
    terminal.see("open in Train")
    terminal.type("\x1a")
    terminal.see("Stopped", "shell>")
    terminal.screen.reset()
    terminal.type("fg\r")
    terminal.see("1 Presets", "open in Train")
    terminal.type("q")
    terminal.see("shell>")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell that puts what it started in the background")
@pytest.mark.parametrize("name", ["SIGSTOP", "SIGTSTP"])
def test_a_console_continued_in_the_background_stops_until_it_has_the_terminal(open_terminal, name):
    terminal = open_terminal(shell=True)
    terminal.see("open in Train")
    terminal.read_all(0.5)  # otherwise late output would overwrite the output of the shell
    (console,) = psutil.Process(terminal.process.pid).children()
    console.send_signal(getattr(signal, name))
    terminal.see("Stopped", "shell>")
    terminal.screen.reset()
    terminal.type("bg\r")
    terminal.see("&")
    terminal.until(lambda: console.status() == psutil.STATUS_STOPPED, "a console that waits")
    for _ in range(100):  # the shell learns of it a moment later
        terminal.type("jobs\r")
        terminal.read_all(0.3)
        if "Stopped" in terminal.text():
            break
    terminal.type("fg\r")
    terminal.see("1 Presets", "open in Train")
    terminal.type("q")
    console.wait(DEADLINE_S)
    terminal.see("shell>")
