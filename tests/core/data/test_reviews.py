"""A person's own file of reviews: what is read, and each refusal in one line that names file and row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from core.data.reviews import LABELS, Review, read_reviews, reviews_from_rows
from core.errors import InputError
from core.formatting import printable

ROWS = [f"film {i},{'positive' if i % 2 else 'negative'}" for i in range(12)]
TEXTS = [f"film {i}" for i in range(12)]
TARGETS = [i % 2 for i in range(12)]


def csv_file(folder: Path, *rows: str, header: str = "review,sentiment") -> Path:
    path = folder / "own.csv"
    path.write_bytes("\n".join([header, *rows, ""]).encode())
    return path


def parquet_file(folder: Path, **columns: Sequence[Any]) -> Path:
    path = folder / "own.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def refusal(path: Path) -> str:
    """The words of the refusal, which must be one line naming the file."""
    with pytest.raises(InputError) as caught:
        read_reviews(path)
    words = str(caught.value)
    assert words.startswith(str(path))
    assert "\n" not in words
    return words.removeprefix(str(path))


@pytest.mark.parametrize("header", ["review,sentiment", "text,label", " Review , SENTIMENT ", "\ufeffreview,sentiment"])
def test_both_pairs_of_columns_are_found_whatever_their_case(tmp_path: Path, header: str) -> None:
    reviews = read_reviews(csv_file(tmp_path, *ROWS, header=header))
    assert reviews == [Review(text, label) for text, label in zip(TEXTS, TARGETS, strict=True)]


def test_columns_are_found_by_name_in_any_order_among_others(tmp_path: Path) -> None:
    rows = [f"{i},{label},x,{text}" for i, (text, label) in enumerate(zip(TEXTS, TARGETS, strict=True))]
    reviews = read_reviews(csv_file(tmp_path, *rows, header="id,label,note,text"))
    assert [(review.text, review.label) for review in reviews] == list(zip(TEXTS, TARGETS, strict=True))


@pytest.mark.parametrize(("words", "label"), [*LABELS.items(), ("Positive", 1), (" NEG ", 0)])
def test_every_spelling_of_a_label_is_read(tmp_path: Path, words: str, label: int) -> None:
    assert read_reviews(csv_file(tmp_path, *ROWS, f"one more,{words}"))[-1] == Review("one more", label)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_all_line_endings_are_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(ending.join(["review,sentiment", *ROWS]).encode())
    assert [review.text for review in read_reviews(path)] == TEXTS


def test_a_quoted_review_keeps_its_newlines_commas_and_quotes(tmp_path: Path) -> None:
    reviews = read_reviews(csv_file(tmp_path, *ROWS, '"first, ""second""\n\nthird",negative'))
    assert reviews[-1] == Review('first, "second"\n\nthird', 0)


def test_a_review_of_one_million_characters_is_accepted_whole(tmp_path: Path) -> None:
    text = "ab" * 500_000
    assert read_reviews(csv_file(tmp_path, *ROWS, f"{text},positive"))[-1].text == text


def test_a_review_of_nothing_but_emoji_is_accepted(tmp_path: Path) -> None:
    assert read_reviews(csv_file(tmp_path, *ROWS, "🎬👍🏽🎉,positive"))[-1] == Review("🎬👍🏽🎉", 1)


def test_control_bytes_are_accepted_and_none_is_left_raw_by_printable(tmp_path: Path) -> None:
    controls = "".join(chr(code) for code in (*range(1, 9), *range(14, 32), 127, *range(0x80, 0xA0)))
    read = read_reviews(csv_file(tmp_path, *ROWS, f'"a\0b{controls}c",positive'))[-1].text
    assert read == f"a b{controls}c"
    assert printable(read).isprintable()


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert len(read_reviews(csv_file(tmp_path, *[f"{row}\n\n" for row in ROWS]))) == 12


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", " is empty; it needs a header line with review and sentiment or text and label"),
        (b"review,sentiment\n", " has 0 reviews; at least 10 are needed"),
        (b"review,sentiment\na,1\nb,0\nc,1\n", " has 3 reviews; at least 10 are needed"),
        (b"review,sentiment\n" + b"good,1\n" * 12, " has only positive reviews; a classifier needs both classes"),
        (b"review,sentiment\n" + b"bad,0\n" * 12, " has only negative reviews; a classifier needs both classes"),
        (b"review,stars\n" + b"good,1\n" * 12, ": the columns are 'review', 'stars'; it needs review and sentiment or"),
        (b"review;sentiment\n" + b"good;1\n" * 12, ": the columns are 'review;sentiment'; it needs review and"),
        ("review,sentiment\ncafé,1\n".encode("latin-1"), ": a byte 0xe9 says that it is not UTF-8; save it as UTF-8"),
        ("review,sentiment\ngood,1\n".encode("utf-16"), ": a byte 0xff says that it is not UTF-8; save it as UTF-8"),
    ],
    ids=["empty", "header-only", "three", "positive", "negative", "column", "semicolon", "latin-1", "utf-16"],
)
def test_a_csv_file_that_is_no_table_of_reviews_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    assert refusal(path).startswith(words)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a fine film,excellent", "label 'excellent' is no sentiment; use positive or negative, or 1 or 0"),
        ("a fine film,2", "label '2' is no sentiment"),
        ("a fine film,", "label '' is no sentiment"),
        ("a fine film", "the label is missing"),
        ("a fine, warm film,positive", "the row has more columns than the header"),
        ("a fine film,positive,because I say so", "the row has more columns than the header"),
        (",positive", "the review is empty; fill it in or delete the row"),
        ('" \t ",positive', "the review is empty"),
        ("\0,positive", "the review is empty"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(tmp_path: Path, row: str, words: str) -> None:
    assert refusal(csv_file(tmp_path, *ROWS[:4], row, *ROWS[4:])).startswith(f", line 6: {words}")


def test_a_bad_label_is_shown_without_its_controls_and_not_whole(tmp_path: Path) -> None:
    words = refusal(csv_file(tmp_path, *ROWS, f"a fine film,\x1b[31m{'long' * 1000}"))
    assert words.isprintable()
    assert len(words) < 150


def test_a_directory_a_missing_file_and_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "own.json").write_text("{}", encoding="utf-8")
    (tmp_path / "own").write_text("review,sentiment\n", encoding="utf-8")
    assert refusal(tmp_path / "folder.csv").startswith(" is a directory")
    assert refusal(tmp_path / "none.csv").startswith(": there is no such file")
    assert refusal(tmp_path / "own.json" / "none.csv").startswith(": there is no such file")
    assert refusal(tmp_path / "own.json").startswith(": only .csv and .parquet files can be read, not .json")
    assert refusal(tmp_path / "own").startswith(": only .csv and .parquet files can be read, not one without ending")


def test_a_name_that_no_file_system_takes_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / f"{'long' * 1000}.csv").startswith(": cannot be read (")
    assert refusal(tmp_path / "nul\0.csv").startswith(": cannot be read (")


@pytest.mark.parametrize("labels", [TARGETS, [bool(x) for x in TARGETS], [float(x) for x in TARGETS]])
def test_parquet_labels_may_be_integers_booleans_or_floats(tmp_path: Path, labels: list[Any]) -> None:
    reviews = read_reviews(parquet_file(tmp_path, text=TEXTS, label=labels))
    assert reviews == [Review(text, label) for text, label in zip(TEXTS, TARGETS, strict=True)]


def test_parquet_labels_may_be_words(tmp_path: Path) -> None:
    words = ["positive" if label else "negative" for label in TARGETS]
    assert [r.label for r in read_reviews(parquet_file(tmp_path, review=TEXTS, sentiment=words))] == TARGETS


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": [*TEXTS[:4], None, *TEXTS[5:]], "label": TARGETS}, ", row 5: the review is empty"),
        ({"text": [*TEXTS[:4], " ", *TEXTS[5:]], "label": TARGETS}, ", row 5: the review is empty"),
        ({"text": TEXTS, "label": [*TARGETS[:4], None, *TARGETS[5:]]}, ", row 5: the label is missing"),
        ({"text": TEXTS, "label": [-1, *TARGETS[1:]]}, ", row 1: label '-1' is no sentiment"),
        ({"text": TEXTS, "label": [float("nan"), *TARGETS[1:]]}, ", row 1: label 'nan' is no sentiment"),
        ({"text": list(range(12)), "label": TARGETS}, ", row 1: the review is no text"),
        ({"text": TEXTS, "label": [1] * 12}, " has only positive reviews"),
        ({"text": TEXTS, "stars": TARGETS}, ": the columns are 'text', 'stars'; it needs"),
    ],
)
def test_a_bad_parquet_row_is_refused_with_file_and_row(tmp_path: Path, columns: dict[str, Any], words: str) -> None:
    assert refusal(parquet_file(tmp_path, **columns)).startswith(words)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.parquet"
    path.write_bytes(content)
    assert refusal(path).startswith(": cannot be read as parquet (")


@pytest.mark.parametrize("part", [slice(100), slice(-200, None)])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, part: slice) -> None:
    path = parquet_file(tmp_path, text=TEXTS, label=TARGETS)
    path.write_bytes(path.read_bytes()[part])
    assert refusal(path).startswith(": cannot be read as parquet (")


def test_rows_of_a_data_set_are_checked_as_those_of_a_file() -> None:
    rows = [(f"row {i}", f"film {i}", i % 2) for i in range(10)]
    assert len(reviews_from_rows(rows, "scikit-learn/imdb")) == 10
    with pytest.raises(InputError, match=r"^scikit-learn/imdb, row 10: the review is empty"):
        reviews_from_rows([*rows, ("row 10", "", 1)], "scikit-learn/imdb")
