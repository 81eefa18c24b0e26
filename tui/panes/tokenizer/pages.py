"""The pages of the playground: their keys, and the container that shows one at a time."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container

from tui.panes.tokenizer.batch import BatchPage
from tui.panes.tokenizer.compare import ComparePage
from tui.panes.tokenizer.page import Page
from tui.panes.tokenizer.reviews import ReviewsPage
from tui.panes.tokenizer.stages import StagesPage
from tui.panes.tokenizer.tokens import TokensPage
from tui.panes.tokenizer.vocabulary import VocabularyPage

PAGES: dict[str, tuple[str, type[Page]]] = {
    "tokens": ("t", TokensPage),
    "stages": ("s", StagesPage),
    "batch": ("b", BatchPage),
    "vocabulary": ("v", VocabularyPage),
    "compare": ("c", ComparePage),
    "reviews": ("r", ReviewsPage),
}


class PageStack(Container):
    """Shows one page at a time; a page is created when it is first needed."""

    name_in_front = "tokens"

    def compose(self) -> ComposeResult:
        yield TokensPage(id="page-tokens")

    @property
    def current(self) -> Page:
        return self.query_one(f"#page-{self.name_in_front}", Page)

    async def create(self, name: str) -> Page:
        """Return a page; create it hidden if there is none yet."""
        if not self.query(f"#page-{name}"):
            page = PAGES[name][1](id=f"page-{name}")
            page.display = False
            await self.mount(page)
        return self.query_one(f"#page-{name}", Page)

    async def go(self, name: str) -> Page:
        """Put a page in front and return it."""
        page = await self.create(name)
        self.name_in_front = name
        for each in self.query(Page):
            each.display = each is page
        return page

    def next_name(self) -> str:
        """Return the name of the page after the current one."""
        names = list(PAGES)
        return names[(names.index(self.name_in_front) + 1) % len(names)]
