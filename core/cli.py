"""The headless commands, also ``python -m core``: the same core as the console, for scripts and servers.

``--json`` prints one machine-readable answer on stdout and nothing else there; words for people go to stderr.
Exit codes: 0 done, 1 the run failed, 2 bad usage or bad input, 130 interrupted by the user.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table

from core import __version__, report
from core.config import NAMED_SOURCES, RunConfig, configure
from core.control import Control
from core.errors import InputError
from core.events import RunState
from core.presets import list_presets, load_preset, own_presets_folder
from core.reviews import read_reviews
from core.runs import Run, find_run, list_runs, runs_root
from core.terminal import Reporter, err, origin_words, out, silence

RUN_FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Fine-tune DistilBERT on film reviews: a console, and the same without a screen.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


RunsDir = Annotated[Path | None, typer.Option("--runs-dir", help="Where runs are kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="One machine-readable answer on stdout.")]
_debug = False


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs one command and leaves the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows ? instead of ending the command
    sys.exit(run_command(arguments))


def run_command(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; bad input is one line on stderr."""
    try:
        result = app(args=arguments, prog_name="imdb-tui", standalone_mode=False)
        sys.stdout.flush()  # here, where a pipe that is closed can still be dealt with
        return result if isinstance(result, int) else 0
    except InputError as error:
        if _debug:
            traceback.print_exc()
        return _refuse(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # typer makes a SystemExit of a closed pipe, and of nothing else here
        silence(sys.stdout)
        return 0
    except Exception as error:
        if hasattr(error, "format_message"):  # click's usage errors
            words = error.format_message()
            return _refuse(words) if words else BAD_INPUT  # without words, the help has been shown
        if type(error).__name__ == "Abort":
            return INTERRUPTED
        if _debug:
            traceback.print_exc()
        else:
            _refuse(f"{type(error).__name__}: {error} (--debug shows where)")
        return RUN_FAILED


def _refuse(words: str) -> int:
    err.print(f"imdb-tui: {report.printable(' '.join(words.split()))}", soft_wrap=True)
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
    global _debug
    _debug = debug


@app.command()
def train(
    preset: Annotated[str, typer.Argument(help="Name of a preset; `imdb-tui presets` lists them.")],
    set_: Annotated[list[str] | None, typer.Option("--set", help="SECTION.FIELD=VALUE, as often as wanted.")] = None,
    data: Annotated[str | None, typer.Option("--data", help="hub, embedded, or a CSV or parquet file.")] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> int:
    """Train a preset."""
    config = configure(load_preset(preset), set_ or [], data)
    if config.data.source not in NAMED_SOURCES:
        read_reviews(Path(config.data.source).expanduser())  # refused here, before a run is made and torch imported
    root = runs_root(runs_dir)
    control = Control()
    restore = _stop_on_signals(control)
    try:
        from core.train import train as run_training

        with Reporter() as reporter:
            writer = run_training(config, root, control, reporter)
    finally:
        restore()
    err.print(reporter.ending(), soft_wrap=True)
    run, state = writer.run, writer.run.state()
    if json:
        print(report.as_json(report.run_summary(run, state)))  # noqa: T201
    if state.status == "failed":
        if _debug and state.finished:
            err.print(state.finished.traceback)
        return RUN_FAILED
    return INTERRUPTED if state.status == "stopped" else 0


def _stop_on_signals(control: Control) -> Callable[[], None]:
    """SIGINT, SIGTERM and SIGHUP stop the run at the next step; a second one ends the process at once."""
    names = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in names}
    if before.get(getattr(signal, "SIGHUP", None)) is signal.SIG_IGN:  # nohup: the terminal may go, the run goes on
        del before[signal.SIGHUP]

    def stop(number: int, _: object) -> None:
        if control.stop_requested:
            raise KeyboardInterrupt
        control.stop(f"signal {signal.Signals(number).name}")

    for number in before:
        signal.signal(number, stop)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


@app.command()
def runs(runs_dir: RunsDir = None, json: AsJson = False) -> None:
    """List all runs, newest first."""
    found = [(run, run.state(steps=False)) for run in list_runs(runs_root(runs_dir))]
    if json:
        print(report.as_json([report.run_summary(run, state) for run, state in found]))  # noqa: T201
        return
    if not found:
        err.print(f"no runs in {runs_root(runs_dir)} yet; `imdb-tui train quick` makes one", soft_wrap=True)
        return
    table = Table("status", "run", "epochs", "best val acc", "time", box=None, pad_edge=False)
    for run, state in found:
        planned = state.started.num_epochs if state.started else "?"
        table.add_row(
            report.status_words(state.status),
            report.printable(run.name),
            f"{len(state.epochs)}/{planned}",
            report.percent(state.best_val_accuracy),
            report.duration(state.elapsed),
        )
    out.print(table)


@app.command()
def show(
    run: Annotated[str, typer.Argument(help="A run, the beginning of its name, or `last`.")],
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> None:
    """Show one run: its epochs, configuration and log."""
    found = find_run(runs_root(runs_dir), run)
    state = found.state()
    if json:
        print(report.as_json(report.run_details(found, state)))  # noqa: T201
        return
    _print_run(found, state)


def _print_run(run: Run, state: RunState) -> None:
    out.print(f"{report.printable(run.name)}  {report.status_words(state.status)}")
    if state.started:
        out.print(f"{state.started.device}, {state.started.dtype} ({state.started.dtype_reason})")
        for thing, origin in state.started.origins.items():
            out.print(f"{thing}: {report.printable(origin_words(origin))}", soft_wrap=True)
    table = Table("epoch", "train loss", "train acc", "val loss", "val acc", "time", box=None, pad_edge=False)
    for epoch in state.epochs:
        table.add_row(
            str(epoch.epoch),
            f"{epoch.train_loss:.3f}",
            report.percent(epoch.train_accuracy),
            f"{epoch.val_loss:.3f}",
            report.percent(epoch.val_accuracy),
            report.duration(epoch.seconds),
        )
    out.print(table)
    for moment, words in state.log:
        out.print(f"{report.clock(moment)} {report.printable(words)}", soft_wrap=True)
    if state.skipped_lines:
        out.print(f"{state.skipped_lines} damaged lines of events.jsonl were skipped")
    out.print(f"files: {report.printable(str(run.path))}", soft_wrap=True)


@app.command()
def presets(json: AsJson = False) -> None:
    """List the presets, the shipped ones and your own."""
    found = list_presets()
    if json:
        print(report.as_json(report.presets_as_json(found)))  # noqa: T201
        return
    table = Table("preset", "title", "what it does", box=None, pad_edge=False)
    for preset in found:
        if preset.config is None:
            table.add_row(report.printable(preset.name), "✗ broken", report.printable(preset.error))
        else:
            words = (preset.name, preset.config.title, preset.config.description)
            table.add_row(*map(report.printable, words))
    out.print(table)
    out.print(f"your own: {own_presets_folder()}", soft_wrap=True)


@app.command()
def tokenize(
    text: Annotated[str, typer.Argument(help="The text; - reads stdin.")],
    checkpoint: Annotated[str, typer.Option(help="Whose tokenizer.")] = "distilbert-base-uncased",
    max_length: Annotated[int | None, typer.Option(min=3, max=512, help="Cut after so many tokens.")] = None,
    special_tokens: Annotated[bool, typer.Option(help="Put [CLS] and [SEP] around it.")] = True,
    json: AsJson = False,
) -> None:
    """Show how a text becomes ids."""
    from core.sources import open_tokenizer
    from core.tokenization import encode

    if text == "-":
        text = sys.stdin.buffer.read().decode(errors="replace")
    tokenizer, origin = open_tokenizer(checkpoint)
    encoding = encode(tokenizer, text, add_special_tokens=special_tokens, max_length=max_length)
    if json:
        answer = {
            "text": encoding.text,
            "input_ids": encoding.input_ids,
            "tokens": [token.token for token in encoding.tokens],
            "offsets": [[token.start, token.end] for token in encoding.tokens],
            "special_tokens_mask": [int(token.kind == "special") for token in encoding.tokens],
            "full_length": encoding.full_length,
            "cut_text": encoding.cut_text,
            "origins": {"tokenizer": origin.as_dict()},
        }
        print(report.as_json(answer))  # noqa: T201
        return
    table = Table("pos", "id", "token", "span", "kind", box=None, pad_edge=False)
    for token in encoding.tokens:
        span = "" if token.kind == "special" and token.start == token.end else f"{token.start}–{token.end}"
        table.add_row(str(token.position), str(token.id), report.printable(token.token), span, token.kind)
    out.print(table)
    if encoding.cut_from is not None:
        lost = encoding.full_length - len(encoding.tokens)
        out.print(
            f"cut: {lost} tokens, from character {encoding.cut_from}: {report.printable(encoding.cut_text)[:60]!r}",
            soft_wrap=True,
        )
    err.print(f"tokenizer: {origin.words()}", soft_wrap=True)


@app.command()
def doctor(runs_dir: RunsDir = None, json: AsJson = False) -> None:
    """Say what this machine has and where things would come from."""
    from core.config import EngineConfig
    from core.device import choose_engine, usable_cores
    from core.sources import plan

    engine = choose_engine(EngineConfig())
    facts: dict[str, Any] = {
        "imdb-tui": __version__,
        "python": sys.version.split()[0],
        "versions": {name: _version(name) for name in ("torch", "transformers", "datasets", "textual", "plotext")},
        "cores": usable_cores(),
        "device": f"{engine.device} ({engine.device_reason})",
        "dtype": f"{engine.dtype_name} ({engine.dtype_reason})",
        "threads": f"{engine.threads} ({engine.threads_reason})",
        "runs": f"{runs_root(runs_dir)} ({_writable(runs_root(runs_dir))})",
        "presets": str(own_presets_folder()),
        "sources": plan(RunConfig()),
    }
    if json:
        print(report.as_json(facts))  # noqa: T201
        return
    _print_facts(facts)


def _print_facts(facts: dict[str, Any], indent: str = "") -> None:
    """A fact a line, whatever the width of the terminal; nested ones are indented and aligned."""
    width = max(map(len, facts))
    for name, value in facts.items():
        if isinstance(value, dict):
            out.print(indent + name, soft_wrap=True)
            _print_facts(value, indent + "  ")
        else:
            out.print(f"{indent}{name:<{width}}  {report.printable(str(value))}", soft_wrap=True)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _writable(path: Path) -> str:
    while not path.exists():
        path = path.parent
    return "writable" if os.access(path, os.W_OK) else "not writable"
