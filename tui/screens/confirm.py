"""A question that is answered with one key."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from core.errors import InputError
from core.formatting import printable


class Ask(ModalScreen[str]):
    """Dismisses with the key of the answer chosen; escape is ``n``."""

    def __init__(self, question: str, answers: dict[str, str]) -> None:
        super().__init__()
        self._question, self._answers = question, answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            for key, words in self._answers.items():
                yield Button(f"{key}  {words}", id=f"answer-{key}", compact=True)

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss("n")
        elif event.character in self._answers:
            event.stop()
            self.dismiss(event.character)
        elif event.key in ("down", "up"):
            event.stop()
            (self.focus_next if event.key == "down" else self.focus_previous)()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss((event.button.id or "answer-n").removeprefix("answer-"))


def words_of(check: Callable[[str], object]) -> Callable[[str], str]:
    """``check`` as :class:`AskName` wants it: what it raises as InputError, in words, nothing where it raises none."""

    def words(answer: str) -> str:
        try:
            check(answer)
        except InputError as error:
            return str(error)
        return ""

    return words


class AskName(ModalScreen[str]):
    """Asks for one line of text; escape dismisses with an empty one.

    ``check`` says what is wrong with an answer, in words; the question then stays, and so does what was typed.
    """

    def __init__(self, question: str, value: str = "", *, check: Callable[[str], str] = lambda _: "") -> None:
        super().__init__()
        self._question, self._value, self._check = question, value, check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._question)
            yield Input(self._value, id="name")
            yield Static(id="wrong", markup=False)
            yield Label("enter takes it · escape leaves", classes="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one("#wrong").display = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if wrong := self._check(event.value.strip()):
            line = self.query_one("#wrong", Static)
            line.display = True
            line.update(f"✗ {printable(wrong)}")
        else:
            self.dismiss(event.value.strip())

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss("")
