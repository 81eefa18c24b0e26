"""Three training loops over the same reviews: the lab notebook's, that of transformers' Trainer, and imdb-tui's.

Each is written as its users would write it, and all are measured in the same way: the seconds of each step in its
forward pass, backward pass and optimizer. A GPU works asynchronously, so there only the total time is exact.
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

from core.config.schema import RunConfig
from core.data.batches import Examples
from core.engine.allocator import has_glibc, reuse_freed_memory
from core.engine.device import choose_engine
from core.engine.distributed import Ranks
from core.model.classifier import build_classifier
from core.model.unpadded import forward_of
from core.training.setup import Setup, build_optimizer, choose_step
from core.training.step import TrainingStep


@dataclass
class Timing:
    """The time and memory of one loop; ``forward``, ``backward`` and ``optimizer`` are seconds per step."""

    forward: list[float] = field(default_factory=list)
    backward: list[float] = field(default_factory=list)
    optimizer: list[float] = field(default_factory=list)
    seconds: float = 0.0
    """The total time of all counted steps and everything between them."""
    steps: int = 0
    samples: int = 0
    tokens: int = 0
    peak_bytes: int = 0
    """The highest memory above that before the steps: gradients, activations, and memory that is reused."""


class Notebook:
    """The lab notebook's training function: float32, padded by the DataLoader, AdamW with its defaults."""

    name = "notebook"

    def __init__(self, encoder: DistilBertConfig, config: RunConfig, tokenizer: PreTrainedTokenizerFast) -> None:
        torch.manual_seed(config.train.seed)
        self.config, self.tokenizer = config, tokenizer
        self.device = choose_engine(config.engine).device
        self.body = _to(DistilBertModel(encoder), self.device)
        self.head = _to(nn.Linear(encoder.dim, 1), self.device)
        self.parameters = [*self.body.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.train.learning_rate, eps=1e-8)
        self.criterion = nn.BCEWithLogitsLoss()

    def run(self, examples: Examples, warm: int) -> Timing:
        timing = Timing()
        rows = [{"input_ids": ids, "labels": label} for ids, label in _pairs(examples)]
        loader = DataLoader(rows, batch_size=self.config.train.batch_size, collate_fn=self.collate)
        self.body.train()
        with _measured(timing, self.device) as clock:
            for number, padded in enumerate(loader):
                if number == warm:
                    clock.start()
                batch = {name: tensor.to(self.device) for name, tensor in padded.items()}
                self.optimizer.zero_grad()
                started = time.perf_counter()
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
                    after_forward - started,
                    after_backward - after_forward,
                    time.perf_counter() - after_backward,
                    len(batch["labels"]),
                    int(batch["attention_mask"].sum()),
                )
        return timing

    def collate(self, rows: list[dict[str, Any]]) -> Any:
        return self.tokenizer.pad(rows, padding="longest", return_tensors="pt")


class ModelForTrainer(nn.Module):
    """The same model in the form that Trainer requires: it returns the loss and the logits."""

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
    """transformers' Trainer with its fastest settings: bfloat16, reviews grouped by length, fused AdamW.

    Its sampler groups within fifty batches; that is all reviews here.
    """

    def __init__(
        self, encoder: DistilBertConfig, config: RunConfig, tokenizer: PreTrainedTokenizerFast, attention: str
    ) -> None:
        torch.manual_seed(config.train.seed)
        self.name = f"Trainer, {attention}"
        self.config, self.tokenizer = config, tokenizer
        self.model = ModelForTrainer(encoder, attention)
        engine = choose_engine(config.engine)
        self.bf16, self.device = engine.dtype == torch.bfloat16, engine.device

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
                started = time.perf_counter()
                loss = super().compute_loss(model, inputs, *rest, **more)
                self.forward_seconds = time.perf_counter() - started
                return loss

            def training_step(self, model: nn.Module, inputs: dict[str, torch.Tensor], *rest: Any) -> Any:
                self.finish_step()
                if self.state.global_step == warm:
                    self.clock.start()
                started = time.perf_counter()
                self.samples, self.tokens = len(inputs["labels"]), int(inputs["attention_mask"].sum())
                loss = super().training_step(model, inputs, *rest)
                self.after_backward = time.perf_counter()
                self.backward_seconds = self.after_backward - started - self.forward_seconds
                self.open = True
                return loss

            open = False

            def finish_step(self) -> None:
                """Everything from the end of the backward pass to the next step counts as optimizer."""
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
                use_cpu=self.device.type == "cpu",
                dataloader_pin_memory=self.device.type == "cuda",
                remove_unused_columns=False,
            )
            trainer = Timed(model=self.model, args=arguments, train_dataset=rows, data_collator=self.collate)
            trainer.remove_callback(PrinterCallback)
            with _measured(timing, self.device) as clock:
                trainer.clock = clock
                trainer.train()
                trainer.finish_step()
        return timing

    def collate(self, rows: list[dict[str, Any]]) -> Any:
        return self.tokenizer.pad(rows, padding="longest", return_tensors="pt")


class Ours:
    """imdb-tui's own training step. The gradient norm counts as backward, a whole CUDA graph as optimizer."""

    def __init__(self, encoder: DistilBertConfig, config: RunConfig, name: str = "ours") -> None:
        torch.manual_seed(config.train.seed)
        self.name, self.config = name, config
        self.engine = choose_engine(config.engine)
        self.model = _to(build_classifier(encoder, config.model, None), self.engine.device)
        self.forward = forward_of(self.model, self.engine)
        self.optimizer = build_optimizer(self.model, config.train, self.engine)
        self.step: TrainingStep | None = None
        self.examples: Examples | None = None
        self.forward_seconds = self.started = self.after_backward = 0.0
        self.forward.register_forward_pre_hook(self._before)
        self.forward.register_forward_hook(self._after)
        self.optimizer.register_step_pre_hook(self._before_update)

    def _before(self, *_: Any) -> None:
        self.started = time.perf_counter()

    def _after(self, *_: Any) -> None:
        self.forward_seconds = time.perf_counter() - self.started

    def _before_update(self, *_: Any) -> None:
        self.after_backward = time.perf_counter()

    def run(self, examples: Examples, warm: int) -> Timing:
        timing = Timing()
        size = self.config.train.batch_size
        with reuse_freed_memory(self.engine.memory == "reuse"), _measured(timing, self.engine.device) as clock:
            step = self.step_on(examples)
            for number, start in enumerate(range(0, len(examples), size)):
                if number == warm:
                    clock.start()
                chosen = range(start, min(start + size, len(examples)))
                started = self.after_backward = time.perf_counter()
                self.forward_seconds = 0.0
                batch = examples.batch(chosen, self.engine.device)
                result = step(batch, self.config.train.learning_rate)
                clock.step(
                    self.forward_seconds,
                    self.after_backward - started - self.forward_seconds,
                    time.perf_counter() - self.after_backward,
                    len(chosen),
                    result.tokens,
                )
        return timing

    def step_on(self, examples: Examples) -> TrainingStep:
        """The training step for these reviews; each turn uses the same one, with its CUDA graphs."""
        if self.step is None or self.examples is not examples:
            source: Any = None  # a step does not use it
            setup = Setup(self.engine, self.model, self.forward, self.optimizer, examples, examples, {}, source, [], "")
            self.step = choose_step(setup, self.config.train, Ranks(), print, micro_batch_size=0)
            self.examples = examples
        return self.step


def _pairs(examples: Examples) -> Iterator[tuple[list[int], int]]:
    return zip(examples.input_ids, examples.labels, strict=True)


class Clock:
    """Fills a :class:`Timing`; steps before :meth:`start` are not counted."""

    def __init__(self, timing: Timing, device: torch.device) -> None:
        self.timing, self.device, self.started = timing, device, 0.0

    def start(self) -> None:
        synchronize(self.device)
        self.started = time.perf_counter()

    def finish(self) -> None:
        """Wait for the device, and store the total time."""
        synchronize(self.device)
        self.timing.seconds = time.perf_counter() - self.started

    def step(self, forward: float, backward: float, optimizer: float, samples: int, tokens: int) -> None:
        if not self.started:
            return
        timing = self.timing
        timing.forward.append(forward)
        timing.backward.append(backward)
        timing.optimizer.append(optimizer)
        timing.steps += 1
        timing.samples += samples
        timing.tokens += tokens


@contextmanager
def _measured(timing: Timing, device: torch.device) -> Iterator[Clock]:
    """Measure time and peak memory: of the GPU by its own count, else of the process every 10 ms."""
    clock = Clock(timing, device)
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        allocated = torch.cuda.memory_allocated(device)
        yield clock
        clock.finish()
        timing.peak_bytes = torch.cuda.max_memory_allocated(device) - allocated
        return
    process = psutil.Process(os.getpid())
    if has_glibc():
        ctypes.CDLL(None).malloc_trim(0)  # return memory that the previous loop has freed
    before = process.memory_info().rss
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(0.01):
            timing.peak_bytes = max(timing.peak_bytes, process.memory_info().rss - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield clock
        clock.finish()
    finally:
        finished.set()
        watcher.join()


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _to(module: Any, device: torch.device) -> Any:
    nn.Module.to(module, device)
    return module


Loop = Notebook | TrainerLoop | Ours
