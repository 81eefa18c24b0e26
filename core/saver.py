"""Saves checkpoints beside the training: the loop is held only while tensors are copied that it is about to change.

Between two updates nothing changes weights or moments, so a thread copies them while the next batch goes forward and
backward; before its update the loop waits for what is left of the copying, mostly nothing. The thread then writes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from core.checkpoint import Tensors, remove_old, save_checkpoint


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
        self._copies: Tensors = {}
        self._thread: threading.Thread | None = None
        self._copied = threading.Event()
        self._copied.set()
        self._dropped = False
        self._result: Saved | None = None
        self._stall = 0.0
        self.last_step = 0
        """The newest step for which a save was begun and has not failed."""

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def begin(self, step: int, files: Mapping[str, Tensors], about: dict[str, Any], *, best_step: int) -> None:
        """Begins to save; the tensors may change again only after :meth:`before_update`.

        The save before this one must have been taken with :meth:`take`.
        """
        assert self._thread is None
        began = time.monotonic()
        # A tensor elsewhere than in main memory is fetched here, in the order of its device's own work.  # sync
        files = {file: {name: _here(tensor) for name, tensor in tensors.items()} for file, tensors in files.items()}
        size = sum(tensor.nbytes for tensors in files.values() for tensor in tensors.values())
        self._copied.clear()
        self.last_step, self._stall = step, time.monotonic() - began

        def work() -> None:
            error = None
            # With little memory left there are no copies; the loop then waits until all is written.
            can_copy = bool(self._copies) or psutil.virtual_memory().available > 1.5 * size
            path: Path | None = self._folder / f"step-{step}"
            try:
                kept = self._copy(files) if can_copy else files
                if can_copy:
                    self._copied.set()
                path = save_checkpoint(self._folder, f"step-{step}", kept, about, wanted=lambda: not self._dropped)
                if path is not None:
                    remove_old(self._folder, best_step=best_step)
            except OSError as problem:
                error = problem
            except Exception as problem:
                error = OSError(f"{type(problem).__name__}: {problem}")
            finally:
                self._copied.set()
            if path is not None:
                self._result = Saved(step, path, size, time.monotonic() - began, 0.0, error)

        self._thread = threading.Thread(target=work, name="saver")
        self._thread.start()

    def _copy(self, files: Mapping[str, Tensors]) -> dict[str, Tensors]:
        """Into memory that is used again for the next save, so that its pages are there already."""
        copies: dict[str, Tensors] = {}
        for file, tensors in files.items():
            copies[file] = {}
            for name, tensor in tensors.items():
                copy = self._copies.get(f"{file}/{name}")
                if copy is None:
                    copy = self._copies[f"{file}/{name}"] = torch.empty_like(
                        tensor, memory_format=torch.contiguous_format
                    )
                # numpy copies bytes with this thread alone; torch would start a second pool of threads for it.
                copy.view(-1).view(torch.uint8).numpy()[:] = tensor.view(-1).view(torch.uint8).numpy()
                copies[file][name] = copy
        return copies

    def before_update(self) -> None:
        """Returns once weights and moments may change."""
        if not self._copied.is_set():
            began = time.monotonic()
            self._copied.wait()
            self._stall += time.monotonic() - began

    def take(self, *, wait: bool = False) -> Saved | None:
        """What came of the save that has ended since the last call, if any; ``wait`` waits for one under way."""
        if self._thread is None or (self._thread.is_alive() and not wait):
            return None
        began = time.monotonic()
        self._thread.join()
        self._stall += time.monotonic() - began
        self._thread = None
        result, self._result = self._result, None
        if result is None:
            return None
        if result.error is not None:
            self.last_step = 0
        return Saved(result.step, result.path, result.bytes, result.seconds, self._stall, result.error)

    def drop(self) -> None:
        """Whatever is being saved shall not appear; returns when nothing is being written any more."""
        self._dropped = True
        if self._thread is not None:
            self._thread.join()


def _here(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().cpu().contiguous()
