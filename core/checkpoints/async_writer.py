"""Write checkpoints while training continues: the loop waits only while its tensors are copied.

torch copies the tensors into a buffer that the next checkpoint reuses. A thread of the lowest priority then writes,
hashes and syncs the copies: it takes idle processor time, and all of it once the training waits for the checkpoint.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import torch

from core.checkpoints.format import Tensors, remove_old, save_checkpoint
from core.engine.scheduling import LOWEST, lower_priority

ALIGNMENT = 64
"""Each tensor starts at a multiple of this number of bytes in the buffer."""


@dataclass(frozen=True, slots=True)
class Written:
    """The result of one checkpoint.

    ``seconds`` count from the request, ``stall_seconds`` are those that the loop waited; ``error`` is why there is no
    checkpoint.
    """

    step: int
    path: Path
    bytes: int
    seconds: float
    stall_seconds: float
    error: OSError | None


class AsyncWriter:
    """Writes one checkpoint at a time. All methods are called by the training thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buffer = torch.empty(0, dtype=torch.uint8)
        self._thread: threading.Thread | None = None
        self._discarded = False
        self._result: Written | None = None
        self._stall = 0.0
        self.last_step = 0
        """The newest step whose checkpoint was started and has not failed."""

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, step: int, files: Mapping[str, Tensors], about: dict[str, Any], *, best_step: int) -> None:
        """Start to write a checkpoint; the tensors may change as soon as this returns.

        The result of the checkpoint before must have been taken with :meth:`result`.
        """
        assert self._thread is None
        started = time.monotonic()
        size = sum(_aligned(tensor) for tensors in files.values() for tensor in tensors.values())
        # With little free memory there are no copies, and the training waits until everything is written.
        copied = len(self._buffer) >= size or psutil.virtual_memory().available > 1.5 * size
        content = self._copy(files, size) if copied else {file: _on_cpu(tensors) for file, tensors in files.items()}
        path = self._folder / f"step-{step}"

        def work(*, in_background: bool) -> None:
            error = None
            if in_background:
                lower_priority(LOWEST)
            try:
                saved = save_checkpoint(self._folder, path.name, content, about, discarded=lambda: self._discarded)
                if saved is None:
                    return
                remove_old(self._folder, best_step=best_step)
            except OSError as problem:
                error = problem
            except Exception as problem:
                error = OSError(f"{type(problem).__name__}: {problem}")
            self._result = Written(step, path, size, time.monotonic() - started, 0.0, error)

        self.last_step = step
        thread = threading.Thread(target=work, kwargs={"in_background": copied}, name="checkpoint-writer")
        try:
            thread.start()
        except RuntimeError:  # too little address space for another thread
            work(in_background=False)
        else:
            self._thread = thread
            if not copied:
                thread.join()
        self._stall = time.monotonic() - started

    def _copy(self, files: Mapping[str, Tensors], size: int) -> dict[str, Tensors]:
        if len(self._buffer) < size:
            self._buffer = torch.empty(size, dtype=torch.uint8)
        copies: dict[str, Tensors] = {}
        offset = 0
        for file, tensors in files.items():
            copies[file] = {}
            for name, tensor in tensors.items():
                copy = self._buffer[offset : offset + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
                copies[file][name] = copy.copy_(tensor.detach())  # sync
                offset += _aligned(tensor)
        return copies

    def result(self, *, wait: bool = False) -> Written | None:
        """The result of a checkpoint that ended since the last call, if any; ``wait`` waits for one in progress."""
        if self.busy and not wait:
            return None
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        result, self._result = self._result, None
        if result is None:
            return None
        if result.error is not None:
            self.last_step = 0
        return replace(result, stall_seconds=self._stall)

    def discard(self) -> None:
        """Discard a checkpoint in progress; returns once nothing is being written."""
        self._discarded = True
        if self._thread is not None:
            self._thread.join()


def _aligned(tensor: torch.Tensor) -> int:
    return -(-tensor.nbytes // ALIGNMENT) * ALIGNMENT


def _on_cpu(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
