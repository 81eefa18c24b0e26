"""Saves checkpoints beside the training: the loop is held only while its tensors are copied.

The copies are made by all of torch's threads into memory that is kept for the next save. A thread of the lowest
priority then writes, hashes and syncs them: it takes what the training leaves of the processors, and all of them once
the training waits for it.
"""

from __future__ import annotations

import mmap
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch

from core.checkpoints.format import Tensors, remove_old, save_checkpoint
from core.engine.scheduling import LOWEST, lower_priority

ALIGNMENT = 64
BIT, BIT_S = 1 << 22, 0.5
"""How many bytes are made at a time, which takes some milliseconds, and the seconds until the next."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of one save. ``error`` is why there is no checkpoint; ``seconds`` count from the request."""

    step: int
    path: Path
    bytes: int
    seconds: float
    stall_seconds: float
    error: OSError | None


class Saver:
    """One save at a time. All methods are called by the training thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory = torch.empty(0, dtype=torch.uint8)
        self._making: threading.Thread | None = None
        self._thread: threading.Thread | None = None
        self._hurry = threading.Event()
        self._dropped = False
        self._result: Saved | None = None
        self._stall = 0.0
        self.last_step = 0
        """The newest step for which a save was begun and has not failed."""

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def prepare(self, weights: Tensors) -> None:
        """Has memory made for weights and two moments each, bit by bit beside the steps, instead of at the first save.

        A thread of the lowest priority alone would take three times as much of a training that gives way itself.
        """
        size = 3 * sum(_room(tensor) for tensor in weights.values()) + (1 << 20)
        if psutil.virtual_memory().available < 3 * size:
            return

        def work() -> None:
            lower_priority(LOWEST)
            memory = _pages(size)
            array = memory.numpy()  # not torch, which would start more threads for it
            for at in range(0, size, BIT):
                array[at : at + BIT] = 0
                if self._dropped:
                    return
                self._hurry.wait(BIT_S)
            self._memory = memory

        self._making = threading.Thread(target=work, name="saver-memory", daemon=True)
        self._making.start()

    def begin(self, step: int, files: Mapping[str, Tensors], about: dict[str, Any], *, best_step: int) -> None:
        """Begins to save; the tensors may change as soon as this returns.

        The save before this one must have been taken with :meth:`take`.
        """
        assert self._thread is None
        began = time.monotonic()
        if self._making is not None:
            self._hurry.set()
            self._making.join()
            self._making = None
        size = sum(_room(tensor) for tensors in files.values() for tensor in tensors.values())
        # With little memory left there are no copies, and the training waits until all is written.
        copied = len(self._memory) >= size or psutil.virtual_memory().available > 1.5 * size
        kept = self._copy(files, size) if copied else {file: _in_memory(tensors) for file, tensors in files.items()}
        path = self._folder / f"step-{step}"

        def work() -> None:
            error = None
            if copied:
                lower_priority(LOWEST)
            try:
                made = save_checkpoint(self._folder, path.name, kept, about, wanted=lambda: not self._dropped)
                if made is None:
                    return
                remove_old(self._folder, best_step=best_step)
            except OSError as problem:
                error = problem
            except Exception as problem:
                error = OSError(f"{type(problem).__name__}: {problem}")
            self._result = Saved(step, path, size, time.monotonic() - began, 0.0, error)

        self.last_step = step
        self._thread = threading.Thread(target=work, name="saver")
        self._thread.start()
        if not copied:
            self._thread.join()
        self._stall = time.monotonic() - began

    def _copy(self, files: Mapping[str, Tensors], size: int) -> dict[str, Tensors]:
        if len(self._memory) < size:
            self._memory = _pages(size)
        copies: dict[str, Tensors] = {}
        at = 0
        for file, tensors in files.items():
            copies[file] = {}
            for name, tensor in tensors.items():
                place = self._memory[at : at + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
                copies[file][name] = place.copy_(tensor.detach())  # sync
                at += _room(tensor)
        return copies

    def take(self, *, wait: bool = False) -> Saved | None:
        """What came of the save that has ended since the last call, if any; ``wait`` waits for one under way."""
        if self._thread is None or (self._thread.is_alive() and not wait):
            return None
        self._thread.join()
        self._thread = None
        result, self._result = self._result, None
        if result is None:
            return None
        if result.error is not None:
            self.last_step = 0
        return replace(result, stall_seconds=self._stall)

    def drop(self) -> None:
        """Whatever is being saved shall not appear; returns when nothing is being written any more."""
        self._dropped = True
        self._hurry.set()
        if self._thread is not None:
            self._thread.join()


def _room(tensor: torch.Tensor) -> int:
    return -(-tensor.nbytes // ALIGNMENT) * ALIGNMENT


def _in_memory(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _pages(size: int) -> torch.Tensor:
    """Fresh memory, in large pages where the system has them: they are there a hundred times faster."""
    pages = mmap.mmap(-1, max(size, 1))
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            pages.madvise(mmap.MADV_HUGEPAGE)
    return torch.frombuffer(pages, dtype=torch.uint8)
