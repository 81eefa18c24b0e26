"""Events and their fold: the same lines give the same state, whatever is torn, unknown or damaged among them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runs.events import EVENTS, EpochFinished, Event, Progressed, StepLogged, from_line, to_line
from core.runs.reader import EventReader
from core.runs.state import RunState, fold
from tests.core.support.events_of import control, epoch, finished, saved, started, step, warned, whole_run

NUMBERS = st.floats()
COUNTS = st.integers(0, 2**63 - 1)
MOMENTS = st.floats(0.0, 1e11)
STEPS = st.builds(
    StepLogged,
    time=MOMENTS,
    elapsed=MOMENTS,
    step=COUNTS,
    epoch=COUNTS,
    loss=NUMBERS,
    accuracy=NUMBERS,
    lr=NUMBERS,
    grad_norm=NUMBERS,
    examples=COUNTS,
    tokens=COUNTS,
    seconds=NUMBERS,
)


def same(one: Event, other: Event) -> bool:
    """Equality in which NaN equals itself."""
    return type(one) is type(other) and repr(one) == repr(other)


def read_bytes(path: Path, content: bytes) -> tuple[list[Event], int]:
    """What a reader makes of a file of that content, and how many lines it skipped."""
    path.write_bytes(content)
    reader = EventReader(path)
    return reader.read(), reader.skipped


@pytest.mark.parametrize(
    "event",
    [*whole_run(), Progressed(time=1.0, elapsed=0.5, message="loading", done=1, total=2)],
    ids=lambda event: event.name,
)
def test_every_event_survives_the_way_through_a_line(event: Event) -> None:
    line = to_line(event)
    assert "\n" not in line
    assert json.loads(line)["event"] == event.name
    assert from_line(line) == event


def test_the_example_run_has_every_kind_of_event_that_is_kept() -> None:
    assert {event.name for event in whole_run()} == {name for name, kind in EVENTS.items() if kind.kept}


@given(STEPS)
def test_numbers_that_are_not_finite_survive_in_strict_json(event: StepLogged) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    line = to_line(event)
    json.loads(line, parse_constant=refuse)
    assert same(from_line(line), event)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_in_an_event_stays_on_its_line(words: str) -> None:
    line = to_line(warned(words))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert from_line(line) == warned(words)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "7",
        "[]",
        "{}",
        '{"event": "tea_break", "time": 1, "elapsed": 1}',
        '{"event": ["step"]}',
        '{"event": {"a": 1}}',
        '{"event": "warning", "time": 1}',
        '{"event": "warning", "time": "soon", "elapsed": 1, "message": "x"}',
        '{"event": "warning", "time": null, "elapsed": 1, "message": "x"}',
        to_line(warned("x"))[:-1],
        "[" * 100_000,
        '{"event": "warning", "time": 1' + "0" * 400 + ', "elapsed": 1, "message": "x"}',
        '{"event": "warning", "time": 1' + "0" * 5000 + ', "elapsed": 1, "message": "x"}',
    ],
    ids=range(15),
)
def test_a_line_that_is_no_event_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them, since a reader asks no more of it
        from_line(line)


@pytest.mark.parametrize("value", [None, True, "text", [], {}, 1.5])
def test_a_field_of_another_type_is_no_event(value: Any) -> None:
    refused = 0
    for event in whole_run():
        content = json.loads(to_line(event))
        for name in content.keys() - {"event"}:
            try:
                read = from_line(json.dumps({**content, name: value}))
            except ValueError:
                refused += 1
                continue
            optional = "None" in str(type(event).__annotations__.get(name))
            assert optional or type(getattr(read, name)) is type(getattr(event, name))
    assert refused > 20


def test_a_status_that_nobody_knows_is_no_event() -> None:
    with pytest.raises(ValueError, match="'asleep' is no Status"):
        from_line(to_line(finished("asleep")))


@pytest.mark.parametrize(
    "changes",
    [{"time": 1e300}, {"time": "nan"}, {"elapsed": "inf"}, {"elapsed": -1}, {"step": -1}, {"tokens": 10**400}],
    ids=["far", "nan", "inf", "before", "negative", "huge"],
)
def test_a_moment_without_a_date_and_a_count_below_none_are_no_event(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no moment|counts nothing"):
        from_line(json.dumps({**json.loads(to_line(step(1))), **changes}))


def test_an_origin_that_is_not_described_is_no_event() -> None:
    with pytest.raises(ValueError, match="not described"):
        from_line(to_line(started(origins={"reviews": "reviews.csv"})))


def test_a_field_that_a_later_version_adds_is_passed_over() -> None:
    line = json.dumps({**json.loads(to_line(warned("x"))), "colour": "red"})
    assert from_line(line) == warned("x")


def test_the_fold_of_a_whole_run_has_all_that_a_view_shows() -> None:
    state = fold(whole_run())
    assert (state.run, state.preset, state.status) == ("20261124-090000-tiny", "tiny", "completed")
    assert (state.step, state.epoch, state.total_steps, state.elapsed) == (8, 2, 8, 8.0)
    assert state.curves["train/loss"].steps == list(range(1, 9))
    assert state.curves["train/loss"].values == [0.7 - i / 100 for i in range(1, 9)]
    assert state.curves["lr"].values == [1e-3] * 8
    assert state.curves["val/accuracy"].steps == [4, 8]
    assert state.curves["val/accuracy"].values == [0.71, 0.72]
    assert state.curves["val/loss"].last == 0.5
    assert [e.epoch for e in state.epochs] == [1, 2]
    assert state.best_val_accuracy == 0.72
    assert state.samples_per_second == 16.0
    assert state.tokens_per_second == 160.0
    assert state.seconds_left is None
    assert [words for _, words in state.log] == [
        "started on cpu, float32",
        "warning: naïve Übung 🎬",
        "epoch 1: val loss 0.500, accuracy 71.0%",
        "epoch 2: val loss 0.500, accuracy 72.0%",
        "pause at step 1: key p",
        "resume at step 1: key p",
        "saved checkpoints/last",
        "completed: done",
    ]


def test_before_any_event_a_run_is_starting_and_nothing_is_known() -> None:
    state = RunState()
    assert (state.status, state.total_steps) == ("starting", 0)
    assert state.samples_per_second is state.tokens_per_second is state.seconds_left is state.best_val_accuracy is None
    assert all(curve.last is None for curve in state.curves.values())


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([started()], "running"),
        ([started(), control("pause")], "paused"),
        ([started(), control("pause"), control("resume")], "running"),
        ([started(), step(1), control("stop")], "running"),
        ([started(), control("stop"), finished("stopped", at=1)], "stopped"),
        ([warned("x")], "starting"),
        ([finished("failed", at=0, error="no such file")], "failed"),
    ],
)
def test_the_status_follows_the_events(events: list[Event], status: str) -> None:
    assert fold(events).status == status


def test_a_failed_run_tells_its_error_last() -> None:
    assert fold([started(), finished("failed", error="loss is nan")]).log[-1][1] == "failed: loss is nan"


def test_progress_is_told_until_the_next_step() -> None:
    state = fold([Progressed(time=0.0, elapsed=0.1, message="loading reviews")])
    assert state.activity == "loading reviews"
    state.apply(started())
    assert state.activity == ""
    state.apply(Progressed(time=0.0, elapsed=0.1, message="evaluating"))
    state.apply(step(1))
    assert state.activity == ""


def test_time_left_comes_from_the_speed_of_steps_and_evaluations_so_far() -> None:
    state = fold([started(epochs=3, steps=4, validation_examples=24), step(1), step(2)])
    # Ten steps of 0.5 s, and three evaluations of 24 reviews at a third of a training review's 1/16 s.
    assert state.seconds_left == pytest.approx(10 * 0.5 + 3 * 24 / 16 / 3)
    state.apply(step(3))
    state.apply(step(4))
    state.apply(epoch(1, at=4, seconds=3.0))
    assert state.seconds_left == pytest.approx(8 * 0.5 + 2 * (3.0 - 4 * 0.5))


def test_there_is_no_time_left_before_the_first_step_and_after_the_end() -> None:
    assert fold([started()]).seconds_left is None
    assert fold([started(), step(1), finished("stopped", at=1)]).seconds_left is None


def test_steps_without_reviews_tell_no_time_left() -> None:
    assert fold([started(), step(1, examples=0)]).seconds_left is None


def test_a_loss_that_is_no_number_reaches_the_curve() -> None:
    assert math.isnan(fold([started(), step(1, loss=math.nan)]).curves["train/loss"].values[0])


@given(st.integers(0, len(whole_run())))
def test_half_of_the_events_and_then_the_other_half_are_the_whole(cut: int) -> None:
    events = whole_run()
    state = fold(events[:cut])
    for event in events[cut:]:
        state.apply(event)
    assert state == fold(events)


def test_folding_changes_neither_the_events_nor_another_state() -> None:
    events = whole_run()
    first = fold(events)
    second = fold(events)
    second.apply(step(9))
    assert first == fold(events) != second
    assert events == whole_run()


def test_a_log_cut_at_any_byte_shows_everything_that_was_whole_before(tmp_path: Path) -> None:
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


def test_a_log_continued_after_a_cut_at_any_byte_loses_no_more_than_the_torn_line(tmp_path: Path) -> None:
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
def test_one_changed_byte_costs_at_most_two_events_and_raises_nothing(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    events = whole_run()
    content = bytearray(b"".join(to_line(event).encode() + b"\n" for event in events))
    content[at % len(content)] = byte
    read, _ = read_bytes(tmp_path_factory.getbasetemp() / "changed.jsonl", bytes(content))
    assert sum(event in read for event in events) >= len(events) - 2
    fold(read)


def test_a_reader_follows_a_log_that_grows_in_pieces_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    events = whole_run()
    content = b"".join(to_line(event).encode() + b"\n" for event in events)
    read: list[Event] = []
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), 37):
            file.write(content[start : start + 37])
            read += reader.read()
    assert read == events
    assert not reader.torn()


def test_a_reader_without_steps_gives_all_else_and_the_last_step(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = whole_run()
    path.write_text("".join(f"{to_line(event)}\n" for event in events), encoding="utf-8")
    read = EventReader(path, steps=False).read()
    assert [event for event in read if isinstance(event, StepLogged)] == [step(8, epoch=2)]
    assert [event for event in read if not isinstance(event, StepLogged)] == [
        event for event in events if not isinstance(event, StepLogged)
    ]
    assert len([event for event in read if isinstance(event, EpochFinished)]) == 2


def test_a_reader_without_steps_gives_the_last_step_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    damaged = to_line(step(3)).replace('"step": 3', '"step": "3"')
    path.write_text("\n".join([to_line(step(1)), to_line(step(2)), damaged, ""]), encoding="utf-8")
    reader = EventReader(path, steps=False)
    assert (reader.read(), reader.skipped) == ([step(2)], 1)


def test_a_checkpoint_is_logged_with_its_place() -> None:
    assert fold([saved("checkpoints/best")]).log[-1][1] == "saved checkpoints/best"
