"""The columns that are parsed from a block of step lines are bit-identical to those of its lines."""

from __future__ import annotations

import math

from core.runs.events import Event, to_line
from core.runs.step_columns import read_block
from tests.core.support.events_of import step


def test_the_columns_of_a_block_are_bit_identical_to_its_lines() -> None:
    events: list[Event] = [
        step(i, elapsed=0.1 * i, loss=math.exp(-i / 7), accuracy=i % 17 / 16, grad_norm=1 / i, tokens=3000 + i)
        for i in range(1, 51)
    ]
    block = read_block("".join(to_line(event) + "\n" for event in events).encode())
    assert block is not None
    for name in ("step", "loss", "accuracy", "lr", "examples", "tokens", "seconds"):
        assert getattr(block, name).tolist() == [getattr(event, name) for event in events], name
    assert block.last == events[-1]
    assert block.elapsed == events[-1].elapsed
