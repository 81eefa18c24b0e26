"""Keys are told as they come, an escape alone once it is known to be one, and the reader sleeps meanwhile."""

from __future__ import annotations

import os
import queue
import selectors
import threading
import time

import pytest
from textual import constants
from textual.events import Key

from tui.textual_private.keyboard import WakingEvent, read_keys

DEADLINE_S = 10.0


class Keyboard:
    """A reader at one end of a pipe, and what it tells."""

    def __init__(self) -> None:
        self.out, self._in = os.pipe()
        self.told: queue.Queue[Key] = queue.Queue()
        self.leave = WakingEvent()
        self.thread = threading.Thread(target=read_keys, args=(self.out, self.told.put, self.leave))
        self.thread.start()

    def type(self, data: bytes) -> None:
        os.write(self._in, data)

    def key(self) -> str:
        return self.told.get(timeout=DEADLINE_S).key

    def close(self) -> None:
        os.close(self._in)

    def end(self) -> None:
        self.leave.set()
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()
        os.close(self.out)


@pytest.fixture
def keyboard():
    keyboard = Keyboard()
    yield keyboard
    keyboard.end()


def test_keys_are_told_in_their_order_also_those_of_many_bytes(keyboard):
    keyboard.type("aé\x1b[A\r".encode())
    assert [keyboard.key() for _ in range(4)] == ["a", "é", "up", "enter"]


def test_a_character_may_come_in_two_parts(keyboard):
    first, second = "é".encode()[:1], "é".encode()[1:]
    keyboard.type(first)
    time.sleep(0.05)
    assert keyboard.told.empty()
    keyboard.type(second)
    assert keyboard.key() == "é"


def test_an_escape_alone_is_told_when_nothing_has_followed_for_so_long_and_not_before(keyboard):
    keyboard.type(b"a")
    keyboard.key()
    began = time.monotonic()
    keyboard.type(b"\x1b")
    assert keyboard.key() == "escape"
    assert time.monotonic() - began >= constants.ESCAPE_DELAY
    keyboard.type(b"\x1b")
    keyboard.type(b"[B")
    assert keyboard.key() == "down"


def test_it_sleeps_until_a_key_comes(monkeypatch):
    waits = []

    class Selector(selectors.SelectSelector):
        def select(self, timeout=None):
            waits.append(timeout)
            return super().select(timeout)

    monkeypatch.setattr("selectors.SelectSelector", Selector)
    keyboard = Keyboard()
    keyboard.type(b"a")
    keyboard.key()
    keyboard.type(b"\x1b")
    assert keyboard.key() == "escape"
    keyboard.end()
    assert waits[:2] == [None, None]
    assert 0 < waits[2] <= constants.ESCAPE_DELAY
    assert waits[3:] == [None]


def test_a_terminal_that_is_gone_is_not_read_again_and_the_reader_can_still_be_ended():
    keyboard = Keyboard()
    keyboard.close()
    began = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - began < 0.1
    keyboard.end()
    assert keyboard.told.empty()


def test_the_sign_to_leave_can_be_given_again_and_taken_back():
    leave = WakingEvent()
    leave.set()
    leave.set()
    assert leave.is_set()
    leave.clear()
    leave.clear()
    assert not leave.is_set()
    assert os.get_blocking(leave.fileno())
