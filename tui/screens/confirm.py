"""Modal questions: one that is answered with a single key, and one that asks for a line of text."""

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
    """Dismisses with the key of the chosen answer; escape answers ``n``."""

    def __init__(self, question: str, answers: dict[str, str]) -> None:
        super().__init__()
        self._question, self._answers = question, answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            for key, label in self._answers.items():
                yield Button(f"{key}  {label}", id=f"answer-{key}", compact=True)

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


def message_of(check: Callable[[str], object]) -> Callable[[str], str]:
    """Turn a ``check`` that raises InputError into one that returns its message, as :class:`AskText` needs it."""

    def problem(answer: str) -> str:
        try:
            check(answer)
        except InputError as error:
            return str(error)
        return ""

    return problem


class AskText(ModalScreen[str]):
    """Asks for one line of text; escape dismisses with an empty string.

    ``check`` returns the problem with an answer, or an empty string. With a problem, the question stays open.
    """

    def __init__(self, question: str, value: str = "", *, check: Callable[[str], str] = lambda _: "") -> None:
        super().__init__()
        self._question, self._value, self._check = question, value, check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self._question, markup=False)
            yield Input(self._value, id="answer")
            yield Static(id="problem", markup=False)
            yield Label("enter accepts · escape cancels", classes="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one("#problem").display = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if problem := self._check(event.value.strip()):
            line = self.query_one("#problem", Static)
            line.display = True
            line.update(f"✗ {printable(problem)}")
        else:
            self.dismiss(event.value.strip())

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss("")
