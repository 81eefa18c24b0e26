"""Resumes a run from its newest intact checkpoint, also after its directory was moved."""

from __future__ import annotations

from pathlib import Path

from core.checkpoints.format import newest_intact
from core.config.identity import identity
from core.engine.distributed import Ranks
from core.errors import InputError
from core.runs.directory import Run, list_runs
from core.runs.events import RunFinished, RunStarted
from core.runs.reader import read_events
from core.runs.recorder import Emit
from core.runs.writer import RunWriter, launch_id
from core.training.control import Change, Control, journal_of
from core.training.loop import train_to_end
from core.training.training_run import TrainingRun


def resume(
    run: Run,
    control: Control,
    emit: Emit,
    *,
    add_epochs: int = 0,
    peak_learning_rate: float | None = None,
    data: str | None = None,
    ranks: Ranks = Ranks(),  # noqa: B008 - frozen
) -> Run:
    """Resume ``run``, however it ended; a completed run needs ``add_epochs``.

    ``data`` is the new place of the run's own reviews, if they have moved. Raises InputError if there is nothing left
    to train, no checkpoint to resume from, or another process writes the run. Otherwise ends as
    :func:`core.training.loop.train` does.
    """
    if add_epochs:
        control.change(Change("add_epochs", add_epochs))
    if peak_learning_rate is not None:
        control.change(Change("learning_rate", peak_learning_rate))
    config = run.config()
    writer = RunWriter(run.path) if ranks.is_main else None
    try:
        saved, skipped = newest_intact(run.path / "checkpoints", identity(config))
        if saved is None:
            reasons = "; ".join(skipped) or "it ended before it saved one"
            raise InputError(f"run {run.name} has no checkpoint to resume from: {reasons}")
        events = read_events(run)
        journal = journal_of(events, step=saved.progress.step, made=saved.progress.changes_made)
        added = sum(change.value for changes in journal.values() for change in changes if change.action == "add_epochs")
        ended = next((event for event in reversed(events) if isinstance(event, (RunStarted, RunFinished))), None)
        # A run that completed, but whose last steps were not saved, is not done: it trains them again.
        done = isinstance(ended, RunFinished) and (ended.status, ended.step) == ("completed", saved.progress.step)
        if (done or saved.progress.epochs_done >= saved.progress.num_epochs + added) and not add_epochs:
            raise InputError(f"run {run.name} is completed; --add-epochs N adds epochs to it")
    except BaseException:
        if writer is not None:
            writer.close()
        raise
    if data is not None:
        config = config.set("data.source", data)
    control.expect(journal)
    elapsed = max((event.elapsed for event in events), default=0.0)
    resumed = TrainingRun(config, run, writer, control, emit, ranks, saved=saved, elapsed=elapsed)
    for reason in skipped:
        resumed.recorder.warn(f"skipped a damaged checkpoint: {reason}")
    del saved, events  # their memory is needed for training
    return train_to_end(resumed)


def run_of_this_launch(root: Path) -> Run | None:
    """The run that this launch of torchrun was training before it restarted its ranks."""
    mine = launch_id()
    return next((run for run in list_runs(root) if run.environment().get("launch") == mine), None)
