"""A console under test: keys go in, the text on the screen comes out, and no thread outlives its test."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from core.config.schema import RunConfig
from tests.tui.fakes import FakeTrainer, write_checkpoint
from tests.tui.screen_text import screen_strips, screen_text
from tui.app import ImdbTui

DEADLINE_S = 15.0
PLAN = {
    "tokenizer": "small vocabulary, embedded",
    "weights": "randomly initialized",
    "reviews": "synthetic reviews (no Hub)",
}


class Driver:
    """Presses keys, and reads the screen."""

    def __init__(self, app: ImdbTui, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot
        self.notices: list[str] = []
        notify = app.notify

        def record(message: str, **options: Any) -> None:
            self.notices.append(message)
            notify(message, **options)

        app.notify = record  # type: ignore[method-assign]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def paste(self, text: str) -> None:
        assert self.app.focused is not None
        self.app.focused.post_message(Paste(text))
        await self.pilot.pause()

    def strips(self) -> list[Any]:
        """The lines of segments that would go to the terminal."""
        return screen_strips(self.app)

    def text(self) -> str:
        return screen_text(self.app)

    def lines(self, text: str) -> list[str]:
        return [line for line in self.text().splitlines() if text in line]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < end, f"{what} did not come; the screen is\n{self.text()}\n{self.notices}"
            await self.pilot.pause(0.01)

    async def see(self, *texts: str) -> None:
        """Wait until all ``texts`` are on the screen."""
        for each in texts:
            await self.until(lambda each=each: each in self.text(), repr(each))

    async def see_no(self, text: str) -> None:
        await self.until(lambda: text not in self.text(), f"the end of {text!r}")

    async def notice(self, text: str) -> None:
        await self.until(lambda: any(text in each for each in self.notices), f"the notice {text!r}")

    async def settle(self) -> None:
        """Waits until the screen, its colours too, has stayed the same for a while of the application's own time."""
        shown, same = self.strips(), 0
        end = time.monotonic() + DEADLINE_S
        while same < 10:
            assert time.monotonic() < end, f"the screen does not come to rest:\n{self.text()}"
            await self.pilot.pause(0.02)
            before, shown = shown, self.strips()
            same = same + 1 if shown == before else 0

    async def start(self) -> None:
        """Takes the preset under the cursor to Train and starts it."""
        await self.press("1", "enter")
        await self.until(lambda: self.app.pane == "train", "the Train pane")
        await self.press("s")
        await self.until(lambda: self.app.session.is_live, "a live run")


OpenConsole = Callable[..., Any]


@pytest.fixture
def trainer() -> Iterator[FakeTrainer]:
    fake = FakeTrainer()
    yield fake
    fake.release()


@pytest.fixture
def open_console(tmp_path: Path, trainer: FakeTrainer) -> OpenConsole:
    """``async with open_console(size=(width, height)) as driver``; other options go to the app."""

    @asynccontextmanager
    async def opened(
        *, root: Path | None = None, size: tuple[int, int] = (120, 40), **options: Any
    ) -> AsyncIterator[Driver]:
        app = ImdbTui(root or tmp_path / "runs", train=trainer, background=False, **options)
        async with app.run_test(size=size) as pilot:
            yield Driver(app, pilot)

    return opened


@pytest.fixture(autouse=True)
def _brisk_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are drawn as they come, so that tests do not wait for them."""
    monkeypatch.setattr("tui.app.NUMBERS_S", 0.0)
    monkeypatch.setattr("tui.workers.training.POST_S", 0.0)


@pytest.fixture(autouse=True)
def _known_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where things come from is core's to test; here it is known and at once."""

    def plan(_: RunConfig) -> dict[str, str]:
        return PLAN

    monkeypatch.setattr("core.sources.resolve.plan", plan)


@pytest.fixture(scope="session")
def checkpoint_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder)
    return folder
