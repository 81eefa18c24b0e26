"""Questions that are answered with one key, and the question for a name."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.widgets import Button

from tests.tui.screen_text import screen_text
from tui.screens.confirm import Ask, AskText


class Stage(App[None]):
    """An empty application that keeps what a screen answers."""

    def __init__(self, screen):
        super().__init__()
        self.answers = []
        self._asked = screen

    def on_mount(self):
        self.push_screen(self._asked, self.answers.append)


def question():
    return Ask("Drop everything?", {"y": "drop it", "w": "later", "n": "keep it"})


@pytest.mark.parametrize(("key", "answer"), [("y", "y"), ("w", "w"), ("n", "n"), ("escape", "n")])
async def test_one_key_answers_and_escape_is_no(key, answer):
    app = Stage(question())
    async with app.run_test() as pilot:
        await pilot.press(key)
        assert app.answers == [answer]


async def test_a_key_that_is_no_answer_leaves_the_question_open():
    app = Stage(question())
    async with app.run_test() as pilot:
        await pilot.press("z", "5", "q")
        assert app.answers == []
        await pilot.press("n")
        assert app.answers == ["n"]


async def test_the_question_names_what_it_will_do_and_every_answer():
    app = Stage(question())
    async with app.run_test() as pilot:
        await pilot.pause()
        text = screen_text(app)
    for answer in ("Drop everything?", "drop it", "later", "keep it"):
        assert answer in text


async def test_the_mouse_answers_as_well():
    app = Stage(question())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.click(list(app.screen.query(Button))[1])
        await pilot.pause()
        assert app.answers == ["w"]


async def test_arrows_choose_an_answer_and_enter_gives_it():
    app = Stage(question())
    async with app.run_test() as pilot:
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.answers == ["w"]


async def test_a_name_is_given_without_blanks_around_it_and_escape_gives_none():
    app = Stage(AskText("Name", "mine"))
    async with app.run_test() as pilot:
        await pilot.press("end", "space", "2", "space", "enter")
        assert app.answers == ["mine 2"]
    app = Stage(AskText("Name", "mine"))
    async with app.run_test() as pilot:
        await pilot.press("escape")
        assert app.answers == [""]
