"""The list of wrong predictions: order, cells of the confusion matrix, filters."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from core.analysis.errors import CELLS, cells, errors
from core.analysis.predictions import Predictions
from core.errors import InputError

TEXTS = ["a Warm film", "dull", "not warm", "joy", "a bore"]


def some() -> Predictions:
    labels, logits = np.array([1, 0, 0, 1, 1]), np.array([-2.0, 3.0, 1.0, 2.0, 0.0])
    return Predictions("run", "epoch-1", "validation", np.array([10, 11, 12, 13, 14]), labels, logits)


def test_wrong_predictions_are_listed_by_descending_loss() -> None:
    listed = errors(some(), TEXTS)
    assert [one.id for one in listed] == [11, 10, 12, 14]
    assert [one.text for one in listed] == ["dull", "a Warm film", "not warm", "a bore"]
    assert [one.row for one in listed] == [1, 0, 2, 4]
    assert listed[0].loss == pytest.approx(3.048587, abs=1e-6)  # log(1 + exp(3))
    assert listed[0].probability == pytest.approx(0.952574, abs=1e-6)
    assert (listed[0].label, listed[0].cell) == (0, "fp")


def test_the_cells_are_those_of_the_confusion_matrix_of_scikit_learn() -> None:
    one = some()
    expected = confusion_matrix(one.labels, one.logits > 0).ravel().tolist()
    assert [int((cells(one) == cell).sum()) for cell in CELLS] == expected
    assert [len(errors(one, TEXTS, cell)) for cell in CELLS] == expected
    assert [row.id for row in errors(one, TEXTS, "fn")] == [10, 14]
    assert [row.id for row in errors(one, TEXTS, "tp")] == [13]


def test_the_list_is_filtered_by_slice_text_and_number() -> None:
    one = some()
    assert [row.id for row in errors(one, TEXTS, containing="WARM")] == [10, 12]
    assert [row.id for row in errors(one, TEXTS, chosen=np.array([True, False, False, True, True]))] == [10, 14]
    assert [row.id for row in errors(one, TEXTS, limit=2)] == [11, 10]
    assert [row.id for row in errors(one, TEXTS, containing="warm", limit=1)] == [10]


def test_reviews_of_equal_loss_are_listed_in_the_order_of_their_rows() -> None:
    logits = np.array([1.0, 2.0, 1.0, 1.0])
    one = Predictions("run", "epoch-1", "validation", np.arange(4), np.zeros(4, dtype=np.int64), logits)
    assert [row.id for row in errors(one, ["a"] * 4)] == [1, 0, 2, 3]


def test_an_unknown_cell_is_refused() -> None:
    with pytest.raises(InputError, match="no cell 'ff' in the confusion matrix; cells are tn, fp, fn, tp"):
        errors(some(), TEXTS, "ff")


def test_25000_errors_are_listed_in_less_than_a_second() -> None:
    n = 25_000
    logits = np.random.default_rng(0).normal(3.0, 1.0, n).clip(0.1)
    one = Predictions("run", "epoch-1", "rest", np.arange(n), np.zeros(n, dtype=np.int64), logits)
    texts = ["a film " * 200] * n
    start = time.monotonic()
    listed = errors(one, texts, "fp")
    assert time.monotonic() - start < 1
    assert len(listed) == n
    assert [row.loss for row in listed] == sorted((row.loss for row in listed), reverse=True)
