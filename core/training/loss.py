"""The loss and the accuracy of a batch, for training and for validation."""

from __future__ import annotations

import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def classification_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean binary cross-entropy of ``logits`` and ``labels`` (0 or 1), both float32 [reviews]; a scalar."""
    return binary_cross_entropy_with_logits(logits, labels)


def correct_predictions(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """How many reviews are classified correctly, a scalar: a logit above 0 means positive."""
    return ((logits > 0) == (labels > 0.5)).sum()
