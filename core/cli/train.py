"""``imdb-tui train``: train a preset, resume a run or repeat one, in one process or as a rank of torchrun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from core import formatting
from core.cli.console import Reporter, err
from core.cli.options import INTERRUPTED, RUN_FAILED, AsJson, Debug, RunsDir
from core.cli.stop_signals import stop_on_signals
from core.config.presets import load_preset
from core.config.schema import NAMED_SOURCES, RunConfig, configure
from core.data.corrections import read_corrections
from core.data.reviews import read_reviews
from core.errors import InputError
from core.runs import summary
from core.runs.directory import APPLIED_CORRECTIONS, Run, find_run, runs_root
from core.runs.events import Event
from core.runs.reader import read_events
from core.runs.state import RunState
from core.runs.writer import launch_id
from core.training.control import Change, Control, journal_of
from core.user_path import user_path


def train(
    preset: Annotated[str | None, typer.Argument(help="Name of a preset; `imdb-tui presets` lists them.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="SECTION.FIELD=VALUE, for example train.num_epochs=2; may be repeated."),
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="hub, embedded, or a CSV or parquet file.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", help="Resume this run: from its newest checkpoint, if any.")
    ] = None,
    add_epochs: Annotated[
        int, typer.Option("--add-epochs", min=0, max=1000, help="With --resume: number of epochs to add.")
    ] = 0,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", help="With --resume: the new peak learning rate.")
    ] = None,
    replay: Annotated[
        str | None, typer.Option("--replay", help="Repeat this run, including the changes made while it trained.")
    ] = None,
    runs_dir: RunsDir = None,
    json: AsJson = False,
) -> int:
    """Train a preset, resume a run (--resume), or repeat a run with all its changes (--replay)."""
    root = runs_root(runs_dir)
    _require_one(preset, resume, replay)
    if resume is None and (add_epochs or learning_rate is not None):
        raise InputError("--add-epochs and --learning-rate need --resume RUN; for a new run use --set")
    if preset is None and set_:
        raise InputError("--set needs a preset; the configuration of a run cannot be changed")
    if learning_rate is not None:
        Change("learning_rate", learning_rate)
    control = Control()
    config: RunConfig | None = None
    before = find_run(root, resume or replay or "") if preset is None else None
    if resume is not None and before is not None and not launch_id() and before.is_live():
        # Refuse before torch is imported. With several ranks, the live writer may be the first rank of this launch.
        raise InputError(before.owner_message())
    if preset is not None:
        config = configure(load_preset(preset), set_ or [], data)
    elif replay is not None and before is not None:
        config = configure(before.config(), [], data)
        if config.data.corrections:
            config = config.set("data.corrections", str((before.path / APPLIED_CORRECTIONS).absolute()))
        control.expect(journal_of(read_events(before)))
    elif before is not None and data is not None:
        data = configure(before.config(), [], data).data.source
    if config is not None and config.data.source not in NAMED_SOURCES:
        read_reviews(
            user_path(config.data.source)
        )  # refuse an invalid file before a run is created and torch is imported
    if config is not None and config.data.corrections:
        read_corrections(user_path(config.data.corrections))

    def work(emit: Callable[[Event], None]) -> Run:
        """Train, resume or repeat. Imports torch."""
        from core.training import resume as resuming
        from core.training.loop import train as run_training

        if config is None:
            assert before is not None
            return resuming.resume(
                before, control, emit, add_epochs=add_epochs, peak_learning_rate=learning_rate, data=data, ranks=ranks
            )
        again = resuming.run_of_this_launch(root) if ranks.restarts else None
        if again is None:
            return run_training(config, root, control, emit, ranks)
        if again.state(steps=False).status in ("completed", "stopped"):
            return again
        return resuming.resume(again, control, emit, ranks=ranks)

    restore = stop_on_signals(control)
    try:
        from core.engine import distributed

        with distributed.process_group() as ranks:
            state = RunState()
            if ranks.is_main:
                with Reporter() as reporter:
                    run = work(reporter)
                state = run.state()
            else:
                work(state.apply)
            if state.status in ("completed", "stopped"):  # after a failure the launcher ends the other ranks
                ranks.barrier()
    finally:
        restore()
    if ranks.is_main:
        err.print(reporter.ending(), soft_wrap=True)
        if json:
            print(formatting.as_json(summary.run_summary(run, state)))  # noqa: T201
        if state.status == "failed" and Debug.wanted and state.finished:
            err.print(state.finished.traceback)
    if ranks.world_size > 1:
        distributed.exit_rank(_exit_code(state))
    return _exit_code(state)


def _require_one(preset: str | None, resume: str | None, replay: str | None) -> None:
    given = [name for name in (preset, resume, replay) if name is not None]
    if len(given) != 1:
        what = "there is nothing to train" if not given else "these options exclude each other"
        raise InputError(f"{what}; give either a preset, --resume RUN, or --replay RUN")


def _exit_code(state: RunState) -> int:
    return {"completed": 0, "failed": RUN_FAILED}.get(state.status, INTERRUPTED)
