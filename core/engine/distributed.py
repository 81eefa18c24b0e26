"""Several processes that train one run together, started by torchrun: torch's own groups and DistributedDataParallel.

Each batch is dealt out over the ranks; losses are scaled so that the averaged gradient is that of the whole batch.
Everything here does nothing, at no cost, where one process trains alone.
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

PATIENCE = timedelta(minutes=30)
"""A rank waits so long for the others, for example while rank 0 is paused, before it takes them for dead."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process's place among those that train together. Rank 0 writes the run."""

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    restarts: int = 0
    """How often torchrun has started all ranks again."""

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """This rank's part of a batch or data set: every world_size-th, beginning with its own number."""
        return items[self.rank :: self.world_size]

    def gather(self, mine: Sequence[Item], total: int) -> list[Item]:
        """The inverse of :meth:`share`: the parts of all ranks, ``total`` items in their order; the same on each."""
        if self.world_size == 1:
            return list(mine)
        parts: list[Any] = [None] * self.world_size
        dist.all_gather_object(parts, list(mine))  # sync
        return [parts[i % self.world_size][i // self.world_size] for i in range(total)]

    def from_leader(self, value: Item) -> Item:
        """Rank 0's ``value``, on every rank."""
        if self.world_size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)  # sync
        return box[0]

    def sums(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Each value summed over the ranks."""
        return self._reduced(values, device, dist.ReduceOp.SUM)

    def most(self, values: Sequence[float], device: torch.device) -> list[float]:
        """The largest of each value over the ranks: what one of them was asked for, all do."""
        return self._reduced(values, device, dist.ReduceOp.MAX)

    def _reduced(self, values: Sequence[float], device: torch.device, how: Any) -> list[float]:
        if self.world_size == 1:
            return list(values)
        box = torch.tensor(values, dtype=torch.float64, device=device)
        dist.all_reduce(box, op=how)  # sync
        return [float(value) for value in box]

    def meet(self) -> None:
        """Returns once all ranks are here, so that none leaves while another still talks."""
        if self.world_size > 1:
            dist.barrier()  # sync

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The module to call in training: averages gradients over the ranks while they are computed."""
        if self.world_size == 1:
            return model
        return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)

    def exchange(self, model: nn.Module, wanted: bool) -> AbstractContextManager[None]:
        """Within it, backward averages gradients over the ranks where ``wanted``, else adds to this rank's own."""
        return model.no_sync() if isinstance(model, DistributedDataParallel) and not wanted else nullcontext()


@contextmanager
def joined() -> Iterator[Ranks]:
    """The place torchrun gave this process, in a process group that lasts as long as the context; else the only one."""
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
        # The launcher's store outlives a restart with the addresses of dead ranks in it (pytorch#135712). On one
        # machine the count of restarts tells the lives apart; on several it does not, and there torch's own switch,
        # TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1, gives each life a store of its own.
        store, rank, world_size = next(dist.rendezvous("env://", timeout=PATIENCE))  # type: ignore[attr-defined]
        store = dist.PrefixStore(f"life-{ranks.restarts}", store)  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=PATIENCE)
    else:
        dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield ranks
    finally:
        dist.destroy_process_group()


def leave(code: int) -> NoReturn:
    """Ends a rank's process: Python's own way out can abort in threads that the group left, as if it had failed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
