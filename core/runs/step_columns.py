"""Many steps at once: the lines between two other events of a run, read as columns.

A line at a time, a million steps would take a quarter of a minute. Everything here answers None for lines that are
not exactly as :func:`core.runs.events.to_line` writes them; those are then read one by one.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.runs.events import StepLogged, from_line

if TYPE_CHECKING:
    import pyarrow

FEW = 4096
"""Fewer bytes than this are not worth a block."""
MANY = 16_000_000
"""Where there are so many bytes to read, pyarrow is faster, its import included."""


@dataclass(frozen=True, slots=True)
class StepBlock:
    """Consecutive steps in the order in which they were written; all columns are equally long, and not empty.

    They are arrays: another process may read them and hand them over in one piece.
    """

    step: array[int]
    loss: array[float]
    accuracy: array[float]
    lr: array[float]
    examples: array[int]
    tokens: array[int]
    seconds: array[float]
    elapsed: float
    """The most of all."""
    last: StepLogged


_NUMBER, _COUNT, _MOMENT = rb"-?\d+(?:\.\d+)?(?:e[-+]\d+)?", rb"\d{1,18}", rb"\d{1,10}(?:\.\d+)?"
_LINE = re.compile(
    rb'^\{"event": "step", "time": %(t)s, "elapsed": (%(t)s), "step": (%(i)s), "epoch": %(i)s, "loss": (%(n)s), '
    rb'"accuracy": (%(n)s), "lr": (%(n)s), "grad_norm": %(n)s, "examples": (%(i)s), "tokens": (%(i)s), '
    rb'"seconds": (%(n)s)\}$' % {b"t": _MOMENT, b"i": _COUNT, b"n": _NUMBER},
    re.MULTILINE,
)


def read_block(lines: bytes, *, with_pyarrow: bool = False) -> StepBlock | None:
    """The steps in ``lines``, each of which ends in a newline; None where one of them is not exactly a step."""
    if len(lines) < FEW:
        return None
    try:
        last = from_line(lines[lines.rfind(b"\n", 0, -1) + 1 : -1].decode())
    except ValueError:
        return None
    if not isinstance(last, StepLogged):
        return None
    count = lines.count(b"\n")
    return (_with_pyarrow if with_pyarrow else _with_re)(lines, count, last)


def _with_re(lines: bytes, count: int, last: StepLogged) -> StepBlock | None:
    rows = _LINE.findall(lines)
    if len(rows) != count:
        return None
    elapsed, step, loss, accuracy, lr, examples, tokens, seconds = zip(*rows, strict=True)
    counts = {"step": step, "examples": examples, "tokens": tokens}
    numbers = {"loss": loss, "accuracy": accuracy, "lr": lr, "seconds": seconds}
    columns: dict[str, Any] = {name: array("q", map(int, column)) for name, column in counts.items()}
    columns |= {name: array("d", map(float, column)) for name, column in numbers.items()}
    return StepBlock(**columns, elapsed=max(map(float, elapsed)), last=last)


def _with_pyarrow(lines: bytes, count: int, last: StepLogged) -> StepBlock | None:
    import pyarrow
    from pyarrow import compute, json

    counts = ("step", "epoch", "examples", "tokens")
    numbers = ("time", "elapsed", "loss", "accuracy", "lr", "grad_norm", "seconds")
    types = {"event": pyarrow.string(), **dict.fromkeys(counts, pyarrow.int64())}
    types |= dict.fromkeys(numbers, pyarrow.float64())
    options = json.ParseOptions(explicit_schema=pyarrow.schema(types), unexpected_field_behavior="ignore")
    try:
        table = json.read_json(
            pyarrow.BufferReader(lines), parse_options=options, read_options=json.ReadOptions(block_size=1 << 20)
        )
    except pyarrow.ArrowInvalid:
        return None

    def between(name: str, low: float, high: float) -> bool:
        ends = compute.min_max(table[name]).as_py()
        return bool(low <= ends["min"] and ends["max"] <= high)

    whole = len(table) == count and all(column.null_count == 0 for column in table.columns)
    whole = whole and compute.all(compute.equal(table["event"], "step")).as_py()
    if not whole or not all(between(name, 0, 2**63 - 1) for name in counts):
        return None
    if not (between("time", 0, 1e10) and between("elapsed", 0, 1e10)):
        return None
    wanted = ("step", "loss", "accuracy", "lr", "examples", "tokens", "seconds")
    columns: dict[str, Any] = {name: _values(table[name]) for name in wanted}
    return StepBlock(**columns, elapsed=compute.max(table["elapsed"]).as_py(), last=last)


def _values(column: pyarrow.ChunkedArray) -> array[Any]:
    values: array[Any] = array("q" if column.type == "int64" else "d")
    for chunk in column.chunks:
        values.frombytes(chunk.to_numpy().tobytes())
    return values
