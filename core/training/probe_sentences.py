"""Probe sentences: a user's sentences that are scored while a run trains, to watch what the model learns."""

from __future__ import annotations

import time

from core.config.schema import RunConfig
from core.data.batches import encode_examples
from core.data.reviews import Review
from core.runs.events import ProbesScored
from core.runs.recorder import Recorder
from core.training.live_scoring import score
from core.training.setup import Setup


class Probes:
    """Scores ``train.probe_sentences``, encoded like the reviews, without changing what training does."""

    def __init__(self, config: RunConfig, setup: Setup, recorder: Recorder) -> None:
        sentences = [Review(sentence, 0) for sentence in config.train.probe_sentences]
        examples = encode_examples(sentences, range(len(sentences)), setup.source.tokenizer, config.data)
        self._rows, self._every = examples.input_ids, config.train.probe_steps
        self._setup, self._recorder = setup, recorder

    def after_step(self, step: int, epoch: int) -> None:
        """Score after every ``train.probe_steps`` steps."""
        if self._is_due(step):
            self._score(step, epoch)

    def after_epoch(self, step: int, epoch: int) -> None:
        """Score after an epoch, unless its last step was scored already."""
        if not self._is_due(step):
            self._score(step, epoch)

    def at_start(self) -> None:
        """Score the model before its first step."""
        self._score(0, 1)

    def _is_due(self, step: int) -> bool:
        return bool(self._every) and step % self._every == 0

    def _score(self, step: int, epoch: int) -> None:
        if not self._rows:
            return
        start = time.monotonic()
        logits = score(self._setup, self._rows)
        seconds = time.monotonic() - start
        self._recorder.emit(
            ProbesScored(**self._recorder.now(), step=step, epoch=epoch, logits=logits, seconds=seconds)
        )
