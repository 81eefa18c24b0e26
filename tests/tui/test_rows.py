"""The list that builds only what one sees: its scrollbar stands where its rows do."""

from __future__ import annotations

from rich.text import Text
from textual.app import App

from tui.widgets.rows import Rows


class Listing(App[None]):
    CSS = "Rows { height: 8; }"

    def compose(self):
        yield Rows(id="rows")


def _row(i: int) -> Text:
    return Text(f"row {i}")


async def test_a_scrollbar_that_comes_back_stands_where_the_rows_do():
    app = Listing()
    async with app.run_test(size=(30, 10)) as pilot:
        rows = app.query_one(Rows)
        rows.show_rows(9, _row, row=8)
        await pilot.pause()
        assert rows.scroll_y == rows.vertical_scrollbar.position == 1
        rows.show_rows(2, _row, row=0)
        await pilot.pause()
        assert not rows.show_vertical_scrollbar
        rows.show_rows(9, _row)
        await pilot.pause()
        assert rows.show_vertical_scrollbar
        assert rows.scroll_y == rows.vertical_scrollbar.position == 0


async def test_a_scrollbar_that_is_new_stands_where_the_rows_were_scrolled_to_at_once():
    app = Listing()
    async with app.run_test(size=(30, 10)) as pilot:
        rows = app.query_one(Rows)
        rows.show_rows(1000, _row, row=999)
        await pilot.pause()
        assert rows.scroll_y == rows.vertical_scrollbar.position == 992
