"""How long a key takes from the keyboard to the screen in the tokenizer playground.

    python -m tests.benchmarks.keystroke [--keys 400] [--words 300] [--fps N]

Starts the console in a pseudo-terminal of 120x40, as a terminal would, pastes a review of so many words and then
types one letter at a time at its end. A key's time runs from the write to the terminal's input until the read of
the output after which a terminal emulator (pyte) shows the letter in its cell and the new count of characters in
the table of spans: text, tints, table and stages are drawn in the same frame. The next key is typed 30 ms later.
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

import pyte

from core.synthetic import synthetic_reviews

COLUMNS, LINES = 120, 40


class Terminal:
    """A console in a pseudo-terminal, and what an emulator shows of it."""

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

    def read(self, timeout: float) -> float | None:
        """Feeds the emulator with what has come; returns when it was read, None where nothing came."""
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
                sys.exit(f"{words!r} did not come:\n" + "\n".join(self.screen.display))
            self.read(0.1)

    def quiet(self, seconds: float) -> None:
        while self.read(seconds) is not None:
            pass

    def end(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        self.quiet(0.3)
        os.close(self._fd)
        os.waitpid(self.pid, 0)


def review(words: int) -> str:
    """A text of so many words out of the synthetic reviews."""
    text = " ".join(text for text, _ in synthetic_reviews()[:200])
    return " ".join(text.split()[:words])


def measure(keys: int, words: int, environment: dict[str, str]) -> list[float]:
    """Milliseconds from key to screen, one number a key."""
    with tempfile.TemporaryDirectory() as folder:
        start = [sys.executable, "-c", "from tui.cli import main; main()", "--runs-dir", folder]
        terminal = Terminal(start, environment)
        try:
            terminal.until("Presets")
            terminal.until("imdb-tui")
            time.sleep(0.5)
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
            for _ in range(keys):
                letter = draw.choice("abcdefghijklmnopqrstuvwxyz ")
                length += 1
                wanted = f"–{length}" if letter != " " else ""
                began = time.perf_counter()
                terminal.write(letter)
                while True:
                    moment = terminal.read(5)
                    if moment is None:
                        sys.exit("a key was not answered:\n" + "\n".join(terminal.screen.display))
                    if not wanted or any(wanted in line for line in terminal.screen.display):
                        break
                times.append((moment - began) * 1000)
                terminal.quiet(0.03)
        finally:
            terminal.end()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keys", type=int, default=400)
    parser.add_argument("--words", type=int, default=300)
    parser.add_argument("--fps", type=int, help="frames a second instead of what the console chooses")
    options = parser.parse_args()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "HF_HUB_OFFLINE": "1"}
    environment.pop("TEXTUAL_FPS", None)
    if options.fps:
        environment["TEXTUAL_FPS"] = str(options.fps)
    times = sorted(measure(options.keys, options.words, environment))
    median, high = times[len(times) // 2], times[min(int(len(times) * 0.99), len(times) - 1)]
    print(  # noqa: T201
        f"{len(times)} keys at the end of {options.words} words: median {median:.1f} ms, p99 {high:.1f} ms, "
        f"most {times[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
