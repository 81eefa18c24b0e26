"""One run in this process: its set-up, its progress, its events and checkpoints, and its end."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import NoReturn

import torch

from core.checkpoints.format import Checkpoint
from core.checkpoints.progress import Progress
from core.checkpoints.rng import restore_generators
from core.config.schema import RunConfig
from core.data.batches import Batch
from core.engine.allocator import reuse_freed_memory
from core.engine.device import choose_engine
from core.engine.distributed import Ranks
from core.engine.environment import changed_facts, engine_facts, environment
from core.errors import Stopped
from core.runs.directory import Run
from core.runs.events import EpochFinished, StepLogged
from core.runs.recorder import Emit, Recorder
from core.runs.status import Status
from core.runs.writer import RunWriter, launch_id
from core.sources.hub import Download
from core.training.checkpointing import Checkpointing
from core.training.control import Control, Ending
from core.training.evaluate import Evaluation
from core.training.live_scoring import score
from core.training.probe_sentences import Probes
from core.training.requests import REQUESTS, Requests
from core.training.setup import Setup, Start, choose_step, run_started, set_up
from core.training.steering import Steering
from core.training.step import StepResult, TrainingStep
from core.training.train_logits import TrainLogits


class TrainingRun:
    """One run from its set-up to its end. ``saved`` is the checkpoint from which it resumes.

    A run that is not new and has no checkpoint starts again at step 0.

    :func:`core.training.loop.train_epochs` changes ``progress`` and calls the methods below.
    """

    def __init__(
        self,
        config: RunConfig,
        directory: Run,
        writer: RunWriter | None,
        control: Control,
        emit: Emit,
        ranks: Ranks,
        *,
        is_new: bool,
        saved: Checkpoint | None = None,
        elapsed: float = 0.0,
    ) -> None:
        self.config, self.directory, self.writer, self.control, self.ranks = config, directory, writer, control, ranks
        self.saved, self.is_new, self.started = saved, is_new, False
        self.recorder = Recorder(writer, emit, elapsed=elapsed)
        self.requests = Requests(directory.path / REQUESTS)
        self.steering = Steering(control, self.requests, self.recorder, ranks)
        self.checkpointing = Checkpointing(config, directory, writer, self.recorder, ranks)
        self.probes: Probes | None = None
        """On the first rank, after the set-up."""
        self.progress = saved.progress if saved else Progress(config.train.num_epochs, config.train.learning_rate)
        if saved is not None:
            self.checkpointing.resume_from(saved.progress)

    def set_up(self, stack: ExitStack) -> tuple[Setup, TrainingStep]:
        """Prepare device, data, model, optimizer and step, new or from the checkpoint, and record the start.

        What must be undone at the end goes on ``stack``.
        """
        config, ranks, seed = self.config, self.ranks, self.config.train.seed
        engine = choose_engine(config.engine, local_rank=ranks.local_rank)
        torch.set_num_threads(engine.threads)
        torch.manual_seed(seed)
        stack.enter_context(reuse_freed_memory(engine.memory == "reuse"))
        setup = set_up(config, engine, self.directory, self.saved, self.recorder.progress, self.on_download)
        step = choose_step(setup, config.train, ranks, self.warn, micro_batch_size=self.progress.micro_batch_size)

        self.train_logits = TrainLogits(len(setup.train_set), engine.device, ranks)
        inexact = ""
        if self.saved is not None:
            restore_generators(self.saved, engine.device, ranks)
            self.train_logits.restore(self.saved.training)
            inexact = changed_facts(self.saved.engine, engine_facts(engine, ranks.world_size))
        else:
            if ranks.rank:
                torch.manual_seed(seed + ranks.rank)  # the same weights on all ranks, but different dropout
            for warning in setup.warnings if ranks.is_main else ():
                self.recorder.warn(warning)
            self.store_setup(setup)
        if ranks.is_main:
            self.requests.clear()
        start = Start(
            checkpoint=str(self.saved.path.relative_to(self.directory.path)) if self.saved else "",
            inexact=inexact,
            restarted=self.saved is None and not self.is_new,
        )
        self.recorder.emit(run_started(setup, config, self.directory, self.progress, ranks, start, self.recorder.now()))
        from_step_0, self.probes = self.saved is None, Probes(config, setup, self.recorder) if ranks.is_main else None
        self.saved, self.started = None, True  # the model has its tensors now
        if ranks.world_size == 1:
            self.steering.score = lambda rows: score(setup, rows)
        else:
            self.control.refuse_requests(
                "several processes train this run, which cannot be scored live; use one of its checkpoints"
            )
        if from_step_0 and self.probes is not None:
            self.probes.at_start()
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
                if setup.corrections:
                    self.writer.write_corrections(setup.corrections)

    def between_steps(self, setup: Setup) -> None:
        """Handle requests and save a checkpoint when one is due. Raises Stopped if the run is asked to stop."""
        self.checkpointing.collect()
        due = self.checkpointing.is_due(self.progress)
        self.progress, save = self.steering.between_steps(self.progress, setup.engine.device, save=due)
        if self.steering.ending >= Ending.STOP:
            self.leave(setup)
        if save:
            self.save(setup)

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
        if self.probes is not None:
            self.probes.after_step(self.progress.step, epoch)

    def log_epoch(self, setup: Setup, epoch: int, evaluation: Evaluation, seconds: float) -> None:
        """Record the metrics and predictions of an epoch, and count it."""
        progress = self.progress
        train_logits = self.train_logits.finish_epoch()
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
                ids, labels = setup.validation_set.example_ids, setup.validation_set.labels
                self.writer.write_predictions(epoch, ids, labels, evaluation.logits)
                if not any(map(math.isnan, train_logits)):
                    ids, labels = setup.train_set.example_ids, setup.train_set.labels
                    self.writer.write_predictions(epoch, ids, labels, train_logits, part="train")
                else:
                    self.recorder.warn(
                        f"epoch {epoch}: the predictions of the training reviews are not stored; "
                        "the checkpoint that was resumed has none for the first part of the epoch"
                    )
        self.recorder.emit(event)
        if self.probes is not None:
            self.probes.after_epoch(progress.step, epoch)

    def after_epoch(self, setup: Setup) -> None:
        """Handle requests and save a checkpoint. Raises Stopped if the run is asked to end before its last epoch."""
        # Requests come first, so that all ranks save or do not save.
        self.progress, _ = self.steering.between_steps(self.progress, setup.engine.device, save=False)
        if self.steering.ending is not Ending.NONE and self.progress.epochs_done < self.progress.num_epochs:
            self.leave(setup)
        self.save(setup)

    def save(self, setup: Setup) -> None:
        """Start to save a checkpoint. All ranks must call this at the same step."""
        self.checkpointing.save(self.progress, setup, self.train_logits)

    def patience_is_over(self) -> bool:
        return 0 < self.config.train.early_stopping_patience <= self.progress.epochs_since_best

    def leave(self, setup: Setup) -> NoReturn:
        """Save, unless the run is discarded, and raise Stopped."""
        if self.steering.ending is not Ending.DISCARD:
            self.save(setup)
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

    def close(self, *, remove: bool) -> None:
        """Release the run's directory; ``remove`` deletes it."""
        self.control.refuse_requests(f"run {self.directory.name} has ended; use one of its checkpoints")
        if self.writer is not None:
            self.writer.close(remove=remove)

    def warn(self, message: str) -> None:
        self.recorder.warn(f"step {self.progress.step + 1}: {message}")

    def on_download(self, download: Download) -> None:
        if self.control.stop_requested:
            raise Stopped
        self.recorder.progress(f"downloading {download.file}", download.received, download.total or None)
