"""Numbers and their units as text."""

from __future__ import annotations

import pytest

from core.formatting import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 reviews"), (1, "1 review"), (2, "2 reviews"), (2000, "2,000 reviews")]
)
def test_a_count_has_its_noun_in_the_singular_only_for_one(count, text):
    assert counted(count, "review") == text
