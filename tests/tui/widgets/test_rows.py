"""The scroll bar of a list follows its rows."""

from __future__ import annotations

import pytest
from rich.text import Text
from textual.app import App

from tui.widgets.rows import Rows


class Listing(App[None]):
    CSS = "Rows { height: 8; }"

    def compose(self):
        yield Rows(id="rows")


def _row(i: int) -> Text:
    return Text(f"row {i}")


@pytest.mark.parametrize(
    "shown",
    [
        [(1000, 999, 992)],  # scrolled before the bar appears
        [(9, 8, 1), (2, 0, 0), (9, None, 0)],  # scrolled back while the bar was hidden
    ],
)
async def test_a_scroll_bar_has_the_position_of_the_rows_when_it_appears(shown):
    app = Listing()
    async with app.run_test(size=(30, 10)) as pilot:
        rows = app.query_one(Rows)
        for count, row, top in shown:
            rows.show_rows(count, _row, row=row)
            await pilot.pause()
            assert rows.show_vertical_scrollbar is (count > 7)
            assert rows.scroll_y == top
        assert rows.vertical_scrollbar.position == top
