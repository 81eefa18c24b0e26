"""Predict the sentiment of texts with a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.analysis.scorer import load_scorer
from core.errors import InputError
from core.inspection.target import Resolved


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

    Raises InputError for an empty text, and as :func:`core.analysis.scorer.load_scorer`.
    """
    scorer = load_scorer(resolved)
    encodings = [scorer.encode(text) for text in texts]
    for number, (text, encoding) in enumerate(zip(texts, encodings, strict=True), start=1):
        if not text.strip() or not encoding.tokens:
            raise InputError(f"text {number} is empty; enter at least one word")
    logits = scorer.logits([encoding.input_ids for encoding in encodings])
    probabilities = torch.tensor(logits).sigmoid().tolist()
    return [
        Prediction(text, logit, probability, len(encoding.input_ids), encoding.full_length)
        for text, logit, probability, encoding in zip(texts, logits, probabilities, encodings, strict=True)
    ]
