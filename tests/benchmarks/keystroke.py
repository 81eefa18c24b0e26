"""Measure the time from a key to the screen in the tokenizer playground.

    python -m tests.benchmarks.keystroke [--keys 400] [--words 300] [--fps N]

The console runs in a pseudo-terminal of 120x40. The benchmark pastes a review of ``--words`` words and types one letter
at a time at its end, in words of six. A key's time starts with the write to the input. It ends with the read of the
output after which a terminal emulator (pyte) shows the new count of characters in the table of spans; text, tints and
table are drawn in one frame, the stages in the next. The next key follows 40 ms after the last output.

Other work on the machine lengthens these times. So the benchmark also prints the processor time of the console per key
(all threads, both frames), and the times of a bare Textual app, an Input that is copied into a Static, in the same
minute.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pyte

from core.data.synthetic import synthetic_reviews

COLUMNS, LINES = 120, 40


class Terminal:
    """A program in a pseudo-terminal, and what an emulator shows of it."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

    def write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._fd, data[:1024]) :]

    def drain(self, quiet: float, most: float) -> Iterator[tuple[float, bytes]]:
        """Yield (time of read, output) until there is none for ``quiet`` seconds, for at most ``most`` seconds."""
        end = time.perf_counter() + most
        while select.select([self._fd], [], [], quiet)[0]:
            data = os.read(self._fd, 1 << 16)
            yield time.perf_counter(), data
            if time.perf_counter() > end:
                return

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)

    def read(self, timeout: float) -> float | None:
        """Feed the emulator the available output; return the time of the read, or None after ``timeout`` seconds."""
        if not select.select([self._fd], [], [], timeout)[0]:
            return None
        data = os.read(self._fd, 1 << 16)
        moment = time.perf_counter()
        self._stream.feed(data)
        return moment

    def until(self, words: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not any(words in line for line in self.screen.display):
            if time.monotonic() > end:
                sys.exit(
                    f"{words!r} did not appear within {seconds} s; the screen shows:\n" + "\n".join(self.screen.display)
                )
            self.read(0.1)

    def quiet(self, seconds: float) -> None:
        """Read until nothing comes for ``seconds``; at most four times as long: training is never quiet."""
        end = time.monotonic() + 4 * seconds
        while self.read(seconds) is not None and time.monotonic() < end:
            pass

    def end(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        with suppress(OSError):  # the other end is closed
            self.quiet(0.3)
        os.close(self._fd)
        os.waitpid(self.pid, 0)


def review(words: int) -> str:
    """A text of ``words`` words from the synthetic reviews."""
    text = " ".join(text for text, _ in synthetic_reviews()[:200])
    return " ".join(text.split()[:words])


BARE = """
from textual.app import App
from textual.widgets import Input, Static
class Bare(App):
    def compose(self):
        yield Input()
        yield Static("ready", id="copy", markup=False)
    def on_input_changed(self, event):
        self.query_one("#copy").update(f"copied {len(event.value)}")
Bare().run()
"""


def measure_bare(keys: int, environment: dict[str, str]) -> list[float]:
    """Milliseconds from key to screen of an app that only copies what is typed."""
    terminal = Terminal([sys.executable, "-c", BARE], environment)
    try:
        terminal.until("ready")
        terminal.quiet(0.5)
        return [answer(terminal, "x", f"copied {i} ") for i in range(1, keys + 1)]
    finally:
        terminal.end()


def answer(terminal: Terminal, letter: str, wanted: str) -> float:
    """Milliseconds from a key until ``wanted`` is on the screen."""
    began = time.perf_counter()
    terminal.write(letter)
    found = None
    while found is None:
        # Read all output before the emulator gets it: the buffer of a pseudo-terminal holds only 4 KB.
        chunks = list(terminal.drain(0.04, 0.3)) or list(terminal.drain(5, 5))
        for moment, data in chunks:
            terminal.feed(data)
            if found is None and any(wanted in line for line in terminal.screen.display):
                found = moment
        if not chunks or time.perf_counter() - began > 10:
            sys.exit(f"a key was not answered with {wanted!r}:\n" + "\n".join(terminal.screen.display))
    return (found - began) * 1000


def measure(
    keys: int, words: int, environment: dict[str, str], *, train: str | None = None
) -> tuple[list[float], float]:
    """Milliseconds from key to screen, one number per key, and milliseconds of processor time per key.

    With ``train``, a run of that preset trains from before the first key until after the last.
    """
    with tempfile.TemporaryDirectory() as folder:
        start = [sys.executable, "-c", "from tui.cli import main; main()", "--runs-dir", folder]
        start += ["--preset", train] if train else []
        terminal = Terminal(start, environment)
        try:
            terminal.until("Presets")
            terminal.until("imdb-tui")
            time.sleep(0.5)
            if train:
                terminal.write("\r")
                terminal.quiet(0.5)
                terminal.write("s")
                terminal.until("running")
                terminal.until("samples/s")
            terminal.write("2")
            terminal.until("kevin")
            terminal.until("7 tokens")
            while any("loading torch" in line for line in terminal.screen.display):
                terminal.read(0.1)
            length = len("hello my name is kevin") + 1
            text = " " + review(words)
            terminal.write(f"\x1b[200~{text}\x1b[201~")
            length += len(text) - 1
            terminal.until(f"–{length}")
            terminal.quiet(0.5)
            times = []
            draw = random.Random(0)
            used = psutil.Process(terminal.pid).cpu_times()
            for number in range(keys):
                if number % 6 == 0:  # words of six letters; a space is not measured: it adds no token
                    terminal.write(" ")
                    terminal.quiet(0.05)
                    length += 1
                length += 1
                times.append(answer(terminal, draw.choice("abcdefghijklmnopqrstuvwxyz"), f"–{length} "))
            now = psutil.Process(terminal.pid).cpu_times()
        finally:
            terminal.end()
    return times, (now.user + now.system - used.user - used.system) * 1000 / keys


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=400, help="letters to type")
    parser.add_argument("--words", type=int, default=300, help="words of the pasted review")
    parser.add_argument("--fps", type=int, help="frames per second, instead of the console's own choice")
    options = parser.parse_args()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "HF_HUB_OFFLINE": "1"}
    environment.pop("TEXTUAL_FPS", None)
    if options.fps:
        environment["TEXTUAL_FPS"] = str(options.fps)
    times, processor = measure(options.keys, options.words, environment)
    environment.setdefault("TEXTUAL_FPS", "240")
    bare = measure_bare(options.keys, environment)
    print(f"{len(times)} keys after {options.words} words: {_words(times)}")  # noqa: T201
    print(f"processor time of the console per key: {processor:.1f} ms")  # noqa: T201
    print(f"a bare Textual app at {environment['TEXTUAL_FPS']} frames per second: {_words(bare)}")  # noqa: T201


def _words(times: list[float]) -> str:
    ordered = sorted(times)
    high = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
    return f"median {ordered[len(ordered) // 2]:.1f} ms, p99 {high:.1f} ms, longest {ordered[-1]:.1f} ms"


if __name__ == "__main__":
    main()
