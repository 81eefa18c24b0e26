"""A trained model that is ready to score texts, encoded exactly as its training encoded reviews."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from core.config.schema import EngineConfig
from core.data.batches import Examples
from core.engine.device import Engine, choose_engine
from core.errors import InputError
from core.inspection.target import Resolved
from core.inspection.weights import build_model
from core.model.classifier import Classifier
from core.model.unpadded import forward_of
from core.tokenization.encode import Encoding, encode, encode_ids
from core.training.evaluate import evaluate

BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class Scorer:
    """One checkpoint in memory. ``forward`` computes the logits of a batch with the parameters of ``model``."""

    resolved: Resolved
    model: Classifier
    forward: torch.nn.Module
    engine: Engine

    @property
    def name(self) -> str:
        """Name of the target, such as ``20261128-095127-quick@step-180``."""
        return self.resolved.target.name

    @property
    def max_length(self) -> int:
        """Maximum number of tokens of a text, as in training."""
        return min(self.resolved.target.config.data.max_length, self.resolved.encoder.max_position_embeddings)

    def encode(self, text: str, *, max_length: int | None = None) -> Encoding:
        """Encode ``text`` as training does: with or without special tokens, truncated to :attr:`max_length`."""
        specials = self.resolved.target.config.data.add_special_tokens
        most = self.max_length if max_length is None else max_length
        return encode(self.resolved.tokenizer, text, add_special_tokens=specials, max_length=most)

    def rows(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of many texts, encoded and truncated as by training; none is empty."""
        tokenizer, specials = self.resolved.tokenizer, self.resolved.target.config.data.add_special_tokens
        found = encode_ids(tokenizer, texts, add_special_tokens=specials, max_length=self.max_length)
        unknown = tokenizer.token_to_id("[UNK]") or 0
        return [row or [unknown] for row in found]  # as training encodes a review without a token

    def logits(
        self,
        rows: Sequence[list[int]],
        after_batch: Callable[[int], None] = lambda _: None,
        *,
        batch_size: int = BATCH_SIZE,
    ) -> list[float]:
        """The logit of each row of token ids, in the order of ``rows``; no row may be empty.

        Rows of similar length are computed together, without padding. ``after_batch`` is called with the number of
        rows done, and may raise to end the work.
        """
        if not rows:
            return []
        examples = Examples(list(rows), labels=[0] * len(rows), example_ids=list(range(len(rows))))
        return evaluate(self.forward, examples, batch_size, self.engine, after_batch).logits


def load_scorer(resolved: Resolved, engine: EngineConfig | None = None) -> Scorer:
    """Load the weights of a trained target, in float32 unless ``engine`` says otherwise.

    Raises InputError for an untrained model, for a head whose classes are not negative and positive, and as
    :func:`core.inspection.weights.build_model`.
    """
    target = resolved.target
    if target.unusable_head:
        raise InputError(target.unusable_head)
    if target.file is None or target.bare:
        raise InputError(f"{target.name} has no trained head; use a run, RUN@step-300, or an exported folder")
    chosen = choose_engine(engine or EngineConfig(dtype="float32"))
    model = build_model(resolved)
    torch.nn.Module.to(model, chosen.device)
    # evaluate() restores the mode that it finds; a new module is in training mode, and so would be the model's dropout.
    return Scorer(resolved, model, forward_of(model, chosen).eval(), chosen)
