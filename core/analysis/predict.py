"""Predict the sentiment of texts with a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.config.schema import EngineConfig
from core.data.batches import Examples
from core.engine.device import choose_engine
from core.errors import InputError
from core.inspection.target import Resolved
from core.inspection.weights import build_model
from core.model.unpadded import forward_of
from core.tokenization.encode import encode
from core.training.evaluate import evaluate

AT_ONCE = 32
"""Batch size."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """``probability`` of positive is the sigmoid of the logit; ``full_length`` is that before truncation, in tokens."""

    text: str
    logit: float
    probability: float
    tokens: int
    full_length: int

    @property
    def label(self) -> str:
        """Positive if the logit is above 0, as for the accuracy."""
        return "positive" if self.logit > 0 else "negative"


def predict(resolved: Resolved, texts: Sequence[str]) -> list[Prediction]:
    """Predict each of ``texts``, encoded like the target's reviews, in float32.

    Raises InputError for an untrained model, an empty text, and as
    :func:`core.inspection.weights.build_model`.
    """
    target = resolved.target
    if target.file is None or target.bare:
        raise InputError(f"{target.name} has no trained head; use a run, RUN@step-300, or an exported folder")
    max_length = min(target.config.data.max_length, resolved.encoder.max_position_embeddings)
    specials = target.config.data.add_special_tokens
    encodings = [encode(resolved.tokenizer, text, add_special_tokens=specials, max_length=max_length) for text in texts]
    for number, (text, encoding) in enumerate(zip(texts, encodings, strict=True), start=1):
        if not text.strip() or not encoding.tokens:
            raise InputError(f"text {number} is empty; enter at least one word")
    engine = choose_engine(EngineConfig(dtype="float32"))
    model = build_model(resolved)
    torch.nn.Module.to(model, engine.device)
    rows = [encoding.input_ids for encoding in encodings]
    examples = Examples(rows, labels=[0] * len(rows), example_ids=list(range(len(rows))))
    logits = evaluate(forward_of(model, engine), examples, AT_ONCE, engine).logits
    probabilities = torch.tensor(logits).sigmoid().tolist()
    return [
        Prediction(text, logit, probability, len(encoding.input_ids), encoding.full_length)
        for text, logit, probability, encoding in zip(texts, logits, probabilities, encodings, strict=True)
    ]
