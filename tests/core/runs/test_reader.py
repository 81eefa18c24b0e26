"""Reading the events of a run: all, while it grows, or without steps, and with torn, unknown or damaged lines."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.runs import reader as reader_module
from core.runs.directory import Run
from core.runs.events import Event, ProbesScored, StepLogged, to_line
from core.runs.reader import RunReader
from core.runs.state import RunState, fold
from core.runs.step_columns import StepBlock
from tests.core.support.events_of import control, epoch, finished, probes, started, step, whole_run


def read_bytes(path: Path, content: bytes) -> tuple[list[Event], int]:
    """Read a file with that content. Returns the events, and the number of skipped lines."""
    path.write_bytes(content)
    reader = RunReader(Run(path.parent), steps="each")
    return list(reader.read().events), reader.skipped_lines(is_live=True)


def test_all_complete_lines_of_a_log_cut_at_any_byte_are_read(tmp_path: Path) -> None:
    events = whole_run(epochs=1, steps=2)
    lines = [to_line(event).encode() + b"\n" for event in events]
    content = b"".join(lines)
    ends = [sum(map(len, lines[: i + 1])) for i in range(len(lines))]
    for cut in range(len(content) + 1):
        read, skipped = read_bytes(tmp_path / "events.jsonl", content[:cut])
        whole = sum(end <= cut for end in ends)
        assert read == events[:whole]
        assert skipped == 0
        assert fold(read).step == max((e.step for e in events[:whole] if isinstance(e, StepLogged)), default=0)


def test_a_log_continued_after_a_cut_at_any_byte_loses_only_the_torn_line(tmp_path: Path) -> None:
    first, torn, last = started(), step(1), finished("stopped", at=1)
    line = to_line(torn).encode()
    for cut in range(1, len(line)):
        content = b"\n".join([to_line(first).encode(), line[:cut], to_line(last).encode(), b""])
        assert read_bytes(tmp_path / "events.jsonl", content) == ([first, last], 1)


@pytest.mark.parametrize(
    "damage",
    [b"", b"\0" * 512, b"\xff\xfe\x80", b'{"event": "tea_break", "time": 1, "elapsed": 1}', b"null", b"[" * 99999],
    ids=["blank", "zeros", "no-utf8", "unknown", "null", "nested"],
)
def test_a_damaged_line_in_the_middle_is_skipped_and_counted(tmp_path: Path, damage: bytes) -> None:
    events = whole_run()
    lines = [to_line(event).encode() for event in events]
    for at in range(1, len(lines)):
        content = b"\n".join([*lines[:at], damage, *lines[at:], b""])
        assert read_bytes(tmp_path / "events.jsonl", content) == (events, 1)


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_one_changed_byte_loses_at_most_two_events_and_raises_no_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    events = whole_run()
    content = bytearray(b"".join(to_line(event).encode() + b"\n" for event in events))
    content[at % len(content)] = byte
    read, _ = read_bytes(tmp_path_factory.getbasetemp() / "events.jsonl", bytes(content))
    assert sum(event in read for event in events) >= len(events) - 2
    fold(read)


def test_a_reader_follows_a_log_that_grows_in_pieces_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = RunReader(Run(tmp_path), steps="each")
    assert reader.read().events == []
    events = whole_run()
    content = b"".join(to_line(event).encode() + b"\n" for event in events)
    read: list[Event] = []
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), 37):
            file.write(content[start : start + 37])
            read += reader.read().events
    assert read == events
    assert reader.skipped_lines(is_live=False) == 0


def test_a_reader_without_steps_gives_all_other_events_and_the_last_step_before_each(tmp_path: Path) -> None:
    events = whole_run()
    (tmp_path / "events.jsonl").write_text("".join(f"{to_line(event)}\n" for event in events), encoding="utf-8")
    read = RunReader(Run(tmp_path), steps="last").read().events
    assert [event for event in read if isinstance(event, StepLogged)] == [step(4), step(8, epoch=2)]
    assert [event for event in read if not isinstance(event, StepLogged)] == [
        event for event in events if not isinstance(event, (StepLogged, ProbesScored))
    ]


def test_a_reader_without_steps_gives_the_last_readable_step(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    damaged = to_line(step(3)).replace('"step": 3', '"step": "3"')
    path.write_text("\n".join([to_line(step(1)), to_line(step(2)), damaged, ""]), encoding="utf-8")
    update = RunReader(Run(tmp_path), steps="last").read()
    assert (update.events, update.skipped_lines) == ([step(2)], 1)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the reader take pieces of three or four lines, and read even one step as a block."""
    monkeypatch.setattr(reader_module, "FEW", 0)
    monkeypatch.setattr(reader_module, "MANY", 0)
    monkeypatch.setattr(reader_module, "_PIECE", 700)


def steps_of(count: int, *, first: int = 1) -> list[Event]:
    return [
        step(i, elapsed=0.1 * i, loss=math.exp(-i / 7), accuracy=i % 17 / 16, lr=5e-6, grad_norm=1 / i, tokens=3000 + i)
        for i in range(first, first + count)
    ]


def lines(events: list[Event]) -> bytes:
    return "".join(to_line(event) + "\n" for event in events).encode()


def one_by_one(run: Run) -> RunState:
    state = run.unread_state()
    state.update(RunReader(run, steps="each").read())
    return state


def in_columns(run: Run) -> RunState:
    return run.state()


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
    to_line(probes(4)).encode(),
    to_line(probes(4)).replace("[", "[true, ").encode(),
    b'{"event": "probes"',
    to_line(started()).encode(),
    to_line(started(step=3, epochs_done=1, checkpoint="checkpoints/step-3")).encode(),
    to_line(epoch(1, at=3)).encode(),
    to_line(control("pause")).encode(),
    to_line(finished()).encode(),
]


@pytest.mark.usefixtures("small_pieces")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(parts=st.lists(st.one_of(st.integers(1, 5), st.sampled_from(ODD)), max_size=8), cut=st.integers(0, 30))
def test_reading_in_blocks_gives_the_same_state_as_reading_line_by_line(
    parts: list[int | bytes], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = Run(tmp_path_factory.mktemp("run"))
    content = b"".join(lines(steps_of(part)) if isinstance(part, int) else part + b"\n" for part in parts)
    run.events_path.write_bytes(content[: len(content) - cut] if cut else content)
    assert repr(in_columns(run)) == repr(one_by_one(run))  # not ==, which no NaN is


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_one_unreadable_line_among_steps_loses_no_other_step(odd: bytes, tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.events_path.write_bytes(lines([started(), *steps_of(6)]) + odd + b"\n" + lines(steps_of(6, first=7)))
    state = in_columns(run)
    assert repr(state) == repr(one_by_one(run))
    assert state.step == 12


@pytest.mark.usefixtures("small_pieces")
def test_appended_events_are_read_once(tmp_path: Path) -> None:
    run, state = Run(tmp_path), RunState()
    reader = RunReader(run)
    assert reader.read().parts == []
    content = lines([started(), *steps_of(9), epoch(1, at=9), *steps_of(3, first=10)])
    for end in range(0, len(content), 97):
        run.events_path.write_bytes(content[:end])
        state.update(reader.read())
    run.events_path.write_bytes(content)
    state.update(reader.read())
    assert reader.read().parts == []
    assert state == one_by_one(run)


def test_probes_among_steps_are_read_in_blocks_and_left_out_of_a_list_of_runs(tmp_path: Path) -> None:
    run = Run(tmp_path)
    events = [started(probe_sentences=["a", "b"])]
    for first in range(1, 6001, 20):
        events += [*steps_of(20, first=first), probes(first + 19)]
    run.events_path.write_bytes(lines(events))
    parts = list(RunReader(run).parts())
    assert sum(isinstance(part, StepBlock) for part in parts) == 1
    assert run.state() == one_by_one(run)
    assert list(run.state().probes[0].steps) == list(range(20, 6001, 20))
    assert [type(part) for part in RunReader(run, steps="last").parts()] == [type(events[0]), StepLogged]


def test_a_long_run_is_read_in_blocks_and_has_the_state_of_its_lines(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.events_path.write_bytes(lines([started(), *steps_of(6000), finished(at=6000)]))
    assert any(isinstance(part, StepBlock) for part in RunReader(run).parts())
    assert run.state() == one_by_one(run)
