"""Which checkpoints a run keeps and when: every so often, after each epoch, at a stop."""

from __future__ import annotations

import time

from core.checkpoints.async_writer import AsyncWriter
from core.checkpoints.format import manifest_of, state_tensors
from core.checkpoints.progress import Progress
from core.checkpoints.rng import generator_states
from core.config.identity import identity
from core.config.schema import RunConfig
from core.engine.device import Engine, engine_facts
from core.engine.distributed import Ranks
from core.runs.directory import Run
from core.runs.events import CheckpointSaved
from core.runs.recorder import Recorder
from core.runs.writer import RunWriter
from core.training.setup import Beginning


class Keeper:
    """Saves the loop's state beside the loop, and tells what came of it. Without a ``writer`` it keeps nothing."""

    def __init__(self, config: RunConfig, run: Run, writer: RunWriter | None, say: Recorder, ranks: Ranks) -> None:
        self._config, self._run, self._writer, self._say, self._ranks = config, run, writer, say, ranks
        self._async = AsyncWriter(run.path / "checkpoints")
        self._last = time.monotonic()

    def is_due(self, at: Progress) -> bool:
        """Whether it is time to save; never while a save is still under way."""
        if self._async.busy or at.step == self._async.last_step:
            return False
        steps, seconds = self._config.train.save_steps, self._config.train.save_seconds
        return bool(steps and at.step % steps == 0) or 0 < seconds <= time.monotonic() - self._last

    def save(self, at: Progress, begun: Beginning, engine: Engine) -> None:
        """Begins to save what has not been; all ranks must come here at the same step."""
        generators = self._ranks.gather([generator_states(engine.device)], self._ranks.world_size)
        if self._writer is None or at.step in (0, self._async.last_step):
            return
        self.collect(wait=True)
        self._last = time.monotonic()
        about = manifest_of(at, engine_facts(engine, self._ranks.world_size), identity(self._config))
        best_step = at.best_step if self._config.train.keep_best else 0
        self._async.start(at.step, state_tensors(begun.model, begun.optimizer, generators), about, best_step=best_step)

    def collect(self, *, wait: bool = False) -> None:
        """Tells what came of a save; ``wait`` waits for one that is under way."""
        saved = self._async.result(wait=wait)
        if saved is None:
            return
        if saved.error is not None:
            self._say.saving_failed("checkpoint", saved.error)
            return
        self._say.saving_works("checkpoint")
        self._say.emit(
            CheckpointSaved(
                **self._say.now(),
                step=saved.step,
                path=str(saved.path.relative_to(self._run.path)),
                bytes=saved.bytes,
                seconds=saved.seconds,
                stall_seconds=saved.stall_seconds,
            )
        )

    def drop(self) -> None:
        """Whatever is being saved shall not appear."""
        self._async.discard()
