"""The training loop: for each epoch, for each batch: forward, loss, backward, clip, optimizer step, log.

:func:`train` appends each event to the run's ``events.jsonl`` and then passes it to ``emit``. Between two steps it
handles requests: pause, stop, a new learning rate. It may run in any thread.
"""

from __future__ import annotations

import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import torch

from core.checkpoints.format import Checkpoint
from core.checkpoints.progress import Progress
from core.checkpoints.rng import restore_generators
from core.config.schema import RunConfig
from core.data.batches import Batch, epoch_batches
from core.engine.allocator import memory_kept
from core.engine.device import choose_engine, engine_facts, environment, inexactness
from core.engine.distributed import Ranks
from core.errors import InputError, Stopped
from core.runs.directory import Run
from core.runs.events import EpochFinished, StepLogged
from core.runs.recorder import Emit, Recorder
from core.runs.status import Status
from core.runs.writer import RunWriter, create_run, launch_id
from core.sources.hub import Download
from core.training.checkpointing import Checkpointing
from core.training.control import Control, Ending
from core.training.evaluate import Evaluation, StopEvaluation, evaluate
from core.training.lr_schedule import learning_rate
from core.training.out_of_memory import OutOfMemory
from core.training.requests import REQUESTS, Requests
from core.training.setup import Setup, choose_step, run_started, set_up
from core.training.steering import Steering
from core.training.step import NonFiniteLoss, StepResult, TrainingStep


def train(config: RunConfig, root: Path, control: Control, emit: Emit, ranks: Ranks = Ranks()) -> Run:  # noqa: B008
    """Train one run in a new directory under ``root``, alone or as one of several ``ranks``.

    The last event has the status of the run. A failure is not raised: it ends the run with the status ``failed`` and
    the traceback in the last event. Raises InputError for input that cannot be used; no run directory remains then.
    """
    writer = create_run(root, config) if ranks.leads else None
    run = Run(ranks.from_leader(writer.path if writer else root))
    return TrainingRun(config, run, writer, control, emit, ranks).train()


class TrainingRun:
    """One run from its set-up to its end. ``saved`` is the checkpoint from which it resumes."""

    def __init__(
        self,
        config: RunConfig,
        run: Run,
        writer: RunWriter | None,
        control: Control,
        emit: Emit,
        ranks: Ranks,
        *,
        saved: Checkpoint | None = None,
        elapsed: float = 0.0,
    ) -> None:
        self.config, self.run, self.writer, self.control, self.ranks = config, run, writer, control, ranks
        self.saved, self.is_new, self.started = saved, saved is None, False
        self.recorder = Recorder(writer, emit, elapsed=elapsed)
        self.requests = Requests(run.path / REQUESTS)
        self.steering = Steering(control, self.requests, self.recorder, ranks)
        self.cleanup = ExitStack()
        self.checkpointing = Checkpointing(config, run, writer, self.recorder, ranks)
        self.progress = saved.progress if saved else Progress(config.train.num_epochs, config.train.learning_rate)

    def train_epochs(self, setup: Setup, step: TrainingStep) -> None:
        """Train and validate each epoch that is left. Raises Stopped if the run is asked to end early."""
        config, train_set, device = self.config.train, setup.train_set, setup.engine.device
        while self.progress.epochs_done < self.progress.num_epochs and not self.patience_is_over():
            epoch = self.progress.epochs_done + 1
            epoch_start = time.monotonic() - self.progress.epoch_seconds
            batches = epoch_batches(
                len(train_set), config.batch_size, seed=config.seed, epoch=epoch, reshuffle=config.reshuffle_each_epoch
            )
            for chosen in batches[self.progress.steps_in_epoch :]:
                self.between_steps(setup)  # pause, stop, new learning rate, checkpoint

                step_start = time.monotonic()
                total_steps = len(batches) * self.progress.num_epochs
                lr = learning_rate(config, self.progress.step + 1, total_steps, peak=self.progress.learning_rate)
                batch = train_set.batch(chosen, device)
                result = step(batch, lr)  # forward, loss, backward, clip, optimizer step

                now = time.monotonic()
                self.progress = self.progress.after_step(
                    loss=result.loss,
                    accuracy=result.accuracy,
                    examples=len(batch),
                    seconds=now - step_start,
                    epoch_seconds=now - epoch_start,
                    micro_batch_size=step.micro_batch_size,
                )
                self.log_step(epoch, batch, result, lr, now - step_start)

            evaluation = self.validate(setup)
            self.log_epoch(setup, epoch, evaluation, time.monotonic() - epoch_start)
            self.after_epoch(setup)

        if self.progress.epochs_done < self.progress.num_epochs:
            metric = config.metric_for_best_model
            self.finish("completed", f"early stopping: no better {metric} since step {self.progress.best_step}")
        else:
            epochs = self.progress.num_epochs
            self.finish("completed", f"finished {epochs} epoch{'s' if epochs > 1 else ''}")

    def train(self) -> Run:
        """Set up, train, and record how the run ended, whatever happens."""
        refused = False
        try:
            with ExitStack() as self.cleanup:
                self.train_epochs(*self.set_up())
        except InputError as error:
            # Before the start nothing is recorded: a new run leaves no directory, a resumed one stays as it was.
            refused = not self.started
            self.finish("failed", "bad input", error=str(error), keep=not refused)
            raise
        except Stopped:
            self.end_early()
        except NonFiniteLoss as error:
            place = f"step {self.progress.step + 1} (epoch {self.progress.epochs_done + 1})"
            message = f"{place}: {error}; the weights are those of step {self.progress.step}"
            self.finish("failed", "loss is not finite", error=message, trace=traceback.format_exc())
        except OutOfMemory as error:
            message = f"step {self.progress.step + 1}: {error}"
            self.finish("failed", "out of memory", error=message, trace=traceback.format_exc())
        except KeyboardInterrupt:
            self.finish("stopped", "interrupted; the training since the last checkpoint is lost")
            raise
        except BaseException as error:
            message = f"{type(error).__name__}: {error}".splitlines()[0]
            self.finish("failed", "an error", error=message, trace=traceback.format_exc())
            if not isinstance(error, Exception):
                raise
        finally:
            if self.writer is not None:
                self.writer.close(remove=refused and self.is_new)
        return self.run

    def set_up(self) -> tuple[Setup, TrainingStep]:
        """Prepare device, data, model, optimizer and step, new or from the checkpoint, and record the start."""
        config, ranks, seed = self.config, self.ranks, self.config.train.seed
        engine = choose_engine(config.engine, local_rank=ranks.local_rank)
        torch.set_num_threads(engine.threads)
        torch.manual_seed(seed)
        self.cleanup.enter_context(memory_kept(engine.memory == "kept"))
        setup = set_up(config, engine, self.run, self.saved, self.recorder.progress, self.on_download)
        step = choose_step(setup, config.train, ranks, self.warn, micro_batch_size=self.progress.micro_batch_size)

        inexact = ""
        if self.saved is not None:
            restore_generators(self.saved, engine.device, ranks)
            inexact = inexactness(self.saved.engine, engine_facts(engine, ranks.world_size))
        else:
            if ranks.rank:
                torch.manual_seed(seed + ranks.rank)  # the same weights on all ranks, but different dropout
            for warning in setup.warnings if ranks.leads else ():
                self.recorder.warn(warning)
            self.store_setup(setup)
        if ranks.leads:
            self.requests.clear()
        checkpoint = str(self.saved.path.relative_to(self.run.path)) if self.saved else ""
        self.recorder.emit(
            run_started(setup, config, self.run, self.progress, ranks, checkpoint, inexact, self.recorder.now())
        )
        self.saved, self.started = None, True  # the model has its tensors now
        # Also here, because a completed run to which epochs are added has no step before its loop.
        self.progress, _ = self.steering.between_steps(self.progress, engine.device, save=False)
        return setup, step

    def store_setup(self, setup: Setup) -> None:
        """Store what the run needs besides its checkpoints to be resumed or exported without its sources."""
        if self.writer is not None:
            with self.recorder.saving("setup"):
                facts = environment(setup.engine, setup.origins)
                self.writer.write_environment({**facts, "launch": launch_id()})
                self.writer.write_model(setup.model.config.to_dict(), setup.source.tokenizer.to_str())

    def between_steps(self, setup: Setup) -> None:
        """Handle requests and save a checkpoint when one is due. Raises Stopped if the run is asked to stop."""
        self.checkpointing.collect()
        due = self.checkpointing.is_due(self.progress)
        self.progress, save = self.steering.between_steps(self.progress, setup.engine.device, save=due)
        if self.steering.ending >= Ending.STOP:
            self.leave(setup)
        if save:
            self.checkpointing.save(self.progress, setup)

    def log_step(self, epoch: int, batch: Batch, result: StepResult, lr: float, seconds: float) -> None:
        self.recorder.emit(
            StepLogged(
                **self.recorder.now(),
                step=self.progress.step,
                epoch=epoch,
                loss=result.loss,
                accuracy=result.accuracy,
                lr=lr,
                grad_norm=result.grad_norm,
                examples=len(batch),
                tokens=result.tokens,
                seconds=seconds,
            )
        )

    def validate(self, setup: Setup) -> Evaluation:
        """Loss, accuracy and predictions of the validation set. Raises Stopped if the run is asked to stop."""
        examples = setup.validation_set

        def after_batch(done: int) -> None:
            # Several ranks must do the same, and they exchange requests only between steps.
            if self.control.stop_requested and self.ranks.world_size == 1:
                raise StopEvaluation
            self.recorder.progress("validating", done, len(examples))

        try:
            batch_size = self.config.train.batch_size
            return evaluate(setup.forward, examples, batch_size, setup.engine, after_batch, self.ranks)
        except StopEvaluation:
            self.steering.ending = self.control.ending
            self.leave(setup)

    def log_epoch(self, setup: Setup, epoch: int, evaluation: Evaluation, seconds: float) -> None:
        """Record the metrics and predictions of an epoch, and count it."""
        progress, validation_set = self.progress, setup.validation_set
        event = EpochFinished(
            **self.recorder.now(),
            epoch=epoch,
            step=progress.step,
            train_loss=progress.loss_sum / progress.steps_in_epoch,
            train_accuracy=progress.accuracy_sum / progress.steps_in_epoch,
            val_loss=evaluation.loss,
            val_accuracy=evaluation.accuracy,
            seconds=seconds,
        )
        self.progress = progress.after_epoch(
            metric=self.config.train.metric_for_best_model, val_loss=evaluation.loss, val_accuracy=evaluation.accuracy
        )
        if self.writer is not None:
            if "setup" in self.recorder.failing:
                self.store_setup(setup)
            with self.recorder.saving("predictions"):
                ids, labels = validation_set.example_ids, validation_set.labels
                self.writer.write_predictions(epoch, ids, labels, evaluation.logits)
        self.recorder.emit(event)

    def after_epoch(self, setup: Setup) -> None:
        """Handle requests and save a checkpoint. Raises Stopped if the run is asked to end before its last epoch."""
        # Requests come first, so that all ranks save or do not save.
        self.progress, _ = self.steering.between_steps(self.progress, setup.engine.device, save=False)
        if self.steering.ending is not Ending.NONE and self.progress.epochs_done < self.progress.num_epochs:
            self.leave(setup)
        self.checkpointing.save(self.progress, setup)

    def patience_is_over(self) -> bool:
        return 0 < self.config.train.early_stopping_patience <= self.progress.epochs_since_best

    def leave(self, setup: Setup) -> NoReturn:
        """Save, unless the run is discarded, and raise Stopped."""
        if self.steering.ending is not Ending.DISCARD:
            self.checkpointing.save(self.progress, setup)
        raise Stopped

    def end_early(self) -> None:
        if max(self.steering.ending, self.control.ending) is Ending.DISCARD:
            self.checkpointing.discard()
            self.steering.log_ending(self.progress, keep=False)
            self.finish("interrupted", self.control.reason, keep=False)
        else:
            self.steering.log_ending(self.progress)
            self.finish("stopped", self.steering.reason)

    def finish(self, status: Status, reason: str, *, error: str = "", trace: str = "", keep: bool = True) -> None:
        """Record the end of the run; ``keep=False`` emits it without writing it."""
        if keep:
            self.checkpointing.collect(wait=True)
        progress = self.progress
        speed = progress.examples_trained / progress.seconds_trained if progress.seconds_trained else 0.0
        self.recorder.finish(status, reason, step=progress.step, speed=speed, error=error, trace=trace, keep=keep)

    def warn(self, message: str) -> None:
        self.recorder.warn(f"step {self.progress.step + 1}: {message}")

    def on_download(self, download: Download) -> None:
        if self.control.stop_requested:
            raise Stopped
        self.recorder.progress(f"downloading {download.file}", download.received, download.total or None)
