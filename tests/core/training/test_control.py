"""Requests to a run: the more urgent ending wins, each change is made once, and a journal repeats them."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.runs.events import ControlReceived
from core.training.control import Change, Control, Ending, journal_of
from tests.core.support.events_of import moment, started


def changed(step: int, action: str, value: float, reason: str = "requested") -> ControlReceived:
    return ControlReceived(**moment(float(step)), step=step, action=action, reason=reason, value=value)


def test_the_most_urgent_ending_wins_with_its_reason() -> None:
    control = Control()
    assert (control.ending, control.stop_requested) == (Ending.NONE, False)
    control.finish_epoch("tea")
    assert (control.ending, control.stop_requested, control.reason) == (Ending.FINISH_EPOCH, False, "tea")
    control.stop("fire")
    control.finish_epoch("tea again")
    assert (control.ending, control.stop_requested, control.reason) == (Ending.STOP, True, "fire")
    control.discard("flood")
    control.stop("fire again")
    assert (control.ending, control.reason) == (Ending.DISCARD, "flood")


@pytest.mark.parametrize("end", [Control.stop, Control.finish_epoch, Control.discard])
def test_every_ending_ends_a_pause(end: object) -> None:
    control = Control()
    control.pause()
    assert control.pause_requested
    end(control, "now")  # type: ignore[operator]
    assert not control.is_held()


def test_a_change_is_taken_once_and_one_of_the_journal_at_its_step() -> None:
    control = Control()
    control.expect({4: [Change("learning_rate", 1e-4)]})
    control.change(Change("add_epochs", 2))
    assert control.take_changes(3) == [Change("add_epochs", 2)]
    control.change(Change("add_epochs", 1))
    assert control.take_changes(4) == [Change("learning_rate", 1e-4), Change("add_epochs", 1)]
    assert control.take_changes(4) == []


@pytest.mark.parametrize(
    ("action", "value", "message"),
    [
        ("learning_rate", 0.0, "greater than 0"),
        ("learning_rate", 1.5, "at most 1"),
        ("learning_rate", float("nan"), "greater than 0"),
        ("add_epochs", 0, "whole number"),
        ("add_epochs", 1.5, "whole number"),
        ("add_epochs", float("inf"), "whole number"),
        ("explode", 1.0, "unknown change 'explode'"),
    ],
)
def test_an_invalid_change_is_refused(action: str, value: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Change(action, value)


def test_the_journal_has_each_change_at_its_step_without_those_in_the_checkpoint() -> None:
    events = [started(), changed(2, "learning_rate", 1e-4), changed(5, "add_epochs", 1), changed(5, "add_epochs", 1)]
    twice = [Change("add_epochs", 1), Change("add_epochs", 1)]
    assert journal_of(events) == {2: [Change("learning_rate", 1e-4)], 5: twice}
    assert journal_of(events, step=3) == {5: twice}
    assert journal_of(events, step=5) == {5: twice}
    assert journal_of(events, step=5, made=2) == {5: twice[1:]}
    assert journal_of(events, step=5, made=3) == {}


def test_a_change_that_a_resumed_run_repeats_counts_once_and_a_new_one_counts() -> None:
    again = started(step=3, checkpoint="checkpoints/step-3")
    before = [started(), changed(2, "learning_rate", 1e-4), changed(5, "add_epochs", 1)]
    assert journal_of([*before, again]) == journal_of(before)
    events = [*before, again, changed(5, "add_epochs", 1)]
    assert journal_of(events) == journal_of(before)
    assert journal_of([*events, changed(5, "add_epochs", 1)])[5] == [Change("add_epochs", 1)] * 2


def test_a_change_in_the_checkpoint_counts_as_new_when_it_is_requested_again() -> None:
    again = started(step=5, checkpoint="checkpoints/step-5", changes_made=1)
    events = [started(), changed(5, "add_epochs", 1), again, changed(5, "add_epochs", 1)]
    assert journal_of(events)[5] == [Change("add_epochs", 1)] * 2


def test_an_event_with_an_invalid_change_is_not_in_the_journal() -> None:
    assert journal_of([started(), changed(2, "learning_rate", -1.0), changed(3, "add_epochs", 0.5)]) == {}
