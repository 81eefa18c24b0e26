"""Paths that a user wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.user_path import names_file, user_path


def test_a_path_is_expanded_and_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/absent.csv") == tmp_path / "absent.csv"


@pytest.mark.parametrize("given", ["~nosuchuser/x.csv", "a" * 300, "b/" * 3000, "nul\0l"])
def test_a_path_that_no_file_can_have_is_refused_in_one_short_line(given: str) -> None:
    with pytest.raises(InputError) as caught:
        user_path(given)
    assert len(str(caught.value)) < 160 or given.startswith("nul")
    assert not names_file(given)
