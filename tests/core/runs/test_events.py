"""An event that is written as a line is read back equal, and a line that is not an event is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.formatting import clock
from core.runs.events import EVENTS, Event, Progressed, StepLogged, from_line, to_line
from tests.core.support.events_of import finished, started, step, warned, whole_run

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


@pytest.mark.parametrize(
    "event",
    [*whole_run(), Progressed(time=1.0, elapsed=0.5, message="loading", done=1, total=2)],
    ids=lambda event: event.name,
)
def test_every_event_written_as_a_line_is_read_back_equal(event: Event) -> None:
    line = to_line(event)
    assert "\n" not in line
    assert json.loads(line)["event"] == event.name
    assert from_line(line) == event


def test_the_example_run_has_every_kind_of_stored_event() -> None:
    assert {event.name for event in whole_run()} == {name for name, kind in EVENTS.items() if kind.stored}


@given(STEPS)
def test_numbers_that_are_not_finite_are_written_as_valid_json_and_read_back(event: StepLogged) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    line = to_line(event)
    json.loads(line, parse_constant=refuse)
    assert same(from_line(line), event)


@given(st.text(st.characters(exclude_categories=())))
def test_an_event_with_any_text_is_one_line(text: str) -> None:
    line = to_line(warned(text))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert from_line(line) == warned(text)


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
def test_a_line_that_is_not_an_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them, since a reader asks no more of it
        from_line(line)


@pytest.mark.parametrize("value", [None, True, "text", [], {}, 1.5])
def test_a_field_of_another_type_is_refused(value: Any) -> None:
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


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(ValueError, match="'asleep' is not a Status"):
        from_line(to_line(finished("asleep")))


@pytest.mark.parametrize(
    "changes",
    [{"elapsed": "nan"}, {"elapsed": "inf"}, {"elapsed": -1}, {"step": -1}, {"tokens": 10**400}],
    ids=["nan", "inf", "before", "negative", "huge"],
)
def test_invalid_elapsed_seconds_and_a_negative_count_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"out of range|not a count"):
        from_line(json.dumps({**json.loads(to_line(step(1))), **changes}))


@pytest.mark.parametrize("when", [-1e10, 1e300, "inf", "nan"])
def test_an_event_of_a_wrong_clock_is_read_and_its_time_can_be_shown(when: Any) -> None:
    event = from_line(json.dumps({**json.loads(to_line(step(1))), "time": when}))
    assert event.elapsed == step(1).elapsed
    assert len(clock(event.time)) == len("--:--:--")


def test_an_incomplete_origin_is_refused() -> None:
    with pytest.raises(ValueError, match="not an object"):
        from_line(to_line(started(origins={"reviews": "reviews.csv"})))


def test_a_field_of_a_later_version_is_ignored() -> None:
    line = json.dumps({**json.loads(to_line(warned("x"))), "colour": "red"})
    assert from_line(line) == warned("x")
