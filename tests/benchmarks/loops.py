"""Three loops that train the same reviews: the lab notebook's, transformers' Trainer, and ours.

Each is written as its users would write it and measured in the same way: the seconds of each step in its forward pass,
backward pass and optimizer.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import (
    DistilBertConfig,
    DistilBertModel,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_pt_utils import LengthGroupedSampler

from core.config import RunConfig
from core.data import Examples
from core.device import choose_engine
from core.distributed import Ranks
from core.gradients import compute_gradients, gradient_norm
from core.kept_memory import has_glibc, memory_kept
from core.layout import laid_out
from core.model import build_classifier


@dataclass
class Timing:
    """What one loop took: seconds of each step in its parts, and bytes."""

    forward: list[float] = field(default_factory=list)
    backward: list[float] = field(default_factory=list)
    optimizer: list[float] = field(default_factory=list)
    seconds: float = 0.0
    """Of all counted steps together, everything between them included."""
    steps: int = 0
    samples: int = 0
    tokens: int = 0
    peak_bytes: int = 0
    """The most that the process grew by during the steps: gradients, activations, and what is kept for the next."""


class Notebook:
    """The lab notebook's training function: float32, padded by the DataLoader, AdamW as it comes."""

    name = "notebook"

    def __init__(self, encoder: DistilBertConfig, config: RunConfig, tokenizer: PreTrainedTokenizerFast) -> None:
        torch.manual_seed(config.train.seed)
        self.config, self.tokenizer = config, tokenizer
        self.body = DistilBertModel(encoder)
        self.head = nn.Linear(encoder.dim, 1)
        self.parameters = [*self.body.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.train.learning_rate, eps=1e-8)
        self.criterion = nn.BCEWithLogitsLoss()

    def run(self, examples: Examples, warm: int) -> Timing:
        timing = Timing()
        rows = [{"input_ids": ids, "labels": label} for ids, label in _pairs(examples)]
        loader = DataLoader(rows, batch_size=self.config.train.batch_size, collate_fn=self.collate)
        self.body.train()
        with _measured(timing) as clock:
            for number, batch in enumerate(loader):
                if number == warm:
                    clock.start()
                self.optimizer.zero_grad()
                began = time.perf_counter()
                hidden = self.body(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
                outputs = self.head(hidden["last_hidden_state"][:, 0])
                loss = self.criterion(outputs.squeeze(), batch["labels"].float().squeeze())
                after_forward = time.perf_counter()
                loss.backward()
                after_backward = time.perf_counter()
                self.optimizer.step()
                loss.detach().cpu().item()
                ((outputs.squeeze() > 0) == batch["labels"].squeeze()).float().mean().item()
                clock.step(
                    after_forward - began,
                    after_backward - after_forward,
                    time.perf_counter() - after_backward,
                    len(batch["labels"]),
                    int(batch["attention_mask"].sum()),
                )
        return timing

    def collate(self, rows: list[dict[str, Any]]) -> Any:
        return self.tokenizer.pad(rows, padding="longest", return_tensors="pt")


class OfTrainer(nn.Module):
    """The same model as Trainer wants it: a loss beside the logits."""

    def __init__(self, encoder: DistilBertConfig, attention: str) -> None:
        super().__init__()
        self.body = DistilBertModel(encoder)
        self.body.set_attn_implementation(attention)
        self.head = nn.Linear(encoder.dim, 1)

    def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, torch.Tensor]:
        hidden = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits = self.head(hidden[:, 0]).squeeze(-1)
        return {
            "loss": nn.functional.binary_cross_entropy_with_logits(logits.float(), labels.float()),
            "logits": logits,
        }


class TrainerLoop:
    """transformers' Trainer with the settings that are fastest for it here: bfloat16, grouped by length, fused AdamW.

    Its sampler groups within fifty batches; here it may group all that it is given.
    """

    def __init__(
        self, encoder: DistilBertConfig, config: RunConfig, tokenizer: PreTrainedTokenizerFast, attention: str
    ) -> None:
        torch.manual_seed(config.train.seed)
        self.name = f"Trainer, {attention}"
        self.config, self.tokenizer = config, tokenizer
        self.model = OfTrainer(encoder, attention)
        self.bf16 = choose_engine(config.engine).dtype == torch.bfloat16

    def run(self, examples: Examples, warm: int) -> Timing:
        timing = Timing()
        size = self.config.train.batch_size
        rows = [{"input_ids": ids, "labels": label} for ids, label in _pairs(examples)]
        lengths = [len(ids) for ids in examples.input_ids]

        class Timed(Trainer):  # type: ignore[misc]
            clock: Clock

            def _get_train_sampler(self, *_: Any) -> Any:
                return LengthGroupedSampler(size, lengths=lengths)

            def compute_loss(self, model: nn.Module, inputs: dict[str, torch.Tensor], *rest: Any, **more: Any) -> Any:
                began = time.perf_counter()
                loss = super().compute_loss(model, inputs, *rest, **more)
                self.forward_seconds = time.perf_counter() - began
                return loss

            def training_step(self, model: nn.Module, inputs: dict[str, torch.Tensor], *rest: Any) -> Any:
                self.finish_step()
                if self.state.global_step == warm:
                    self.clock.start()
                began = time.perf_counter()
                self.samples, self.tokens = len(inputs["labels"]), int(inputs["attention_mask"].sum())
                loss = super().training_step(model, inputs, *rest)
                self.after_backward = time.perf_counter()
                self.backward_seconds = self.after_backward - began - self.forward_seconds
                self.open = True
                return loss

            open = False

            def finish_step(self) -> None:
                """The optimizer's part lasts until the next step, or the end."""
                if self.open:
                    rest = time.perf_counter() - self.after_backward
                    self.clock.step(self.forward_seconds, self.backward_seconds, rest, self.samples, self.tokens)
                self.open = False

        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=size,
                num_train_epochs=1,
                learning_rate=self.config.train.learning_rate,
                lr_scheduler_type="constant",
                weight_decay=self.config.train.weight_decay,
                max_grad_norm=0.0,
                bf16=self.bf16,
                optim="adamw_torch_fused",
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                use_cpu=True,
                dataloader_pin_memory=False,
                remove_unused_columns=False,
            )
            trainer = Timed(model=self.model, args=arguments, train_dataset=rows, data_collator=self.collate)
            trainer.remove_callback(PrinterCallback)
            with _measured(timing) as clock:
                trainer.clock = clock
                trainer.train()
                trainer.finish_step()
        return timing

    def collate(self, rows: list[dict[str, Any]]) -> Any:
        return self.tokenizer.pad(rows, padding="longest", return_tensors="pt")


class Ours:
    """The run's own loop: the batch's gradients, their norm, one step of the optimizer."""

    def __init__(self, encoder: DistilBertConfig, config: RunConfig, name: str = "ours") -> None:
        torch.manual_seed(config.train.seed)
        self.name, self.config = name, config
        self.engine = choose_engine(config.engine)
        self.model = build_classifier(encoder, config.model, None)
        self.laid_out = laid_out(self.model, self.engine)
        self.parameters = list(self.model.parameters())
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=config.train.learning_rate, eps=1e-8, fused=self.engine.optimizer == "fused"
        )
        self.forward_seconds = 0.0
        self.began = 0.0
        self.laid_out.register_forward_pre_hook(self._before)
        self.laid_out.register_forward_hook(self._after)

    def _before(self, *_: Any) -> None:
        self.began = time.perf_counter()

    def _after(self, *_: Any) -> None:
        self.forward_seconds = time.perf_counter() - self.began

    def run(self, examples: Examples, warm: int) -> Timing:
        timing = Timing()
        size = self.config.train.batch_size
        with memory_kept(self.engine.memory == "kept"), _measured(timing) as clock:
            for number, start in enumerate(range(0, len(examples), size)):
                if number == warm:
                    clock.start()
                chosen = list(range(start, min(start + size, len(examples))))
                self.optimizer.zero_grad(set_to_none=True)
                began = time.perf_counter()
                result = compute_gradients(self.laid_out, examples, chosen, self.engine, Ranks(), 0)
                after_backward = time.perf_counter()
                gradient_norm(self.parameters, 0.0)
                self.optimizer.step()
                clock.step(
                    self.forward_seconds,
                    after_backward - began - self.forward_seconds,
                    time.perf_counter() - after_backward,
                    len(chosen),
                    result.tokens,
                )
        return timing


def _pairs(examples: Examples) -> Iterator[tuple[list[int], int]]:
    return zip(examples.input_ids, examples.labels, strict=True)


class Clock:
    """Fills a :class:`Timing`; steps before :meth:`start` are not counted."""

    def __init__(self, timing: Timing) -> None:
        self.timing, self.began = timing, 0.0

    def start(self) -> None:
        self.began = time.perf_counter()

    def step(self, forward: float, backward: float, optimizer: float, samples: int, tokens: int) -> None:
        if not self.began:
            return
        timing = self.timing
        timing.forward.append(forward)
        timing.backward.append(backward)
        timing.optimizer.append(optimizer)
        timing.steps += 1
        timing.samples += samples
        timing.tokens += tokens
        timing.seconds = time.perf_counter() - self.began


@contextmanager
def _measured(timing: Timing) -> Iterator[Clock]:
    """A clock, and beside it the largest size of the process, looked at every 10 ms."""
    process = psutil.Process(os.getpid())
    if has_glibc():
        ctypes.CDLL(None).malloc_trim(0)  # what the loop before has freed is not this one's
    before = process.memory_info().rss
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            timing.peak_bytes = max(timing.peak_bytes, process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield Clock(timing)
    finally:
        over.set()
        watcher.join()


Loop = Notebook | TrainerLoop | Ours
