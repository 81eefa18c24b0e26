"""Many steps at once: consecutive step lines of events.jsonl, parsed into columns by pyarrow.

Parsing a million steps one line at a time takes about 15 seconds, in columns about one. :func:`read_block` returns None
for lines that are not exactly as :func:`core.runs.events.to_line` writes them; the caller then reads them one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.runs.events import StepLogged, from_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEW = 4096
"""Fewer bytes than this are parsed faster one line at a time."""


@dataclass(frozen=True, slots=True)
class StepBlock:
    """Consecutive steps in the order in which they were written; all columns have the same length, at least 1."""

    step: NDArray[np.int64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    lr: NDArray[np.float64]
    examples: NDArray[np.int64]
    tokens: NDArray[np.int64]
    seconds: NDArray[np.float64]
    elapsed: float
    """The largest of all."""
    last: StepLogged

    def seconds_after(self, start: float) -> float:
        """``start`` plus all seconds, added in order, so that the sum rounds as it does step by step."""
        import numpy as np

        return float(np.add.accumulate(np.concatenate(([start], self.seconds)))[-1])


_COUNTS = ("step", "epoch", "examples", "tokens")
_NUMBERS = ("time", "elapsed", "loss", "accuracy", "lr", "grad_norm", "seconds")
_COLUMNS = ("step", "loss", "accuracy", "lr", "examples", "tokens", "seconds")


def read_block(lines: bytes) -> StepBlock | None:
    """The steps in ``lines``, each ending in a newline; None if any line is not exactly a step."""
    import numpy as np
    import pyarrow
    from pyarrow import json

    try:
        last = from_line(lines[lines.rfind(b"\n", 0, -1) + 1 : -1].decode())
    except ValueError:
        return None
    if not isinstance(last, StepLogged):
        return None
    types = {"event": pyarrow.string(), **dict.fromkeys(_COUNTS, pyarrow.int64())}
    types |= dict.fromkeys(_NUMBERS, pyarrow.float64())
    options = json.ParseOptions(explicit_schema=pyarrow.schema(types), unexpected_field_behavior="ignore")
    try:
        table = json.read_json(
            pyarrow.BufferReader(lines), parse_options=options, read_options=json.ReadOptions(block_size=1 << 20)
        )
    except pyarrow.ArrowInvalid:
        return None
    if len(table) != lines.count(b"\n") or any(column.null_count for column in table.columns):
        return None
    if table["event"].unique().to_pylist() != ["step"]:
        return None
    columns: dict[str, Any] = {
        # Not to_numpy(), which imports pandas.
        name: np.concatenate([np.from_dlpack(chunk) for chunk in table[name].chunks])
        for name in (*_COUNTS, *_NUMBERS)
    }
    if any(columns[name].min() < 0 for name in _COUNTS):
        return None
    if not (np.min(columns["elapsed"]) >= 0 and np.max(columns["elapsed"]) <= 1e10):
        return None
    return StepBlock(**{name: columns[name] for name in _COLUMNS}, elapsed=float(columns["elapsed"].max()), last=last)
