"""The training loop: for each epoch, for each batch: forward, loss, backward, clip, optimizer step, log.

:func:`train_epochs` is the loop. Everything around it is in :mod:`core.training.training_run`: set-up, requests between
two steps, events, checkpoints, and the end.
"""

from __future__ import annotations

import time
import traceback
from contextlib import ExitStack
from pathlib import Path

from core.config.schema import RunConfig
from core.data.batches import epoch_batches
from core.data.corrections import with_absolute_path
from core.engine.distributed import Ranks
from core.errors import InputError, Stopped
from core.runs.directory import Run
from core.runs.recorder import Emit
from core.runs.writer import create_run
from core.sources.resolve import with_absolute_checkpoint
from core.training.control import Control
from core.training.evaluate import Evaluation, evaluate
from core.training.lr_schedule import learning_rate
from core.training.out_of_memory import OutOfMemory
from core.training.setup import Setup
from core.training.step import NonFiniteLoss, TrainingStep
from core.training.training_run import TrainingRun


def train(config: RunConfig, root: Path, control: Control, emit: Emit, ranks: Ranks = Ranks()) -> Run:  # noqa: B008
    """Train one run in a new directory under ``root``, alone or as one of several ``ranks``.

    Each event is appended to the run's ``events.jsonl`` and then passed to ``emit``; the last one has the status of the
    run. A failure is not raised: it ends the run with the status ``failed`` and the traceback in the last event. Raises
    InputError for input that cannot be used; no run directory remains then. May run in any thread.
    """
    config = with_absolute_checkpoint(with_absolute_path(config))
    writer = create_run(root, config) if ranks.is_main else None
    directory = Run(ranks.broadcast(writer.path if writer else root))
    return train_to_end(TrainingRun(config, directory, writer, control, emit, ranks, is_new=True))


def train_epochs(run: TrainingRun, setup: Setup, step: TrainingStep) -> None:
    """Train and validate each epoch that is left. Raises Stopped if the run is asked to end early."""
    config, train_set, device = run.config.train, setup.train_set, setup.engine.device
    while run.progress.epochs_done < run.progress.num_epochs and not run.patience_is_over():
        epoch = run.progress.epochs_done + 1
        epoch_start = time.monotonic() - run.progress.epoch_seconds
        batches = epoch_batches(
            len(train_set), config.batch_size, seed=config.seed, epoch=epoch, reshuffle=config.reshuffle_each_epoch
        )
        run.train_logits.start_epoch(batches)
        for chosen in batches[run.progress.steps_in_epoch :]:
            run.between_steps(setup)  # pause, stop, new learning rate, checkpoint

            step_start = time.monotonic()
            total_steps = len(batches) * run.progress.num_epochs
            lr = learning_rate(config, run.progress.step + 1, total_steps, peak=run.progress.learning_rate)
            batch = train_set.batch(chosen, device)
            result = step(batch, lr)  # forward, loss, backward, clip, optimizer step
            run.train_logits.record(run.progress.steps_in_epoch, result.logits)

            now = time.monotonic()
            run.progress = run.progress.after_step(
                loss=result.loss,
                accuracy=result.accuracy,
                examples=len(batch),
                seconds=now - step_start,
                epoch_seconds=now - epoch_start,
                micro_batch_size=step.micro_batch_size,
            )
            run.log_step(epoch, batch, result, lr, now - step_start)

        evaluation = validate(run, setup)
        run.log_epoch(setup, epoch, evaluation, time.monotonic() - epoch_start)
        run.after_epoch(setup)  # requests, checkpoint

    if run.progress.epochs_done < run.progress.num_epochs:
        metric = config.metric_for_best_model
        run.finish("completed", f"early stopping: no better {metric} since step {run.progress.best_step}")
    else:
        epochs = run.progress.num_epochs
        run.finish("completed", f"finished {epochs} epoch{'s' if epochs > 1 else ''}")


def validate(run: TrainingRun, setup: Setup) -> Evaluation:
    """Loss, accuracy and predictions of the validation set. Raises Stopped if the run is asked to stop."""
    examples = setup.validation_set

    def after_batch(done: int) -> None:
        # Several ranks must do the same, and they exchange requests only between steps.
        if run.control.stop_requested and run.ranks.world_size == 1:
            raise Stopped
        run.steering.answer_requests(run.progress.step)
        run.recorder.progress("validating", done, len(examples))

    try:
        return evaluate(setup.forward, examples, run.config.train.batch_size, setup.engine, after_batch, run.ranks)
    except Stopped:
        run.steering.ending = run.control.ending
        run.leave(setup)


def train_to_end(run: TrainingRun) -> Run:
    """Set up, train, and record how the run ended, whatever happens."""
    refused = False
    try:
        with ExitStack() as stack:
            train_epochs(run, *run.set_up(stack))
    except InputError as error:
        # Before the start nothing is recorded: a new run leaves no directory, a resumed one stays as it was.
        refused = not run.started
        run.finish("failed", "bad input", error=str(error), keep=not refused)
        raise
    except Stopped:
        run.end_early()
    except NonFiniteLoss as error:
        place = f"step {run.progress.step + 1} (epoch {run.progress.epochs_done + 1})"
        message = f"{place}: {error}; the weights are those of step {run.progress.step}"
        run.finish("failed", "loss is not finite", error=message, trace=traceback.format_exc())
    except OutOfMemory as error:
        message = f"step {run.progress.step + 1}: {error}"
        run.finish("failed", "out of memory", error=message, trace=traceback.format_exc())
    except KeyboardInterrupt:
        run.finish("stopped", "interrupted; the training since the last checkpoint is lost")
        raise
    except BaseException as error:
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        run.finish("failed", "an error", error=message, trace=traceback.format_exc())
        if not isinstance(error, Exception):
            raise
    finally:
        run.close(remove=refused and run.is_new)
    return run.directory
