"""The headless commands, also ``python -m core``, for scripts and servers.

With ``--json``, stdout has one machine-readable answer and nothing else; messages for users go to stderr.
Exit codes: 0 done, 1 the run failed, 2 bad usage or bad input, 130 interrupted by the user.
"""

from __future__ import annotations

import io
import sys
import traceback
from collections import Counter
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperOption

from core import __version__, formatting
from core.cli.compare import compare
from core.cli.console import err, out, silence
from core.cli.doctor import doctor
from core.cli.dynamics import dynamics
from core.cli.errors import errors
from core.cli.evaluate import evaluate
from core.cli.explain import explain
from core.cli.export import export
from core.cli.labels import labels
from core.cli.model import model
from core.cli.options import BAD_INPUT, INTERRUPTED, RUN_FAILED, Debug
from core.cli.predict import predict
from core.cli.presets import presets
from core.cli.probes import probes
from core.cli.runs import runs, show
from core.cli.slices import slices
from core.cli.steer import steer
from core.cli.tokenize import tokenize
from core.cli.train import train
from core.cli.watch import watch
from core.cli.what_if import what_if
from core.cli.words import words
from core.errors import InputError


class Command(TyperCommand):
    """A command that refuses an option given twice, of which only the last would count."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        for option, times in Counter(each for each in order if isinstance(each, TyperOption)).items():
            if times > 1 and not (option.multiple or option.count or option.is_flag):
                raise InputError(f"{option.opts[0]} is given {times} times; give it once")
        return super().parse_args(ctx, args)


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="""Fine-tune DistilBERT on film reviews, in a console or with commands.

    Without a command, imdb-tui opens the console. It takes --preset NAME, --data SOURCE and --runs-dir PATH.""",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows ? instead of an error
    sys.exit(run_command(arguments))


def run_command(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code. Bad input prints one line on stderr."""
    try:
        arguments = _debug_first(sys.argv[1:] if arguments is None else arguments)
        result = app(args=arguments, prog_name="imdb-tui", standalone_mode=False)
        print(end="", flush=True)  # noqa: T201 - a closed pipe can still be handled here
        return result if isinstance(result, int) else 0
    except InputError as error:
        if Debug.wanted:
            traceback.print_exc()
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # typer raises SystemExit only for a closed pipe here
        silence(sys.stdout)
        return 0
    except Exception as error:
        if isinstance(error, OSError) and not _can_flush():
            silence(sys.stdout)
            return _refuse(f"cannot write to stdout ({error.strerror}); write to a place with free space")
        if hasattr(error, "format_message"):  # click's usage errors
            message = error.format_message()
            return _refuse(message) if message else BAD_INPUT  # without a message, the help was printed
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        return _fail(error)


def _debug_first(arguments: list[str]) -> list[str]:
    """Move ``--debug`` to the front: typer expects it before the command, users often write it after."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [each for each in arguments[:end] if each != "--debug"]
    return ["--debug"] * (len(rest) < end) + rest + arguments[end:]


def _can_flush() -> bool:
    """Return whether the rest of the output can be written to stdout."""
    try:
        print(end="", flush=True)  # noqa: T201
    except OSError:
        return False
    return True


def _fail(error: Exception) -> int:
    if Debug.wanted:
        traceback.print_exc()
    else:
        _refuse(f"{type(error).__name__}: {error} (run again with --debug for the traceback)")
    return RUN_FAILED


def _refuse(message: str) -> int:
    err.print(f"imdb-tui: {formatting.printable(' '.join(message.split()))}", soft_wrap=True)
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
    """Define the options before the command."""
    Debug.wanted = debug


COMMANDS = (
    *(train, runs, show, compare, watch, steer),
    *(evaluate, errors, slices, labels, predict),
    *(explain, words, what_if, probes, dynamics),
    *(export, presets, tokenize, model, doctor),
)
"""The groups keep lines short; ``--help`` lists the commands in this order."""
for command in COMMANDS:
    app.command(cls=Command)(command)
