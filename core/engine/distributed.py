"""Train one run in several processes that torchrun starts, with torch's process groups and DistributedDataParallel.

Each batch is split over the ranks; losses are scaled so that the averaged gradient is that of the whole batch.
With one process, everything here is a no-op.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

Item = TypeVar("Item")

TIMEOUT = timedelta(minutes=30)
"""How long a rank waits for the others, for example while rank 0 is paused, before it fails."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process's rank among the processes of a run. Rank 0 writes the run directory."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    restarts: int = 0
    """How often torchrun has restarted all ranks."""

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This rank's part of a batch or data set: every world_size-th item, starting at its rank."""
        return items[self.rank :: self.world_size]

    def gather(self, mine: Sequence[Item], total: int) -> list[Item]:
        """The inverse of :meth:`share`: all ``total`` items in their original order, on every rank."""
        if self.world_size == 1:
            return list(mine)
        parts: list[Any] = [None] * self.world_size
        dist.all_gather_object(parts, list(mine))  # sync
        return [parts[i % self.world_size][i // self.world_size] for i in range(total)]

    def broadcast(self, value: Item) -> Item:
        """Rank 0's ``value``, on every rank."""
        if self.world_size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)  # sync
        return box[0]

    def sums(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Each value summed over the ranks."""
        return self._reduced(values, device, dist.ReduceOp.SUM)

    def maxima(self, values: Sequence[float], device: torch.device) -> list[float]:
        """The maximum of each value over the ranks: what one rank was asked to do, all do."""
        return self._reduced(values, device, dist.ReduceOp.MAX)

    def _reduced(self, values: Sequence[float], device: torch.device, how: Any) -> list[float]:
        if self.world_size == 1:
            return list(values)
        box = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(box, op=how)  # sync
        return [float(value) for value in box]

    def barrier(self) -> None:
        """Wait for all ranks, so that no process ends while another still communicates."""
        if self.world_size > 1:
            dist.barrier()  # sync

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The module to call in training; its backward pass averages gradients over the ranks."""
        if self.world_size == 1:
            return model
        return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)

    def averaging(self, model: nn.Module, enabled: bool) -> AbstractContextManager[None]:
        """A context in which backward averages gradients over the ranks, or only accumulates them."""
        return model.no_sync() if isinstance(model, DistributedDataParallel) and not enabled else nullcontext()


@contextmanager
def process_group() -> Iterator[Ranks]:
    """The rank that torchrun gave this process, in a process group of all; without torchrun, a single rank."""
    if "TORCHELASTIC_RUN_ID" not in os.environ and "WORLD_SIZE" not in os.environ:
        yield Ranks()
        return
    ranks = Ranks(
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
        local_rank=int(os.environ["LOCAL_RANK"]),
        restarts=int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")),
    )
    if ranks.world_size == 1:
        yield ranks
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(ranks.local_rank)
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True" and os.environ.get("GROUP_WORLD_SIZE") == "1":
        # torchrun's store survives a restart and still has the addresses of dead ranks (pytorch#135712). On one
        # machine a prefix with the number of restarts separates old entries from new ones. On several machines it does
        # not; there TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 gives each restart a store of its own.
        store, rank, world_size = next(dist.rendezvous("env://", timeout=TIMEOUT))  # type: ignore[attr-defined]
        store = dist.PrefixStore(f"restart-{ranks.restarts}", store)  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=TIMEOUT)
    else:
        dist.init_process_group(backend, timeout=TIMEOUT)
    try:
        yield ranks
    finally:
        dist.destroy_process_group()


def exit_rank(code: int) -> NoReturn:
    """End a rank's process at once: a normal exit of Python can abort in threads of the process group."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
