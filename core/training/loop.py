"""One run, top to bottom: config, device, data, model, optimizer, loop.

``train`` appends each event to the run's ``events.jsonl`` and then hands it to ``emit``; it looks at ``control``
between any two steps. It knows no screen and may run in any thread.
"""

from __future__ import annotations

import math
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
from core.data.splits import epoch_order
from core.engine.allocator import memory_kept
from core.engine.device import Engine, choose_engine, engine_facts, environment, inexactness
from core.engine.distributed import Ranks
from core.errors import InputError, Stopped
from core.runs.directory import Run
from core.runs.events import EpochFinished, RunStarted, StepLogged
from core.runs.recorder import Emit, Recorder
from core.runs.status import Status
from core.runs.writer import RunWriter, create_run, launch_id
from core.sources.hub import Download
from core.training.checkpointing import Keeper
from core.training.control import Control, Ending
from core.training.evaluate import StopEvaluation, evaluate
from core.training.gradients import BatchResult
from core.training.lr_schedule import learning_rate
from core.training.requests import REQUESTS, Inbox
from core.training.setup import Beginning, begin
from core.training.steering import Steering
from core.training.step import NonFiniteLoss, OutOfMemory, Steps


def train(config: RunConfig, root: Path, control: Control, emit: Emit, ranks: Ranks = Ranks()) -> Run:  # noqa: B008
    """Trains one run in a new directory under ``root``, alone or as one of several ``ranks``.

    How it ended is the status of the last event. Raises InputError for input that cannot be used; there is no run
    then. Nothing else is raised: a failure ends the run with status ``failed`` and the traceback in its last event.
    """
    writer = create_run(root, config) if ranks.leads else None
    run = Run(ranks.from_leader(writer.path if writer else root))
    return TrainingRun(config, run, writer, control, emit, ranks).go()


class TrainingRun:
    """The state of one run that its parts share."""

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
        self.saved, self.is_new, self.has_begun = saved, saved is None, False
        self.say = Recorder(writer, emit, elapsed=elapsed)
        self.inbox = Inbox(run.path / REQUESTS)
        self.steering = Steering(control, self.inbox, self.say, ranks)
        self.leaving = ExitStack()
        self.keeper = Keeper(config, run, writer, self.say, ranks)
        self.at = saved.progress if saved else Progress(config.train.num_epochs, config.train.learning_rate)

    def go(self) -> Run:
        """Runs, and says how it ended, whatever happens."""
        refused = False
        try:
            with ExitStack() as self.leaving:
                self.loop()
        except InputError as error:
            # What has not begun leaves nothing behind: a run that was to go on stays as it is, a new one is not there.
            refused = not self.has_begun
            self.finish("failed", "bad input", error=str(error), keep=not refused)
            raise
        except Stopped:
            self.end_early()
        except NonFiniteLoss as error:
            self.finish("failed", "loss is not finite", error=str(error), trace=traceback.format_exc())
        except OutOfMemory as error:
            self.finish("failed", "out of memory", error=str(error), trace=traceback.format_exc())
        except KeyboardInterrupt:
            self.finish("stopped", "ended at once; what was trained after the last checkpoint is lost")
            raise
        except BaseException as error:
            words = f"{type(error).__name__}: {error}".splitlines()[0]
            self.finish("failed", "an error", error=words, trace=traceback.format_exc())
            if not isinstance(error, Exception):
                raise
        finally:
            if self.writer is not None:
                self.writer.close(remove=refused and self.is_new)
        return self.run

    def loop(self) -> None:
        """Raises Stopped where the run is asked to end before its time."""
        config, ranks = self.config, self.ranks
        # Device: what computes, and how the same seed draws the same numbers.
        engine = choose_engine(config.engine, local_rank=ranks.local_rank)
        torch.set_num_threads(engine.threads)
        torch.manual_seed(config.train.seed)
        self.leaving.enter_context(memory_kept(engine.memory == "kept"))

        # Data, model, optimizer: new, or as the checkpoint left them.
        begun = begin(config, engine, self.run, self.saved, self.say.progress, self.downloading)
        steps = Steps(begun, config.train, engine, ranks, self.say.warn, micro_batch_size=self.at.micro_batch_size)
        batch_size, examples = config.train.batch_size, len(begun.train_set)
        steps_per_epoch = math.ceil(examples / batch_size)
        self.start(begun, engine, steps_per_epoch)

        # Loop: every epoch visits each training review once, then looks at the held-out ones.
        while self.at.epochs_done < self.at.num_epochs and not self.stops_early():
            epoch, epoch_began, seconds_before = self.at.epochs_done + 1, time.monotonic(), self.at.epoch_seconds
            order = epoch_order(
                examples, seed=config.train.seed, epoch=epoch, reshuffle=config.train.reshuffle_each_epoch
            )
            while self.at.steps_in_epoch < steps_per_epoch:
                self.between_steps(begun, engine)
                step_began = time.monotonic()
                first = self.at.steps_in_epoch * batch_size
                chosen = order[first : first + batch_size]
                total_steps = steps_per_epoch * self.at.num_epochs
                lr = learning_rate(config.train, self.at.step + 1, total_steps, peak=self.at.learning_rate)
                result, norm = steps.make(chosen, lr, self.at.step + 1)
                now = time.monotonic()
                self.at = self.at.after_step(
                    loss=result.loss,
                    accuracy=result.accuracy,
                    examples=len(chosen),
                    seconds=now - step_began,
                    epoch_seconds=seconds_before + now - epoch_began,
                    micro_batch_size=steps.micro_batch_size,
                )
                self.log_step(epoch, result, lr, norm, len(chosen), now - step_began)
            self.finish_epoch(begun, engine, epoch, epoch_began, seconds_before)
        if self.at.epochs_done < self.at.num_epochs:
            words = f"early stopping: no better {config.train.metric_for_best_model} than at step {self.at.best_step}"
            self.finish("completed", words)
        else:
            self.finish(
                "completed",
                f"all {self.at.num_epochs} epochs are done" if self.at.num_epochs > 1 else "its epoch is done",
            )

    def start(self, begun: Beginning, engine: Engine, steps_per_epoch: int) -> None:
        """Keeps what the run began with, and says so."""
        inexact = ""
        if self.saved is not None:
            restore_generators(self.saved, engine.device, self.ranks)
            inexact = inexactness(self.saved.engine, engine_facts(engine, self.ranks.world_size))
        elif self.ranks.rank:
            torch.manual_seed(self.config.train.seed + self.ranks.rank)  # the same weights, but dropout of its own
        if self.writer is not None and self.saved is None:
            for words in begun.warnings:
                self.say.warn(words)
            self.keep_beginning(begun, engine)
        if self.ranks.leads:
            self.inbox.clear()
        self.say.emit(
            RunStarted(
                **self.say.now(),
                run=self.run.name,
                preset=self.config.preset,
                num_epochs=self.at.num_epochs,
                steps_per_epoch=steps_per_epoch,
                train_examples=len(begun.train_set),
                validation_examples=len(begun.validation_set),
                parameters=sum(parameter.numel() for parameter in begun.model.parameters()),
                device=str(engine.device),
                device_reason=engine.reasons["device"],
                dtype=engine.dtype_name,
                dtype_reason=engine.reasons["dtype"],
                engine=engine.words(),
                threads=engine.threads,
                origins=begun.origins,
                world_size=self.ranks.world_size,
                step=self.at.step,
                epochs_done=self.at.epochs_done,
                checkpoint=str(self.saved.path.relative_to(self.run.path)) if self.saved else "",
                inexact=inexact,
                changes_made=self.at.changes_made,
            )
        )
        self.saved, self.has_begun = None, True  # its tensors are in the model now
        # Before the first step, because a completed run to which epochs are added has none without it.
        self.at, _ = self.steering.between_steps(self.at, engine.device, save=False)

    def keep_beginning(self, begun: Beginning, engine: Engine) -> None:
        """What the run needs beside its checkpoints to go on, or to be exported, without its sources."""
        assert self.writer is not None
        with self.say.saving("beginning"):
            self.writer.write_environment({**environment(engine, begun.origins), "launch": launch_id()})
            self.writer.write_model(begun.model.config.to_dict(), begun.source.tokenizer.to_str())

    def between_steps(self, begun: Beginning, engine: Engine) -> None:
        self.keeper.collect()
        self.at, save = self.steering.between_steps(self.at, engine.device, save=self.keeper.is_due(self.at))
        if self.steering.ending >= Ending.STOP:
            self.leave(begun, engine)
        if save:
            self.keeper.save(self.at, begun, engine)

    def log_step(self, epoch: int, result: BatchResult, lr: float, norm: float, examples: int, seconds: float) -> None:
        self.say.emit(
            StepLogged(
                **self.say.now(),
                step=self.at.step,
                epoch=epoch,
                loss=result.loss,
                accuracy=result.accuracy,
                lr=lr,
                grad_norm=norm,
                examples=examples,
                tokens=result.tokens,
                seconds=seconds,
            )
        )

    def finish_epoch(self, begun: Beginning, engine: Engine, epoch: int, began: float, seconds_before: float) -> None:
        """Validates, tells and saves one epoch."""

        def between(done: int) -> None:
            # Several ranks must all do the same, and they look at what was asked for only between steps.
            if self.control.stop_requested and self.ranks.world_size == 1:
                raise StopEvaluation
            self.say.progress("validating", done, len(begun.validation_set))

        try:
            result = evaluate(
                begun.laid_out, begun.validation_set, self.config.train.batch_size, engine, between, self.ranks
            )
        except StopEvaluation:
            self.steering.ending = self.control.ending
            self.leave(begun, engine)
        steps, seconds = self.at.steps_in_epoch, seconds_before + time.monotonic() - began
        finished = EpochFinished(
            **self.say.now(),
            epoch=epoch,
            step=self.at.step,
            train_loss=self.at.loss_sum / steps,
            train_accuracy=self.at.accuracy_sum / steps,
            val_loss=result.loss,
            val_accuracy=result.accuracy,
            seconds=seconds,
        )
        self.at = self.at.after_epoch(
            metric=self.config.train.metric_for_best_model, val_loss=result.loss, val_accuracy=result.accuracy
        )
        if self.writer is not None:
            if "beginning" in self.say.failing:
                self.keep_beginning(begun, engine)
            with self.say.saving("predictions"):
                validation = begun.validation_set
                self.writer.write_predictions(epoch, validation.review_ids, validation.labels, result.logits)
        self.say.emit(finished)
        # What was asked for meanwhile is looked at before the save, so that all ranks take the same way.
        self.at, _ = self.steering.between_steps(self.at, engine.device, save=False)
        if self.steering.ending is not Ending.NONE and self.at.epochs_done < self.at.num_epochs:
            self.leave(begun, engine)
        self.keeper.save(self.at, begun, engine)

    def stops_early(self) -> bool:
        patience = self.config.train.early_stopping_patience
        return 0 < patience <= self.at.epochs_since_best

    # The end

    def leave(self, begun: Beginning, engine: Engine) -> NoReturn:
        """Saves, unless the run is discarded, and ends."""
        if self.steering.ending is not Ending.DISCARD:
            self.keeper.save(self.at, begun, engine)
        raise Stopped

    def end_early(self) -> None:
        if max(self.steering.ending, self.control.ending) is Ending.DISCARD:
            self.keeper.drop()
            self.steering.note_ending(self.at, keep=False)
            self.finish("interrupted", self.control.reason, keep=False)
            return
        self.steering.note_ending(self.at)
        self.finish("stopped", self.control.reason or "another rank was asked to")

    def finish(self, status: Status, reason: str, *, error: str = "", trace: str = "", keep: bool = True) -> None:
        if keep:
            self.keeper.collect(wait=True)
        speed = self.at.examples_trained / self.at.seconds_trained if self.at.seconds_trained else 0.0
        self.say.finish(status, reason, step=self.at.step, speed=speed, error=error, trace=trace, keep=keep)

    def downloading(self, download: Download) -> None:
        if self.control.stop_requested:
            raise Stopped
        self.say.progress(f"downloading {download.file}", download.received, download.total or None)
