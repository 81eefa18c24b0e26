"""The headless commands, also ``python -m core``: the same core as the console, for scripts and servers.

``--json`` prints one machine-readable answer on stdout and nothing else there; words for people go to stderr.
Exit codes: 0 done, 1 the run failed, 2 bad usage or bad input, 130 interrupted by the user.
"""

from __future__ import annotations

import io
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from core import __version__, formatting
from core.cli.compare import compare
from core.cli.console import err, out, silence
from core.cli.doctor import doctor
from core.cli.export import export
from core.cli.model import model
from core.cli.options import BAD_INPUT, INTERRUPTED, RUN_FAILED, Debug
from core.cli.predict import predict
from core.cli.presets import presets
from core.cli.runs import runs, show
from core.cli.steer import steer
from core.cli.tokenize import tokenize
from core.cli.train import train
from core.cli.watch import watch
from core.errors import InputError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Fine-tune DistilBERT on film reviews: a console, and the same without a screen.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs one command and leaves the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows ? instead of ending the command
    sys.exit(run_command(arguments))


def run_command(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; bad input is one line on stderr."""
    try:
        arguments = _debug_first(sys.argv[1:] if arguments is None else arguments)
        result = app(args=arguments, prog_name="imdb-tui", standalone_mode=False)
        print(end="", flush=True)  # noqa: T201 - here, where a pipe that is closed can still be dealt with
        return result if isinstance(result, int) else 0
    except InputError as error:
        if Debug.wanted:
            traceback.print_exc()
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # typer makes a SystemExit of a closed pipe, and of nothing else here
        silence(sys.stdout)
        return 0
    except Exception as error:
        if isinstance(error, OSError) and not _can_flush():
            silence(sys.stdout)
            return _refuse(f"the answer cannot be written to stdout ({error.strerror}); send it where there is room")
        if hasattr(error, "format_message"):  # click's usage errors
            words = error.format_message()
            return _refuse(words) if words else BAD_INPUT  # without words, the help has been shown
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        return _fail(error)


def _debug_first(arguments: list[str]) -> list[str]:
    """``--debug`` belongs before the command, but who is told of it writes it behind."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [each for each in arguments[:end] if each != "--debug"]
    return ["--debug"] * (len(rest) < end) + rest + arguments[end:]


def _can_flush() -> bool:
    """Whether stdout takes what is still to be written: what it refused once it refuses again."""
    try:
        print(end="", flush=True)  # noqa: T201
    except OSError:
        return False
    return True


def _fail(error: Exception) -> int:
    if Debug.wanted:
        traceback.print_exc()
    else:
        _refuse(f"{type(error).__name__}: {error} (--debug shows where)")
    return RUN_FAILED


def _refuse(words: str) -> int:
    err.print(f"imdb-tui: {formatting.printable(' '.join(words.split()))}", soft_wrap=True)
    return BAD_INPUT


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(f"imdb-tui {__version__}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options that stand before every command."""
    Debug.wanted = debug


for command in (train, runs, show, compare, watch, steer, predict, export, presets, tokenize, model, doctor):
    app.command()(command)
