"""Evaluate a checkpoint of a run on other reviews, in a random order, so that it can be stopped and continued."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.analysis.evaluation_data import REST, EvaluationData, file_of, open_data
from core.analysis.predictions import Predictions
from core.analysis.scorer import BATCH_SIZE, Scorer, load_scorer
from core.analysis.stored_evaluations import (
    UNLABELLED,
    StoredEvaluation,
    discard,
    only_evaluation,
    predictions_of,
    require_label,
    same_reviews,
    store,
    stored_evaluation,
)
from core.atomic_write import sha256_of
from core.config.schema import EngineConfig
from core.errors import InputError, Stopped
from core.inspection.target import Resolved, checkpoints
from core.runs.directory import Run

GPU_BATCH_SIZE = 128
STORE_EVERY_S = 20.0
"""How much work is lost at most if the process is killed."""


@dataclass(frozen=True, slots=True)
class EvaluationProgress:
    """How far an evaluation is. ``correct`` of the first ``counted`` reviews are right; None without labels."""

    done: int
    total: int
    counted: int
    correct: int | None
    seconds_left: float | None
    """None before the first batch."""


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What is stored, and its predictions; their labels are -1 if the reviews have none."""

    stored: StoredEvaluation
    predictions: Predictions
    computed: int
    """Number of reviews that were predicted by this call; 0 if all of them were stored already."""
    replaced: str = ""
    """Why a stored evaluation of the same name was not used; empty if there was none."""


OnProgress = Callable[[EvaluationProgress], None]


def evaluate_on(
    resolved: Resolved,
    data: str = REST,
    *,
    limit: int | None = None,
    label: str | None = None,
    on_progress: OnProgress = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> EvaluationResult:
    """Predict the reviews of ``data`` with a checkpoint of a run, and store the predictions with the run.

    ``data`` as for :func:`core.analysis.evaluation_data.open_data`. ``limit`` is the number of reviews to evaluate, all
    of them by default. What is stored under ``label`` is returned, or continued if ``limit`` is larger, unless the data
    or the weights have changed. When ``stop`` returns True the reviews predicted so far are stored and returned; they
    are a random sample. Raises Stopped if there are none, and InputError for a target that is no checkpoint of a run,
    for data that cannot be used, and while another process evaluates the run.
    """
    run, file = _require_checkpoint(resolved)
    if limit is not None and limit < 1:
        raise InputError(f"--limit is {limit}; evaluate at least 1 review")
    if label is not None:
        require_label(label)
    found = open_data(run, data)
    chosen = label or default_label(run, file.parent.name, found.data)
    weights = sha256_of(file)
    wanted = min(limit or len(found.order), len(found.order))
    if stop():
        raise Stopped("stopped before the first reviews were predicted")
    kept, _ = _usable(run, chosen, found, weights)
    if kept is not None and kept.stored.n >= wanted:
        return kept
    with only_evaluation(run):
        kept, replaced = _usable(run, chosen, found, weights)  # another process may have finished it meanwhile
        if kept is not None and kept.stored.n >= wanted:
            return kept
        if kept is None:
            discard(run, chosen)
        scorer = load_scorer(resolved, usable_engine(resolved.target.config.engine))
        work = _Work(run, found, scorer, kept, wanted, on_progress, stop)
        return replace(work.evaluate(chosen, file.parent.name, weights), replaced=replaced)


def _require_checkpoint(resolved: Resolved) -> tuple[Run, Path]:
    target = resolved.target
    if target.run is None or target.file is None or not re.fullmatch(r"step-\d+", target.file.parent.name):
        raise InputError(f"{target.name} is not a checkpoint of a run; an evaluation is stored with its run")
    return target.run, target.file


def default_label(run: Run, checkpoint: str, data: str) -> str:
    """A name for the evaluation of ``data``, with the checkpoint unless that is the newest one.

    Another file of the same name gets a number, so that no evaluation replaces that of other data.
    """
    stem = Path(data).stem if file_of(data) is not None else data
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:50] or "data"
    newest = next(reversed(checkpoints(run)), checkpoint)
    base = f"{base}-{checkpoint}" if checkpoint != newest else base
    for number in range(1, 1000):
        name = base if number == 1 else f"{base}-{number}"
        try:
            if name != "validation" and stored_evaluation(run, name).data == data:
                return name
        except InputError:
            return name
    raise InputError(f"run {run.name} has too many evaluations named {base}; give another --name")


def _usable(run: Run, label: str, found: EvaluationData, weights: str) -> tuple[EvaluationResult | None, str]:
    """What is stored under ``label`` if it is the beginning of this evaluation, else why it is not."""
    try:
        stored = stored_evaluation(run, label)
    except InputError as error:
        return None, str(error) if (run.path / "evaluations" / label / "evaluation.json").exists() else ""
    if stored.weights_sha256 != weights:
        return None, f"the evaluation {label!r} was of other weights ({stored.checkpoint})"
    if stored.data != found.data or not same_reviews(stored.source, found.origin):
        return None, f"the evaluation {label!r} was of other data ({stored.source.get('name')})"
    try:
        predictions = predictions_of(run, stored, labels_required=False)
    except InputError as error:
        return None, str(error)
    ids = found.order[: stored.n]
    if predictions.ids.tolist() != ids or predictions.labels.tolist() != _labels(found, ids):
        return None, f"the evaluation {label!r} was of other reviews"
    return EvaluationResult(stored, predictions, 0), ""


def _labels(found: EvaluationData, ids: list[int]) -> list[int]:
    return [UNLABELLED] * len(ids) if found.labels is None else [found.labels[i] for i in ids]


def usable_engine(config: EngineConfig) -> EngineConfig:
    """The engine as the run is configured, or chosen anew if this machine does not have its device."""
    from core.engine.device import choose_engine

    try:
        choose_engine(config)
    except InputError:
        return EngineConfig(dtype=config.dtype, threads=config.threads)
    return config


def chunk_size(start: int, batch_size: int) -> int:
    """Number of reviews that are computed together from ``start``: two batches at first, then four.

    Reviews of one chunk are computed by length, so only whole chunks are a random sample. A stop loses the last one.
    """
    return min(max(start, 2 * batch_size), 4 * batch_size)


class _Work:
    """The predictions of one evaluation while they are computed."""

    def __init__(
        self,
        run: Run,
        found: EvaluationData,
        scorer: Scorer,
        kept: EvaluationResult | None,
        wanted: int,
        on_progress: OnProgress,
        stop: Callable[[], bool],
    ) -> None:
        self.run, self.found, self.scorer, self.wanted = run, found, scorer, wanted
        self.on_progress, self.stop = on_progress, stop
        self.first = kept.stored.n if kept else 0
        self.logits: list[float] = kept.predictions.logits.tolist() if kept else []
        self.correct = int(kept.predictions.correct.sum()) if kept else 0
        self.seconds_before = kept.stored.seconds if kept else 0.0
        self.batch_size = GPU_BATCH_SIZE if scorer.engine.device.type == "cuda" else BATCH_SIZE
        self.chunk_size = 0
        self.started = time.perf_counter()

    def evaluate(self, label: str, checkpoint: str, weights: str) -> EvaluationResult:
        """Predict chunk by chunk until all are done or a stop is requested, and store what was predicted."""
        stored_at = time.perf_counter()
        with ThreadPoolExecutor(1) as encoder:  # the next chunk is encoded while this one is computed
            encoded = encoder.submit(self._encode, self._chunk(self.first))
            try:
                while len(self.logits) < self.wanted and not (self.logits and self.stop()):
                    rows, start = encoded.result(), len(self.logits)
                    self.chunk_size = len(rows)
                    encoded = encoder.submit(self._encode, self._chunk(start + len(rows)))
                    logits = self.scorer.logits(rows, self._after_batch, batch_size=self.batch_size)
                    self._count(start, logits)
                    if time.perf_counter() - stored_at > STORE_EVERY_S and len(self.logits) < self.wanted:
                        self._store(label, checkpoint, weights)
                        stored_at = time.perf_counter()
            except Stopped:
                if not self.logits:
                    raise
        return self._store(label, checkpoint, weights)

    def _chunk(self, start: int) -> list[int]:
        """The positions of the chunk that begins at ``start``."""
        return self.found.order[start : min(start + chunk_size(start, self.batch_size), self.wanted)]

    def _encode(self, positions: list[int]) -> list[list[int]]:
        return self.scorer.rows([self.found.texts[i] for i in positions])

    def _after_batch(self, done_in_chunk: int) -> None:
        done = len(self.logits) + done_in_chunk
        took = time.perf_counter() - self.started
        left = took / max(done - self.first, 1) * (self.wanted - done)
        correct = None if self.found.labels is None else self.correct
        self.on_progress(EvaluationProgress(done, self.wanted, len(self.logits), correct, left))
        if done_in_chunk < self.chunk_size and self.stop():  # a chunk that is done is counted before the stop
            raise Stopped("stopped before the first reviews were predicted")

    def _count(self, start: int, logits: list[float]) -> None:
        positions = self.found.order[start : start + len(logits)]
        if not np.isfinite(logits).all():
            wrong = positions[int(np.argmin(np.isfinite(logits)))]
            raise InputError(f"{self.scorer.name}: the logit of review {wrong} is NaN or infinite; nothing was stored")
        labels = _labels(self.found, positions)
        self.correct += sum((logit > 0) == (label == 1) for logit, label in zip(logits, labels, strict=True))
        self.logits += logits

    def _store(self, label: str, checkpoint: str, weights: str) -> EvaluationResult:
        found, n, engine = self.found, len(self.logits), self.scorer.engine
        about = StoredEvaluation(
            label=label,
            checkpoint=checkpoint,
            weights_sha256=weights,
            data=found.data,
            source=found.origin,
            n=n,
            usable=len(found.order),
            left_out_training=found.left_out_training,
            left_out_duplicates=found.left_out_duplicates,
            unchecked=found.unchecked,
            labelled=found.labels is not None,
            complete=n >= self.wanted,
            seconds=self.seconds_before + time.perf_counter() - self.started,
            device=str(engine.device),
            dtype=engine.dtype_name,
            created=time.time(),
            bytes=0,
            sha256="",
        )
        ids = found.order[:n]
        stored = store(self.run, about, ids, _labels(found, ids), self.logits)
        predictions = predictions_of(self.run, stored, labels_required=False)
        return EvaluationResult(stored, predictions, n - self.first)
