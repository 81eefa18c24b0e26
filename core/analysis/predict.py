"""What a trained model says of texts."""

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
"""Texts that go through the model together."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """``probability`` is that of positive, the sigmoid of the logit; ``full_length`` counts tokens before the cut."""

    text: str
    logit: float
    probability: float
    tokens: int
    full_length: int

    @property
    def label(self) -> str:
        """As accuracy counts it: a logit above 0 is positive."""
        return "positive" if self.logit > 0 else "negative"


def predict(resolved: Resolved, texts: Sequence[str]) -> list[Prediction]:
    """A prediction for each of ``texts``, encoded as the target's reviews are, in float32.

    Raises InputError for a model that nobody has trained, a text without a word, and as
    :func:`core.inspection.weights.build_model`.
    """
    target = resolved.target
    if target.file is None or target.bare:
        raise InputError(f"{target.name} has no trained head; name a run, RUN@step-300, or an exported folder")
    max_length = min(target.config.data.max_length, resolved.encoder.max_position_embeddings)
    specials = target.config.data.add_special_tokens
    encodings = [encode(resolved.tokenizer, text, add_special_tokens=specials, max_length=max_length) for text in texts]
    for number, (text, encoding) in enumerate(zip(texts, encodings, strict=True), start=1):
        if not text.strip() or not encoding.tokens:
            raise InputError(f"text {number} has no word; there is nothing to predict from")
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
