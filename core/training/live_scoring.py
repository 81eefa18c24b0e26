"""Score texts with the model of a live run, between two steps, without changing what training does afterwards.

Scoring draws no random numbers, computes no gradients, and leaves each module in its mode, as validation does.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.data.batches import Examples
from core.errors import InputError
from core.training.evaluate import evaluate
from core.training.setup import Setup

BATCH_SIZE = 16


def score(setup: Setup, rows: Sequence[Sequence[int]]) -> list[float]:
    """The logit of each row of token ids, in evaluation mode.

    Raises InputError for a row that the model cannot read: a GPU that reads beyond an embedding ends the whole process.
    """
    if not rows:
        return []
    config = setup.model.config
    for row in rows:
        if not 1 <= len(row) <= config.max_position_embeddings:
            raise InputError(
                f"a text has {len(row)} tokens; this model reads 1 to {config.max_position_embeddings}; shorten it"
            )
        if not 0 <= min(row) <= max(row) < config.vocab_size:
            raise InputError("a token id is not in the model's vocabulary; use the run's own tokenizer")
    examples = Examples([list(row) for row in rows], [0] * len(rows), list(range(len(rows))))
    return evaluate(setup.forward, examples, BATCH_SIZE, setup.engine).logits
