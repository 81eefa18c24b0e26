"""Corrections of labels: the file, what it changes, and what it must not change."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from core.data import corrections as corrections_module
from core.data.corrections import (
    Correction,
    add_corrections,
    apply_corrections,
    correction,
    format_corrections,
    parse_corrections,
    read_corrections,
    text_sha256,
)
from core.data.reviews import Review
from core.errors import InputError

SOURCE = "5" * 64
REVIEWS = [Review(f'film {i}, "quoted"\n{"ünïcode"}', i % 2) for i in range(12)]
HEADER = "id,decision,label,text_sha256,source_sha256\n"


def some(**decisions: str) -> list[Correction]:
    """Corrections of ``REVIEWS`` by row, as ``row_3="flip"``."""
    return [correction(REVIEWS, int(name[4:]), one, SOURCE) for name, one in decisions.items()]  # type: ignore[arg-type]


def test_flips_change_the_label_and_drops_are_listed_while_all_rows_stay() -> None:
    corrected = apply_corrections(
        REVIEWS, SOURCE, some(row_3="flip", row_4="drop", row_5="keep", row_6="flip"), "c.csv"
    )
    assert [i for i in range(12) if corrected.reviews[i] != REVIEWS[i]] == [3, 6]
    assert (corrected.reviews[3], corrected.reviews[6].label) == (replace(REVIEWS[3], label=0), 1)
    assert (corrected.flipped, corrected.dropped) == ({3, 6}, {4})
    assert [corrected.label_in_source(i) for i in range(12)] == [review.label for review in REVIEWS]
    assert (corrected.not_found, corrected.other_source) == (0, False)


def test_corrections_of_another_text_label_or_row_are_counted_and_not_applied() -> None:
    text, label, row, right = some(row_3="flip", row_4="flip", row_5="drop", row_6="flip")
    wrong = [replace(text, text_sha256=text_sha256("other")), replace(label, label=1), replace(row, id=99)]
    corrected = apply_corrections(REVIEWS, SOURCE, [*wrong, right], "c.csv")
    assert (corrected.flipped, corrected.dropped, corrected.not_found) == ({6}, set(), 3)
    with pytest.raises(InputError, match=r"^c\.csv: none of its 3 corrections belongs to these reviews"):
        apply_corrections(REVIEWS, SOURCE, wrong, "c.csv")


def test_corrections_made_for_another_file_with_the_same_rows_are_applied_and_said() -> None:
    corrected = apply_corrections(REVIEWS, "6" * 64, some(row_3="flip"), "c.csv")
    assert (corrected.flipped, corrected.other_source) == ({3}, True)
    assert corrected.describe("c.csv", [3], []).endswith("; some were made for another file with the same texts")


def test_the_counts_are_those_of_the_reviews_that_a_run_uses() -> None:
    corrected = apply_corrections(
        REVIEWS, SOURCE, some(row_1="flip", row_2="flip", row_3="drop", row_4="drop"), "c.csv"
    )
    assert corrected.describe("c.csv", [1, 2, 7], [3, 4]) == "c.csv: 2 labels flipped, 2 reviews dropped"
    one = replace(corrected, not_found=1).describe("c.csv", [1], [])
    assert one == "c.csv: 1 label flipped, 0 reviews dropped, 3 for reviews that this run does not use, 1 not found"


def test_no_corrections_change_nothing() -> None:
    corrected = apply_corrections(REVIEWS, SOURCE, [], "c.csv")
    assert (corrected.reviews, corrected.flipped, corrected.dropped) == (REVIEWS, set(), set())


@given(st.lists(st.builds(
    Correction, st.integers(0, 10**6), st.sampled_from(["keep", "flip", "drop"]), st.integers(0, 1),
    st.text("0123456789abcdef", min_size=64, max_size=64), st.sampled_from(["", SOURCE]),
), unique_by=lambda one: one.id))  # fmt: skip
def test_a_file_is_read_as_it_was_written(corrections: list[Correction]) -> None:
    expected = sorted(corrections, key=lambda one: one.id)
    assert parse_corrections(format_corrections(corrections), "c.csv") == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "first line must name the columns id, decision"),
        ("id,label\n", "first line must name the columns"),
        (HEADER + f"x,flip,positive,{SOURCE},\n", "line 2: the id 'x' is not the row"),
        (HEADER + f"-1,flip,positive,{SOURCE},\n", "line 2: the id '-1'"),
        (HEADER + f"1,flop,positive,{SOURCE},\n", "line 2: the decision 'flop' is not keep, flip or drop"),
        (HEADER + f"1,flip,maybe,{SOURCE},\n", "line 2: the label 'maybe' is not positive or negative"),
        (HEADER + f"1,keep,positive,{SOURCE},\n2,drop,negative,55", "line 3: text_sha256 is not a SHA-256"),
        (HEADER + "1,keep\n", "line 2: the label ''"),
    ],
)
def test_an_invalid_file_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "c.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_corrections(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_or_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file of corrections not found"):
        read_corrections(tmp_path / "c.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_corrections(tmp_path)
    (tmp_path / "c.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_corrections(tmp_path / "c.csv")


def test_the_last_decision_about_a_review_counts(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    add_corrections(path, some(row_3="flip", row_4="drop"))
    assert add_corrections(path, some(row_3="keep")) == read_corrections(path)
    assert {one.id: one.decision for one in read_corrections(path)} == {3: "keep", 4: "drop"}
    twice = format_corrections(some(row_3="flip")) + format_corrections(some(row_3="drop")).splitlines()[1]
    assert [one.decision for one in parse_corrections(twice, "c.csv")] == ["drop"]


def test_the_first_corrections_are_taken_only_while_the_file_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    assert len(add_corrections(path, some(row_3="flip"), first=some(row_4="drop"))) == 2
    assert len(add_corrections(path, some(row_5="flip"), first=some(row_6="drop"))) == 3


def test_decisions_written_at_the_same_time_are_all_stored(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    threads = [
        threading.Thread(target=add_corrections, args=(path, [correction(REVIEWS, row, "flip", SOURCE)]))
        for row in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.id for one in read_corrections(path)] == list(range(12))


def test_a_file_that_another_process_holds_for_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections_module, "LOCK_PATIENCE_S", 0.05)
    with (
        FileLock(tmp_path / ".c.csv.lock", is_singleton=False),
        pytest.raises(InputError, match=r"cannot be written \(another process is writing them\)"),
    ):
        add_corrections(tmp_path / "c.csv", some(row_3="flip"))
    assert not (tmp_path / "c.csv").exists()


def test_a_decision_that_cannot_be_written_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.csv"
    add_corrections(path, some(row_3="flip"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(InputError, match="cannot be written"):
            add_corrections(path, some(row_4="flip"))
    assert [one.id for one in read_corrections(path)] == [3]


def test_a_row_that_does_not_exist_cannot_be_corrected() -> None:
    for row in (-1, 12):
        with pytest.raises(InputError, match="the source has the rows 0 to 11"):
            correction(REVIEWS, row, "flip", SOURCE)
