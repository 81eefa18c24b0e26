"""The reviews that a model predicts wrongly, those with the largest loss first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from core.analysis.predictions import Predictions
from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Cell = Literal["tn", "fp", "fn", "tp"]
"""A cell of the confusion matrix: true or false, and the predicted label."""
CELLS: tuple[Cell, ...] = get_args(Cell)


@dataclass(frozen=True, slots=True)
class ListedError:
    """One review of the list, with its prediction."""

    row: int
    """Position of the review in the predictions."""
    id: int
    """Row of the review in its source."""
    label: int
    """1 for positive, 0 for negative."""
    probability: float
    """P(positive) as predicted."""
    loss: float
    """Binary cross-entropy, in nats."""
    text: str
    cell: Cell


def cells(predictions: Predictions) -> NDArray[np.str_]:
    """Return the cell of the confusion matrix of each prediction: ``tn``, ``fp``, ``fn`` or ``tp``."""
    index = 2 * predictions.labels + (predictions.logits > 0)
    return np.array(CELLS)[index]


def errors(
    predictions: Predictions,
    texts: Sequence[str],
    cell: str | None = None,
    *,
    chosen: NDArray[np.bool_] | None = None,
    containing: str = "",
    limit: int | None = None,
) -> list[ListedError]:
    """List the wrong predictions by descending loss; ``texts[i]`` belongs to row i of the predictions.

    ``cell`` restricts the list to one cell of the confusion matrix; tn and tp list correct predictions. ``chosen``
    (bool [n]) restricts it to a slice, ``containing`` to texts with these characters in any case, ``limit`` to the
    first rows. Reviews with equal loss are in the order of their rows. Raises InputError for another cell.
    """
    if cell is not None and cell not in CELLS:
        raise InputError(f"there is no cell {cell!r} in the confusion matrix; cells are {', '.join(CELLS)}")
    of_row = cells(predictions)
    wanted = ~predictions.correct if cell is None else of_row == cell
    if chosen is not None:
        wanted &= chosen
    probabilities, losses = predictions.probabilities, predictions.losses
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(-losses[rows], kind="stable")]
    searched = containing.casefold()
    listed: list[ListedError] = []
    for row in rows.tolist():
        if limit is not None and len(listed) >= limit:
            break
        if searched and searched not in texts[row].casefold():
            continue
        listed.append(
            ListedError(
                row,
                int(predictions.ids[row]),
                int(predictions.labels[row]),
                float(probabilities[row]),
                float(losses[row]),
                texts[row],
                str(of_row[row]),  # type: ignore[arg-type]
            )
        )
    return listed
