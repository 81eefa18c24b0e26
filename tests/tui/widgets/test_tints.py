"""The styles of the characters of a line: tints, mark and caret combined."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.tints import Tint, Tints

CHARACTERS = 24
PLACES = st.integers(0, CHARACTERS)


@given(
    ends=st.lists(PLACES, max_size=8, unique=True),
    mark=st.tuples(PLACES, PLACES),
    span=st.tuples(PLACES, PLACES).map(sorted),
    caret=st.none() | PLACES,
)
def test_each_character_has_its_tint_its_mark_and_the_caret(ends, mark, span, caret):
    ends.sort()
    tints = Tints()
    pairs = list(pairwise(ends))[::2]  # every other span has no token
    tints.replace([Tint(start, end, "even") for start, end in pairs])
    tints.mark = mark
    start, end = span
    looks = []
    for stop, look in tints.runs(start, end, caret):
        assert start + len(looks) < stop <= end
        looks += [look] * (stop - start - len(looks))
    expected = []
    for i in range(start, end):
        look = ["even"] if any(low <= i < high for low, high in pairs) else []
        look += ["marked"] if mark[0] <= i < mark[1] and i != caret else []
        expected.append((*look, *(["caret"] if i == caret else [])))
    assert looks == expected
