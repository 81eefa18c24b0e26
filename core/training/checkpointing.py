"""When a run saves a checkpoint: at intervals, after each epoch, and at a stop."""

from __future__ import annotations

import time

from core.checkpoints.async_writer import AsyncWriter
from core.checkpoints.format import manifest_of, state_tensors
from core.checkpoints.progress import Progress
from core.checkpoints.rng import generator_states
from core.config.identity import identity
from core.config.schema import RunConfig
from core.engine.distributed import Ranks
from core.engine.environment import engine_facts
from core.runs.directory import Run
from core.runs.events import CheckpointSaved
from core.runs.recorder import Recorder
from core.runs.writer import RunWriter
from core.training.setup import Setup
from core.training.train_logits import NAME, TrainLogits

FIRST_SAVE_S = 60.0
"""The first checkpoint of a run is saved after this many seconds, if ``train.save_seconds`` is longer."""


class Checkpointing:
    """Saves checkpoints in the background and records the result. Without a ``writer`` nothing is saved."""

    def __init__(self, config: RunConfig, run: Run, writer: RunWriter | None, recorder: Recorder, ranks: Ranks) -> None:
        self._config, self._run, self._writer, self._recorder, self._ranks = config, run, writer, recorder, ranks
        self._async = AsyncWriter(run.path / "checkpoints")
        self._last = time.monotonic()
        self._has_saved = False
        self._resumed_from: Progress | None = None

    def resume_from(self, progress: Progress) -> None:
        """Do not save ``progress`` again: the run resumes from a checkpoint of it."""
        self._resumed_from, self._has_saved = progress, True

    def is_due(self, progress: Progress) -> bool:
        """Whether it is time to save; never before the first step or during another save."""
        if progress.step == 0:
            self._last = time.monotonic()  # reading the reviews and the model does not count
        if progress.step == 0 or self._async.busy or self._is_saved(progress):
            return False
        steps, seconds = self._config.train.save_steps, self._config.train.save_seconds
        if not self._has_saved:
            seconds = min(seconds, FIRST_SAVE_S)
        return bool(steps and progress.step % steps == 0) or 0 < seconds <= time.monotonic() - self._last

    def save(self, progress: Progress, setup: Setup, train_logits: TrainLogits) -> None:
        """Start to save this step, unless it is saved already. All ranks must call this at the same step."""
        engine = setup.engine
        generators = self._ranks.gather([generator_states(engine.device)], self._ranks.world_size)
        logits = train_logits.all_ranks()
        if self._writer is None or progress.step == 0 or self._is_saved(progress):
            return
        self.collect(wait=True)
        self._last, self._has_saved = time.monotonic(), True
        about = manifest_of(progress, engine_facts(engine, self._ranks.world_size), identity(self._config))
        best_step = progress.best_step if self._config.train.keep_best else 0
        files = state_tensors(setup.model, setup.optimizer, generators, {NAME: logits})
        self._async.start(progress.step, files, about, best_step=best_step)

    def _is_saved(self, progress: Progress) -> bool:
        return progress.step == self._async.last_step or progress == self._resumed_from

    def collect(self, *, wait: bool = False) -> None:
        """Record the result of a finished save; ``wait`` waits for one that is running."""
        saved = self._async.result(wait=wait)
        if saved is None:
            return
        if saved.error is not None:
            self._recorder.saving_failed("checkpoint", saved.error)
            return
        self._recorder.saving_works("checkpoint")
        self._recorder.emit(
            CheckpointSaved(
                **self._recorder.now(),
                step=saved.step,
                path=str(saved.path.relative_to(self._run.path)),
                bytes=saved.bytes,
                seconds=saved.seconds,
                stall_seconds=saved.stall_seconds,
            )
        )

    def discard(self) -> None:
        """Cancel a running save: no checkpoint of it appears."""
        self._async.discard()
