"""What is throttle is drawn at once, then no more often than allowed, and what is asked for is never lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual.app import App

from tests.tui.fakes import epoch, finished, progressed, step
from tui.throttle import Throttle, can_wait

PAUSE = 0.2


@pytest.fixture
async def drawings():
    """A throttle drawing in a running app, and what the value was at each time it was drawn."""
    app = App()
    drawn: list[int] = []
    value = [0]
    throttle = Throttle(app, lambda: drawn.append(value[0]), PAUSE)
    async with app.run_test():
        yield throttle, value, drawn


async def test_requests_within_the_interval_are_drawn_once_with_the_latest_state(drawings):
    throttle, value, drawn = drawings
    for value[0] in range(1, 10):
        throttle.soon()
    assert drawn == [1]
    await asyncio.sleep(2 * PAUSE)
    assert drawn == [1, 9]
    await asyncio.sleep(2 * PAUSE)
    assert drawn == [1, 9]


async def test_an_urgent_request_is_drawn_now_together_with_waiting_ones(drawings):
    throttle, value, drawn = drawings
    throttle.soon()
    value[0] = 1
    throttle.soon()
    throttle.now()
    assert drawn == [0, 1]
    await asyncio.sleep(2 * PAUSE)
    assert drawn == [0, 1]


async def test_an_owner_that_does_not_run_draws_nothing():
    drawn: list[int] = []
    Throttle(App(), lambda: drawn.append(1), 0.0).soon()
    assert drawn == []


def test_steps_and_counts_can_wait_and_whatever_else_happens_cannot():
    counting = replace(progressed("validating"), done=16, total=120)
    assert can_wait([step(1), counting, step(2)])
    for other in (progressed("tokenizing"), epoch(1, at=2), finished("completed", at=2)):
        assert not can_wait([step(1), other])
    assert not can_wait([])  # the run was left
