"""Loss, accuracy and predictions of a model whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch

from core.config.schema import EngineConfig
from core.data.batches import Batch, Examples
from core.engine.device import choose_engine
from core.errors import Stopped
from core.training.evaluate import evaluate

ENGINE = choose_engine(EngineConfig(device="cpu", dtype="float32", threads=1))
ROWS = [[3], [5, 9], [4], [6], [2]]
EXAMPLES = Examples(ROWS, [0, 1, 1, 1, 0], [10, 11, 12, 13, 14])


class FirstIdMinusFour(torch.nn.Module):
    """The logit of a review is its first id minus 4. Records the mode and the ids of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.modes: list[bool] = []
        self.batches: list[list[list[int]]] = []

    def forward(self, batch: Batch) -> torch.Tensor:
        self.modes.append(self.training)
        self.batches.append([row.tolist() for row in torch.split(batch.input_ids, batch.seqlens)])
        return (batch.input_ids[batch.cu_seqlens[:-1]] - 4).float()


def loss_of(logit: float, label: int) -> float:
    return math.log1p(math.exp(-logit if label else logit))


def test_logits_come_in_the_order_of_the_examples() -> None:
    assert evaluate(FirstIdMinusFour(), EXAMPLES, 2, ENGINE).logits == [-1, 1, 0, 2, -2]


def test_reviews_of_similar_length_are_batched_together() -> None:
    model = FirstIdMinusFour()
    examples = Examples([[1], [2, 2, 2], [3], [4, 4, 4], [5]], [0] * 5, list(range(5)))
    assert evaluate(model, examples, 2, ENGINE).logits == [-3, -2, -1, 0, 1]
    assert model.batches == [[[2, 2, 2], [4, 4, 4]], [[1], [3]], [[5]]]


def test_accuracy_counts_every_example_and_a_logit_of_0_as_negative() -> None:
    assert evaluate(FirstIdMinusFour(), EXAMPLES, 2, ENGINE).accuracy == pytest.approx(4 / 5)


def test_loss_is_the_mean_of_the_batches_means() -> None:
    losses = [loss_of(logit, label) for logit, label in zip([-1, 1, 0, 2, -2], EXAMPLES.labels, strict=True)]
    expected = (sum(losses[:2]) / 2 + sum(losses[2:4]) / 2 + losses[4]) / 3
    assert evaluate(FirstIdMinusFour(), EXAMPLES, 2, ENGINE).loss == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_in_evaluation_mode_only_meanwhile(training: bool) -> None:
    model = FirstIdMinusFour().train(training)
    evaluate(model, EXAMPLES, 2, ENGINE)
    assert model.modes == [False] * 3
    assert model.training is training


def test_after_each_batch_it_reports_how_many_are_done_and_can_be_stopped() -> None:
    done: list[int] = []
    evaluate(FirstIdMinusFour(), EXAMPLES, 2, ENGINE, done.append)
    assert done == [2, 4, 5]

    def leave(_: int) -> None:
        raise Stopped

    model = FirstIdMinusFour()
    with pytest.raises(Stopped):
        evaluate(model, EXAMPLES, 2, ENGINE, leave)
    assert len(model.modes) == 1
    assert model.training
