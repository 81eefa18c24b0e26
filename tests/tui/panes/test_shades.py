"""A matrix drawn as shades: cell sizes, pooling, and the numbers of rows and columns."""

from __future__ import annotations

import numpy as np
import pytest
from textual.app import App

from tui.panes.model.shades import LEVELS, Shades, pooled, ruler


class Shown(App):
    def compose(self):
        yield Shades()


def test_a_matrix_that_does_not_fit_is_pooled_by_its_maximum():
    matrix = np.zeros((512, 512), dtype=np.float32)
    matrix[300, 17] = 1.0
    small = pooled(matrix, 20, 30)
    assert small.shape == (20, 30)
    assert (small == 1.0).sum() == 1
    assert pooled(matrix, 512, 512).tolist() == matrix.tolist()


@pytest.mark.parametrize(("size", "lines"), [((8, 2), ["██    ", "  ██  "]), ((3, 2), ["█  ", " █ "]),
                                             ((12, 5), ["████        "] * 2 + ["    ████    "] * 2)])  # fmt: skip
async def test_cells_are_as_large_as_the_widget_allows(size, lines):
    async with Shown().run_test(size=size) as pilot:
        shades = pilot.app.query_one(Shades)
        shades.show(np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32))
        assert str(shades.render()).splitlines() == lines


@pytest.mark.parametrize(
    ("size", "lines"),
    [
        ((9, 3), ["   0 1 2", " 0 ██", "▸1   ██"]),
        ((16, 3), ["          0 1 2", " 0 one    ██", "▸1 two o…   ██"]),
        ((9, 2), ["   0 1 2", "▸0 ████"]),
        ((5, 3), ["   0", " 0 █", "▸1  █"]),
    ],
)
async def test_with_a_marked_row_rows_and_columns_have_numbers_and_names_if_they_fit(size, lines):
    async with Shown().run_test(size=size) as pilot:
        shades = pilot.app.query_one(Shades)
        shades.show(np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32), ["one", "two or three"], marked=1)
        assert [line.rstrip() for line in str(shades.render()).splitlines()] == lines
        assert shades.row_at(0) is None
        assert shades.row_at(1) == 0


@pytest.mark.parametrize(
    ("count", "cell", "width", "line"),
    [
        (4, 2, 8, "0 1 2 3"),
        (12, 2, 24, "0   2   4   6   8   10"),
        (12, 1, 12, "0    5    10"),
        (11, 1, 12, "0    5    10"),
        (11, 1, 11, "0    5"),
        (9, 1, 9, "0 2 4 6 8"),
        (3, 4, 12, "0   1   2"),
    ],
)
def test_column_numbers_are_above_their_cells_with_spaces_between_them(count, cell, width, line):
    assert ruler(range(count), cell, width) == line


def test_there_are_five_different_shades():
    assert len(set(LEVELS)) == 5
