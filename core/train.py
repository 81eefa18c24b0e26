"""One run, top to bottom: config, device, data, model, optimizer, loop.

``train`` appends each event to the run's ``events.jsonl`` and then hands it to ``emit``; it looks at ``control``
between any two steps. It knows no screen and may run in any thread.
"""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from core import __version__
from core.checkpoint import save_weights
from core.config import RunConfig
from core.control import Control, Stopped
from core.data import Examples, batches, encode_examples, epoch_order, split_reviews
from core.device import Engine, choose_engine, environment
from core.errors import InputError
from core.evaluate import StopEvaluation, evaluate
from core.events import (
    CheckpointSaved,
    ControlReceived,
    EpochFinished,
    Event,
    Progressed,
    RunFinished,
    RunStarted,
    Status,
    StepLogged,
    Warned,
)
from core.hub import Download
from core.model import DistilBertClassifier, build_classifier, encoder_config, require_fit
from core.runs import RunWriter, create_run
from core.schedule import learning_rate
from core.sources import open_checkpoint, open_reviews

Emit = Callable[[Event], None]


class NonFiniteLoss(Exception):  # noqa: N818 - named after what happened
    """The loss or a gradient is NaN or infinite; the weights have not been touched by that step."""


def train(config: RunConfig, root: Path, control: Control, emit: Emit) -> RunWriter:
    """Trains one run in a new directory under ``root`` and returns its writer, closed.

    How it ended is the status of the last event. Raises InputError for input that cannot be used; where that shows
    after the directory was made, the run is also marked as failed. Nothing else is raised: a failure ends the run
    with status ``failed`` and the traceback in its last event.
    """
    writer = create_run(root, config)
    trainer = _Run(config, writer, control, emit)
    try:
        trainer.run()
    except InputError as error:
        trainer.finish("failed", "bad input", error=str(error))
        raise
    except Stopped:
        trainer.note_stop()
        trainer.finish("stopped", control.reason)
    except NonFiniteLoss as error:
        trainer.finish("failed", "loss is not finite", error=str(error), trace=traceback.format_exc())
    except KeyboardInterrupt:
        trainer.finish("stopped", "ended at once; what was trained after the last checkpoint is lost")
        raise
    except BaseException as error:
        words = f"{type(error).__name__}: {error}".splitlines()[0]
        trainer.finish("failed", "an error", error=words, trace=traceback.format_exc())
        if not isinstance(error, Exception):
            raise
    finally:
        writer.close()
    return writer


class _Run:
    """The state of one run that its parts share."""

    def __init__(self, config: RunConfig, writer: RunWriter, control: Control, emit: Emit) -> None:
        self.config, self.writer, self.control, self._emit = config, writer, control, emit
        self._began = time.monotonic()
        self._saving_failed = False
        self._saved_step = 0
        self.step = 0
        self.examples_trained = 0
        self.seconds_trained = 0.0

    def run(self) -> None:
        config = self.config
        # Device: what computes, and how the same seed draws the same numbers.
        engine = choose_engine(config.engine)
        torch.set_num_threads(engine.threads)
        torch.manual_seed(config.train.seed)

        # Data: reviews, split, encoded.
        self.progress("looking for tokenizer and weights")
        checkpoint = open_checkpoint(
            config.model.checkpoint, pretrained=config.model.init == "pretrained", on_download=self._downloading
        )
        self.progress("reading reviews")
        reviews, reviews_origin = open_reviews(config.data.source, config.data.dataset, self._downloading)
        split = split_reviews(reviews, config.data, seed=config.train.seed, batch_size=config.train.batch_size)
        for words in split.warnings:
            self.warn(words)
        self.progress("tokenizing")
        train_set = encode_examples(reviews, split.train, checkpoint.tokenizer, config.data)
        validation_set = encode_examples(reviews, split.validation, checkpoint.tokenizer, config.data)

        # Model: drawn or loaded, then moved to the device.
        self.progress("building the model")
        weights = checkpoint.load_weights() if config.model.init == "pretrained" else None
        encoder = encoder_config(checkpoint.config, config.model.architecture)
        require_fit(encoder, checkpoint.tokenizer.get_vocab_size(), config.data.max_length)
        model = build_classifier(encoder, config.model, weights).to(engine.device)
        model.distilbert.set_attn_implementation(engine.attention)
        del weights

        # Optimizer: AdamW, with the learning rate as a function of the step.
        trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(
            trainable,
            lr=config.train.learning_rate,
            eps=config.train.adam_epsilon,
            weight_decay=config.train.weight_decay,
            fused=engine.device.type != "mps",
        )
        steps_per_epoch = math.ceil(len(train_set) / config.train.batch_size)
        total_steps = steps_per_epoch * config.train.num_epochs

        origins = {
            "tokenizer": checkpoint.tokenizer_origin.as_dict(),
            "weights": checkpoint.weights_origin.as_dict(),
            "reviews": {**reviews_origin.as_dict(), "taken": len(split.train) + len(split.validation),
                        "available": len(reviews)},
        }  # fmt: skip
        with self.saving():
            self.writer.write_environment(environment(engine, origins))
        self.emit(
            RunStarted(
                **self._now(),
                run=self.writer.run.name,
                preset=config.preset,
                num_epochs=config.train.num_epochs,
                steps_per_epoch=steps_per_epoch,
                train_examples=len(train_set),
                validation_examples=len(validation_set),
                parameters=sum(parameter.numel() for parameter in model.parameters()),
                device=str(engine.device),
                device_reason=engine.device_reason,
                dtype=engine.dtype_name,
                dtype_reason=engine.dtype_reason,
                threads=engine.threads,
                origins=origins,
            )
        )

        # Loop: every epoch visits each training review once, then looks at the held-out ones.
        for epoch in range(1, config.train.num_epochs + 1):
            began = time.monotonic()
            losses, accuracies = [], []
            order = epoch_order(
                len(train_set), seed=config.train.seed, epoch=epoch, reshuffle=config.train.reshuffle_each_epoch
            )
            for batch in batches(train_set, order, config.train.batch_size, engine.device):
                if self.must_stop():
                    return self.end_stopped(model, epoch)
                step_began = time.monotonic()
                lr = learning_rate(config.train, self.step + 1, total_steps)
                for group in optimizer.param_groups:
                    group["lr"] = lr
                optimizer.zero_grad(set_to_none=True)
                with torch.autocast(engine.device.type, engine.dtype, enabled=engine.dtype != torch.float32):
                    logits = model(batch.input_ids, batch.attention_mask)
                loss = binary_cross_entropy_with_logits(logits, batch.labels)
                loss.backward()  # type: ignore[no-untyped-call]
                limit = config.train.max_grad_norm or math.inf
                grad_norm = torch.nn.utils.clip_grad_norm_(trainable, limit).item()  # sync
                loss_value = loss.item()  # sync
                if not (math.isfinite(loss_value) and math.isfinite(grad_norm)):
                    raise NonFiniteLoss(
                        f"step {self.step + 1} (epoch {epoch}): loss {loss_value}, gradient norm {grad_norm}, "
                        f"learning rate {lr:g}; the weights are those of step {self.step}"
                    )
                optimizer.step()
                accuracy = ((logits > 0) == (batch.labels > 0.5)).float().mean().item()  # sync
                self.step += 1
                losses.append(loss_value)
                accuracies.append(accuracy)
                self.log_step(epoch, loss_value, accuracy, lr, grad_norm, len(batch.labels), batch.tokens, step_began)

            if not self.finish_epoch(model, validation_set, engine, epoch, losses, accuracies, began):
                return self.end_stopped(model, epoch)
            self.save(model, epoch)
        self.finish("completed", f"all {config.train.num_epochs} epochs are done")
        return None

    def finish_epoch(
        self,
        model: DistilBertClassifier,
        validation_set: Examples,
        engine: Engine,
        epoch: int,
        losses: list[float],
        accuracies: list[float],
        began: float,
    ) -> bool:
        """Validates and reports one epoch; False where a stop was asked for meanwhile."""

        def between(done: int) -> None:
            if self.must_stop():
                raise StopEvaluation
            self.progress("validating", done, len(validation_set))

        try:
            result = evaluate(model, validation_set, self.config.train.batch_size, engine, between)
        except StopEvaluation:
            return False
        with self.saving():
            self.writer.write_predictions(epoch, validation_set.review_ids, validation_set.labels, result.logits)
        self.emit(
            EpochFinished(
                **self._now(),
                epoch=epoch,
                step=self.step,
                train_loss=sum(losses) / len(losses),
                train_accuracy=sum(accuracies) / len(accuracies),
                val_loss=result.loss,
                val_accuracy=result.accuracy,
                seconds=time.monotonic() - began,
            )
        )
        return True

    def must_stop(self) -> bool:
        """Looks at the control: waits while paused; True once a stop is asked for."""
        if self.control.pause_requested and not self.control.stop_requested:
            self.emit(ControlReceived(**self._now(), step=self.step, action="pause", reason="asked for"))
            self.control.wait_while_paused()
            if not self.control.stop_requested:
                self.emit(ControlReceived(**self._now(), step=self.step, action="resume", reason="asked for"))
        return self.control.stop_requested

    def end_stopped(self, model: DistilBertClassifier, epoch: int) -> None:
        self.note_stop()
        if self.step > self._saved_step:
            self.save(model, epoch)
        self.finish("stopped", self.control.reason)

    def note_stop(self) -> None:
        self.emit(ControlReceived(**self._now(), step=self.step, action="stop", reason=self.control.reason))

    def save(self, model: DistilBertClassifier, epoch: int) -> None:
        began = time.monotonic()
        with self.saving():
            about = {"step": self.step, "epoch": epoch, "imdb_tui": __version__}
            path = save_weights(self.writer.path / "checkpoints", f"step-{self.step}", model, about)
            self._saved_step = self.step
            self.emit(
                CheckpointSaved(
                    **self._now(),
                    step=self.step,
                    path=str(path.relative_to(self.writer.path)),
                    bytes=sum(file.stat().st_size for file in path.iterdir()),
                    seconds=time.monotonic() - began,
                )
            )

    @contextmanager
    def saving(self) -> Iterator[None]:
        """What cannot be saved is said, once, and training goes on."""
        try:
            yield
        except OSError as error:
            self._note_saving_failure(error)

    def log_step(
        self, epoch: int, loss: float, accuracy: float, lr: float, grad_norm: float, examples: int, tokens: int,
        began: float,
    ) -> None:  # fmt: skip
        seconds = time.monotonic() - began
        self.examples_trained += examples
        self.seconds_trained += seconds
        self.emit(
            StepLogged(
                **self._now(),
                step=self.step,
                epoch=epoch,
                loss=loss,
                accuracy=accuracy,
                lr=lr,
                grad_norm=grad_norm,
                examples=examples,
                tokens=tokens,
                seconds=seconds,
            )
        )

    def finish(self, status: Status, reason: str, *, error: str = "", trace: str = "") -> None:
        speed = self.examples_trained / self.seconds_trained if self.seconds_trained else 0.0
        self.emit(
            RunFinished(
                **self._now(),
                status=status,
                step=self.step,
                reason=reason,
                samples_per_second=speed,
                error=error,
                traceback=trace,
            )
        )

    def progress(self, message: str, done: int | None = None, total: int | None = None) -> None:
        self.emit(Progressed(**self._now(), message=message, done=done, total=total))

    def warn(self, message: str) -> None:
        self.emit(Warned(**self._now(), message=message))

    def emit(self, event: Event) -> None:
        """Written first, then shown."""
        if event.kept and (error := self.writer.append(event)) is not None:
            self._note_saving_failure(error)
        self._emit(event)

    def _note_saving_failure(self, error: OSError) -> None:
        if not self._saving_failed:
            self._saving_failed = True
            self.warn(f"saving fails ({error.strerror or error}); training goes on")

    def _downloading(self, download: Download) -> None:
        if self.control.stop_requested:
            raise Stopped
        self.progress(f"downloading {download.file}", download.received, download.total or None)

    def _now(self) -> dict[str, Any]:
        return {"time": time.time(), "elapsed": time.monotonic() - self._began}
