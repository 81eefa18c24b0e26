"""Steps read as columns: the same fold as line by line, whatever stands between and among them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.runs import reader as event_reader
from core.runs import step_columns as step_blocks
from core.runs.directory import Run
from core.runs.events import Event, to_line
from core.runs.reader import EventReader
from core.runs.state import RunState, fold
from core.runs.step_columns import read_block
from tests.core.support.events_of import control, epoch, finished, started, step

READERS = ["re", "pyarrow"]


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Has even one line read as a block, by one of the two ways, from a file read in pieces of three or four lines."""
    monkeypatch.setattr(step_blocks, "FEW", 0)
    monkeypatch.setattr(event_reader, "MANY", 0 if request.param == "pyarrow" else 10**9)
    monkeypatch.setattr(event_reader, "_PIECE", 700)
    return str(request.param)


def steps_of(count: int, *, first: int = 1) -> list[Event]:
    return [
        step(i, elapsed=0.1 * i, loss=math.exp(-i / 7), accuracy=i % 17 / 16, lr=5e-6, grad_norm=1 / i, tokens=3000 + i)
        for i in range(first, first + count)
    ]


def lines(events: list[Event]) -> bytes:
    return "".join(to_line(event) + "\n" for event in events).encode()


def one_by_one(path: Path) -> RunState:
    own = EventReader(path)
    state = fold(own.read())
    state.skipped_lines = own.skipped
    return state


def at_once(path: Path) -> RunState:
    own, state = EventReader(path), RunState()
    own.fold_into(state)
    state.skipped_lines = own.skipped
    return state


def test_a_block_has_every_column_to_the_bit(reader: str) -> None:
    events = steps_of(50)
    block = read_block(lines(events), with_pyarrow=reader == "pyarrow")
    assert block is not None
    for name in ("step", "loss", "accuracy", "lr", "examples", "tokens", "seconds"):
        assert list(getattr(block, name)) == [getattr(event, name) for event in events], name
    assert block.last == events[-1]
    assert block.elapsed == events[-1].elapsed


ODD = [
    b"",
    b"torn",
    b'{"event": "step"',
    b'{"event": "step", "step": 3}',
    b'{"event": "step"} {',
    b'{"event": "unknown", "step": 3}',
    b'{"event": "steps"}',
    b"[]",
    b"\xff\xfe",
    to_line(step(4, loss=math.nan)).encode(),
    to_line(step(4, loss=math.inf, elapsed=1e-7)).encode(),
    to_line(step(4)).replace('"step": 4', '"step": 4.5').encode(),
    to_line(step(4)).replace('"step": 4', '"step": -4').encode(),
    to_line(step(4)).replace('"step": 4', '"step": 99999999999999999999').encode(),
    to_line(step(4)).replace('"step": 4', '"step": null').encode(),
    to_line(step(4)).replace('"accuracy"', '"more": [1, {"a": 2}], "accuracy"').encode(),
    json.dumps({**json.loads(to_line(step(4))), "time": 1e12}).encode(),
    json.dumps({**json.loads(to_line(step(4))), "elapsed": -1.0}).encode(),
    json.dumps({**json.loads(to_line(step(4))), "lr": "0.5"}).encode(),
    json.dumps({**json.loads(to_line(step(4))), "lr": 1}).encode(),
    to_line(step(4)).replace('"seconds"', '"event": "epoch", "seconds"').encode(),
    to_line(started()).encode(),
    to_line(started(step=3, epochs_done=1, checkpoint="checkpoints/step-3")).encode(),
    to_line(epoch(1, at=3)).encode(),
    to_line(control("pause")).encode(),
    to_line(finished()).encode(),
]


@pytest.mark.usefixtures("reader")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(parts=st.lists(st.one_of(st.integers(1, 5), st.sampled_from(ODD)), max_size=8), cut=st.integers(0, 30))
def test_the_fold_is_that_of_the_lines_one_by_one(
    parts: list[int | bytes], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("run") / "events.jsonl"
    content = b"".join(lines(steps_of(part)) if isinstance(part, int) else part + b"\n" for part in parts)
    path.write_bytes(content[: len(content) - cut] if cut else content)
    assert repr(at_once(path)) == repr(one_by_one(path))  # not ==, which no NaN is


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_one_odd_line_among_steps_costs_no_other(odd: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines([started(), *steps_of(6)]) + odd + b"\n" + lines(steps_of(6, first=7)))
    state = at_once(path)
    assert repr(state) == repr(one_by_one(path))
    assert state.step == 12


@pytest.mark.usefixtures("reader")
def test_what_grows_is_folded_once(tmp_path: Path) -> None:
    path, state = tmp_path / "events.jsonl", RunState()
    own = EventReader(path)
    assert own.fold_into(state) == []
    content = lines([started(), *steps_of(9), epoch(1, at=9), *steps_of(3, first=10)])
    for end in range(0, len(content), 97):
        path.write_bytes(content[:end])
        own.fold_into(state)
    path.write_bytes(content)
    assert own.fold_into(state) == []
    assert state == one_by_one(path)


def test_few_lines_are_not_worth_a_block_and_many_are_read_with_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_block(lines(steps_of(3))) is None
    path, used = tmp_path / "events.jsonl", []
    path.write_bytes(lines(steps_of(2000)))
    for name in ("_with_re", "_with_pyarrow"):
        monkeypatch.setattr(step_blocks, name, lambda *_, name=name: used.append(name))
    at_once(path)
    monkeypatch.setattr(event_reader, "MANY", path.stat().st_size)
    assert at_once(path).step == 2000  # neither has given a block: the lines are then read one by one
    assert used == ["_with_re", "_with_pyarrow"]


def test_a_runs_own_state_is_folded_so(tmp_path: Path) -> None:
    path = tmp_path / "20261125-000000-tiny"
    path.mkdir()
    (path / "events.jsonl").write_bytes(lines([started(), *steps_of(100), finished(at=100)]))
    state = Run(path).state()
    assert (state.step, state.status, len(state.curves["train/loss"].values)) == (100, "completed", 100)
