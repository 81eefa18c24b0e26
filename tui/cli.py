"""The entry point ``imdb-tui``: it opens the console if no command is given, else runs a command of core."""

from __future__ import annotations

import gc
import os
import sys
import threading
from pathlib import Path
from typing import NoReturn, TextIO

CONSOLE_OPTIONS = ("--preset", "--data", "--runs-dir")
WATCH = "watch"


def main() -> None:
    """Open the console, or run a command of :mod:`core.cli.main`."""
    try:
        _main()
    except KeyboardInterrupt:  # while modules are imported; later, the console and the commands handle it
        leave(130)


def _main() -> None:
    arguments = sys.argv[1:]
    if _options_then_help(arguments):
        arguments = sys.argv[1:] = ["--help"]
    if arguments[:1] == [WATCH] and _on_terminal() and (run := _run_to_watch(arguments[1:])):
        name, options = run
        leave(open_console(options, watch=name))
    if not _wants_console(arguments):
        from core.cli.main import main as command_line

        command_line()
    leave(open_console(sys.argv[1:]))


def leave(code: int) -> NoReturn:
    """End the process. The run is saved by now: its thread was joined."""
    if any(thread.daemon for thread in threading.enumerate()):
        # sys.exit would wait seconds for the import of torch, or crash torch in a computation.
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _wants_console(arguments: list[str]) -> bool:
    """Return whether there is no command: only options of the console, or nothing."""
    i = 0
    while i < len(arguments):
        name, equals, _ = arguments[i].partition("=")
        if name not in CONSOLE_OPTIONS:
            return False
        i += 1 if equals else 2
    return True


def _options_then_help(arguments: list[str]) -> bool:
    """Return whether the user asks for help after options of the console, without a command."""
    return len(arguments) > 1 and arguments[-1] in ("-h", "--help") and _wants_console(arguments[:-1])


def _on_terminal() -> bool:
    streams: tuple[TextIO | None, ...] = (sys.stdin, sys.stdout)  # None if it was closed
    return all(stream is not None and stream.isatty() for stream in streams)


def _no_console() -> str:
    """Return why the console cannot be drawn here, or an empty text."""
    if not _on_terminal():
        return "the console needs a terminal"
    if os.environ.get("TERM") == "dumb":
        return "the console needs a terminal that can place its cursor, but TERM is dumb"
    encoding = getattr(sys.__stderr__, "encoding", None) or "utf-8"  # where Textual draws
    if encoding.lower().replace("-", "") != "utf8":
        return f"the console needs a terminal in UTF-8, but the encoding is {encoding} (try LC_ALL=C.UTF-8)"
    return ""


def _run_to_watch(arguments: list[str]) -> tuple[str, list[str]] | None:
    """Return the run and the options for the console; None if core's ``watch`` command shall run instead."""
    names = [each for i, each in enumerate(arguments) if not each.startswith("-") and arguments[i - 1] != "--runs-dir"]
    options = [each for each in arguments if each not in names]
    return (names[0], options) if len(names) == 1 and _wants_console(options) else None


def open_console(arguments: list[str], *, watch: str | None = None) -> int:
    """Run the console, with the run ``watch`` opened in it, and return the exit code."""
    import argparse

    parser = argparse.ArgumentParser("imdb-tui", add_help=False)
    names = [argument.partition("=")[0] for argument in arguments]
    for name in CONSOLE_OPTIONS:
        if names.count(name) > 1:
            print(f"imdb-tui: {name} is given {names.count(name)} times; give it once", file=sys.stderr)  # noqa: T201
            return 2
    parser.add_argument("--preset")
    parser.add_argument("--data")
    parser.add_argument("--runs-dir", type=Path)
    options = parser.parse_args(arguments)
    if reason := _no_console():
        print(f"imdb-tui: {reason}; `imdb-tui --help` lists commands that need none", file=sys.stderr)  # noqa: T201
        return 2
    # Both are read when textual is imported: a frame takes 4 ms, and a single escape is recognised after 40 ms.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    os.environ.setdefault("ESCDELAY", "40")
    # Every key creates many short-lived objects. With Python's default thresholds, a seventh of the time is garbage
    # collection, with pauses of 20 ms.
    gc.set_threshold(10_000, 50, 100)

    from core.config.presets import list_presets, load_preset
    from core.config.schema import NAMED_SOURCES, configure
    from core.data.reviews import require_file
    from core.errors import InputError
    from core.runs.directory import find_run, runs_root
    from core.user_path import user_path

    watched = None
    try:
        if watch is not None:
            watched = find_run(runs_root(options.runs_dir), watch)
        if options.preset:
            load_preset(options.preset)
        for preset in list_presets() if options.data else []:
            if preset.config:
                configure(preset.config, [], options.data)
        if options.data and options.data not in NAMED_SOURCES:
            require_file(user_path(options.data))
    except InputError as error:
        print(f"imdb-tui: {error}", file=sys.stderr)  # noqa: T201
        return 2
    gc.disable()  # nothing is garbage before the first frame
    from tui.app import ImdbTui

    root = runs_root(options.runs_dir)
    app = ImdbTui(root, preset=options.preset, data=options.data, watch=watched)
    try:
        app.run()
    finally:
        gc.enable()
        app.session.training.stop_and_join("the console was closed")
    return app.return_code or 0
