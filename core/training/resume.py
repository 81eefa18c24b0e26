"""Resumes a run from its newest intact checkpoint, or from step 0 if it saved none; its directory may have moved."""

from __future__ import annotations

from pathlib import Path

from core.checkpoints.format import newest_intact
from core.checkpoints.progress import Progress
from core.config.identity import identity
from core.engine.distributed import Ranks
from core.errors import InputError
from core.runs.directory import Run, list_runs
from core.runs.events import CheckpointSaved, RunFinished, RunStarted
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

    A run that ended before its first checkpoint starts again at step 0, in the same directory. ``data`` is the new
    place of the run's own reviews, if they have moved. Raises InputError if there is nothing left to train, if no
    checkpoint that it saved is usable, or if another process writes the run. Otherwise ends as
    :func:`core.training.loop.train` does.
    """
    if add_epochs:
        control.change(Change("add_epochs", add_epochs))
    if peak_learning_rate is not None:
        control.change(Change("learning_rate", peak_learning_rate))
    config = run.config()
    try:
        writer = RunWriter(run.path) if ranks.is_main else None
    except OSError as error:
        raise InputError(
            f"run {run.name} cannot be written ({error.strerror or error}); copy its folder to a disk that can be "
            "written, and name that with --runs-dir"
        ) from None
    try:
        saved, skipped = newest_intact(run.path / "checkpoints", identity(config))
        events = read_events(run)
        if saved is None and (skipped or any(isinstance(event, CheckpointSaved) for event in events)):
            reasons = "; ".join(skipped) or "those that it saved were removed"
            raise InputError(f"run {run.name} has no checkpoint to resume from: {reasons}")
        progress = saved.progress if saved else Progress(config.train.num_epochs, config.train.learning_rate)
        journal = journal_of(events, step=progress.step, made=progress.changes_made)
        added = sum(change.value for changes in journal.values() for change in changes if change.action == "add_epochs")
        ended = next((event for event in reversed(events) if isinstance(event, (RunStarted, RunFinished))), None)
        # A run that completed, but whose last steps were not saved, is not done: it trains them again.
        done = isinstance(ended, RunFinished) and (ended.status, ended.step) == ("completed", progress.step)
        if (done or progress.epochs_done >= progress.num_epochs + added) and not add_epochs:
            raise InputError(f"run {run.name} is completed; --add-epochs N adds epochs to it")
    except BaseException:
        if writer is not None:
            writer.close()
        raise
    if data is not None:
        config = config.set("data.source", data)
    control.expect(journal)
    elapsed = max((event.elapsed for event in events), default=0.0)
    resumed = TrainingRun(config, run, writer, control, emit, ranks, is_new=False, saved=saved, elapsed=elapsed)
    for reason in skipped:
        resumed.recorder.warn(f"skipped a damaged checkpoint: {reason}")
    del saved, events  # their memory is needed for training
    return train_to_end(resumed)


def run_of_this_launch(root: Path) -> Run | None:
    """The run that this launch of torchrun was training before it restarted its ranks."""
    mine = launch_id()
    return next((run for run in list_runs(root) if run.environment().get("launch") == mine), None)
