"""Reading a file of reviews, and the errors for files and rows that cannot be used."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from core.data.columns_and_labels import LABELS
from core.data.reviews import Review, read_reviews, reviews_from_rows
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


def error_of(path: Path) -> str:
    """The error, which must be one line that starts with the path, without that path."""
    with pytest.raises(InputError) as caught:
        read_reviews(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@pytest.mark.parametrize("header", ["review,sentiment", "text,label", " Review , SENTIMENT ", "\ufeffreview,sentiment"])
def test_both_pairs_of_columns_are_read_in_any_case(tmp_path: Path, header: str) -> None:
    reviews = read_reviews(csv_file(tmp_path, *ROWS, header=header))
    assert reviews == [Review(text, label) for text, label in zip(TEXTS, TARGETS, strict=True)]


def test_columns_may_be_in_any_order_and_among_others(tmp_path: Path) -> None:
    rows = [f"{i},{label},x,{text}" for i, (text, label) in enumerate(zip(TEXTS, TARGETS, strict=True))]
    reviews = read_reviews(csv_file(tmp_path, *rows, header="id,label,note,text"))
    assert [(review.text, review.label) for review in reviews] == list(zip(TEXTS, TARGETS, strict=True))


@pytest.mark.parametrize(("spelling", "label"), [*LABELS.items(), ("Positive", 1), (" NEG ", 0)])
def test_every_spelling_of_a_label_is_read(tmp_path: Path, spelling: str, label: int) -> None:
    assert read_reviews(csv_file(tmp_path, *ROWS, f"one more,{spelling}"))[-1] == Review("one more", label)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_all_line_endings_are_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(ending.join(["review,sentiment", *ROWS]).encode())
    assert [review.text for review in read_reviews(path)] == TEXTS


def test_a_quoted_review_may_have_newlines_commas_and_quotes(tmp_path: Path) -> None:
    reviews = read_reviews(csv_file(tmp_path, *ROWS, '"first, ""second""\n\nthird",negative'))
    assert reviews[-1] == Review('first, "second"\n\nthird', 0)


def test_a_review_of_one_million_characters_is_accepted(tmp_path: Path) -> None:
    text = "ab" * 500_000
    assert read_reviews(csv_file(tmp_path, *ROWS, f"{text},positive"))[-1].text == text


def test_a_review_of_emoji_is_accepted(tmp_path: Path) -> None:
    assert read_reviews(csv_file(tmp_path, *ROWS, "🎬👍🏽🎉,positive"))[-1] == Review("🎬👍🏽🎉", 1)


def test_control_characters_are_accepted_and_escaped_by_printable(tmp_path: Path) -> None:
    controls = "".join(chr(code) for code in (*range(1, 9), *range(14, 32), 127, *range(0x80, 0xA0)))
    read = read_reviews(csv_file(tmp_path, *ROWS, f'"a\0b{controls}c",positive'))[-1].text
    assert read == f"a b{controls}c"
    assert printable(read).isprintable()


def test_blank_lines_are_ignored(tmp_path: Path) -> None:
    assert len(read_reviews(csv_file(tmp_path, *[f"{row}\n\n" for row in ROWS]))) == 12


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", " is empty. The first line must name the columns review and sentiment or text and label"),
        (b"review,sentiment\n", " has 0 reviews. Training and validation need at least 10."),
        (b"review,sentiment\na,1\nb,0\nc,1\n", " has 3 reviews. Training and validation need at least 10."),
        (b"review,sentiment\n" + b"good,1\n" * 12, " has only positive reviews. A classifier needs both labels."),
        (b"review,sentiment\n" + b"bad,0\n" * 12, " has only negative reviews. A classifier needs both labels."),
        (
            b"review,stars\n" + b"good,1\n" * 12,
            ": the columns are 'review', 'stars'. The file needs the columns review and",
        ),
        (
            b"review;sentiment\n" + b"good;1\n" * 12,
            ": the columns are 'review;sentiment'. The file needs the columns review and",
        ),
        ("review,sentiment\ncafé,1\n".encode("latin-1"), " is not UTF-8: it has the byte 0xe9. Save it as UTF-8."),
        ("review,sentiment\ngood,1\n".encode("utf-16"), " is not UTF-8: it has the byte 0xff. Save it as UTF-8."),
    ],
    ids=["empty", "header-only", "three", "positive", "negative", "column", "semicolon", "latin-1", "utf-16"],
)
def test_a_csv_file_without_usable_reviews_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    assert error_of(path).startswith(message)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "a fine film,excellent",
            "the label 'excellent' is not positive or negative. Write positive or negative, 1 or 0",
        ),
        ("a fine film,2", "the label '2' is not positive"),
        ("a fine film,", "the label '' is not positive"),
        ("a fine film", "the label is missing"),
        ("a fine, warm film,positive", "the row has more columns than the header"),
        ("a fine film,positive,because I say so", "the row has more columns than the header"),
        (",positive", "the review is empty. Add its text or remove the row."),
        ('" \t ",positive', "the review is empty"),
        ("\0,positive", "the review is empty"),
    ],
)
def test_the_error_for_a_bad_row_names_file_and_line(tmp_path: Path, row: str, message: str) -> None:
    assert error_of(csv_file(tmp_path, *ROWS[:4], row, *ROWS[4:])).startswith(f" line 6: {message}")


def test_a_bad_label_is_escaped_and_shortened_in_the_error(tmp_path: Path) -> None:
    message = error_of(csv_file(tmp_path, *ROWS, f"a fine film,\x1b[31m{'long' * 1000}"))
    assert message.isprintable()
    assert len(message) < 200


def test_a_directory_a_missing_file_and_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "own.json").write_text("{}", encoding="utf-8")
    (tmp_path / "own").write_text("review,sentiment\n", encoding="utf-8")
    assert error_of(tmp_path / "folder.csv").startswith(" is a directory")
    assert error_of(tmp_path / "none.csv").startswith(": file not found")
    assert error_of(tmp_path / "own.json" / "none.csv").startswith(": file not found")
    assert error_of(tmp_path / "own.json").startswith(" is a .json file. Give a .csv or .parquet file")
    assert error_of(tmp_path / "own").startswith(" is a file without a suffix")


def test_an_invalid_file_name_is_refused(tmp_path: Path) -> None:
    assert error_of(tmp_path / f"{'long' * 1000}.csv").startswith(" cannot be read (")
    assert error_of(tmp_path / "nul\0.csv").startswith(" cannot be read (")


@pytest.mark.parametrize("labels", [TARGETS, [bool(x) for x in TARGETS], [float(x) for x in TARGETS]])
def test_parquet_labels_may_be_integers_booleans_or_floats(tmp_path: Path, labels: list[Any]) -> None:
    reviews = read_reviews(parquet_file(tmp_path, text=TEXTS, label=labels))
    assert reviews == [Review(text, label) for text, label in zip(TEXTS, TARGETS, strict=True)]


def test_parquet_labels_may_be_strings(tmp_path: Path) -> None:
    labels = ["positive" if label else "negative" for label in TARGETS]
    assert [r.label for r in read_reviews(parquet_file(tmp_path, review=TEXTS, sentiment=labels))] == TARGETS


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": [*TEXTS[:4], None, *TEXTS[5:]], "label": TARGETS}, " row 5: the review is empty"),
        ({"text": [*TEXTS[:4], " ", *TEXTS[5:]], "label": TARGETS}, " row 5: the review is empty"),
        ({"text": TEXTS, "label": [*TARGETS[:4], None, *TARGETS[5:]]}, " row 5: the label is missing"),
        ({"text": TEXTS, "label": [-1, *TARGETS[1:]]}, " row 1: the label '-1' is not positive"),
        ({"text": TEXTS, "label": [float("nan"), *TARGETS[1:]]}, " row 1: the label 'nan' is not positive"),
        ({"text": list(range(12)), "label": TARGETS}, " row 1: the review is not a text"),
        ({"text": TEXTS, "label": [1] * 12}, " has only positive reviews"),
        ({"text": TEXTS, "stars": TARGETS}, ": the columns are 'text', 'stars'. The file needs"),
    ],
)
def test_the_error_for_a_bad_parquet_row_names_file_and_row(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    assert error_of(parquet_file(tmp_path, **columns)).startswith(message)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_an_invalid_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.parquet"
    path.write_bytes(content)
    assert error_of(path).startswith(" cannot be read as parquet (")


@pytest.mark.parametrize("part", [slice(100), slice(-200, None)])
def test_a_truncated_parquet_file_is_refused(tmp_path: Path, part: slice) -> None:
    path = parquet_file(tmp_path, text=TEXTS, label=TARGETS)
    path.write_bytes(path.read_bytes()[part])
    assert error_of(path).startswith(" cannot be read as parquet (")


def test_rows_of_a_data_set_are_checked_like_those_of_a_file() -> None:
    rows = [(f"row {i}", f"film {i}", i % 2) for i in range(10)]
    assert len(reviews_from_rows(rows, "scikit-learn/imdb")) == 10
    with pytest.raises(InputError, match=r"^scikit-learn/imdb row 10: the review is empty"):
        reviews_from_rows([*rows, ("row 10", "", 1)], "scikit-learn/imdb")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ['"film a,positive', *ROWS],
            " line 14: the quotation that opens here is never closed. Write a quotation mark",
        ),
        (
            ['"film a,positive', *ROWS, '"film b,negative'],
            " line 14: the quotation that opens here ends on line 27 in the middle of a text.",
        ),
        (
            ['"film a,positive', *ROWS, 'on a screen of 6",negative'],
            " line 14: the quotation that opens here ends on line 27 and contains 13 lines that would be rows, "
            "the first on line 14.",
        ),
        (
            ['"a film', "of two lines,negative", 'on a screen of 6",negative'],
            " line 14: the quotation that opens here ends on line 16 and contains 1 line that would be rows, "
            "the first on line 15.",
        ),
        (['"he said "wow" and left",positive'], " line 14: the quotation that opens here ends on this line in"),
    ],
)
def test_a_quotation_that_swallows_rows_is_refused_with_the_line_where_it_opens(
    tmp_path: Path, rows: list[str], message: str
) -> None:
    assert error_of(csv_file(tmp_path, *ROWS, *rows)).startswith(message)


def test_a_quotation_in_a_later_column_is_named_by_its_own_line(tmp_path: Path) -> None:
    rows = [f"{text},{i % 2},x" for i, text in enumerate(TEXTS)]
    path = csv_file(tmp_path, *rows, '"two', 'lines",1,"never closed', *rows, header="text,label,note")
    assert error_of(path).startswith(" line 15: the quotation that opens here is never closed.")


@pytest.mark.parametrize("text", ["he gave it 9,5\nand me 1,0\nin all", "good, positive\nbad, negative\nmixed"])
def test_a_quoted_review_of_several_lines_with_commas_is_read(tmp_path: Path, text: str) -> None:
    assert read_reviews(csv_file(tmp_path, *ROWS, f'"{text}",positive', "last,negative"))[-2:] == [
        Review(text, 1),
        Review("last", 0),
    ]


def test_text_in_a_column_without_a_name_is_refused(tmp_path: Path) -> None:
    rows = [f"{row}," for row in ROWS]
    assert len(read_reviews(csv_file(tmp_path, *rows, header="review,sentiment,"))) == 12
    message = error_of(csv_file(tmp_path, *rows, "good, but,positive", header="review,sentiment,"))
    assert message.startswith(" line 14: column 3 has text but no name. Name the column in the first line, or put")


def test_a_first_column_of_row_numbers_without_a_name_is_ignored(tmp_path: Path) -> None:
    rows = [f"{i},{row}" for i, row in enumerate(ROWS)]
    assert [review.text for review in read_reviews(csv_file(tmp_path, *rows, header=",review,sentiment"))] == TEXTS


@pytest.mark.parametrize("header", ["review,sentiment,review", "Sentiment,review,sentiment", "text, TEXT ,label"])
def test_a_column_that_occurs_twice_is_refused(tmp_path: Path, header: str) -> None:
    path = csv_file(tmp_path, *[f"{row},x" for row in ROWS], header=header)
    assert error_of(path).startswith(": 2 columns are named ")


def test_content_of_another_kind_is_named(tmp_path: Path) -> None:
    text = "\n".join(["review,sentiment", *ROWS])
    with zipfile.ZipFile(tmp_path / "sheet.csv", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with zipfile.ZipFile(tmp_path / "zip.csv", "w") as archive:
        archive.writestr("own.csv", text)
    contents = {
        "gzip.csv": (gzip.compress(text.encode()), " is a gzip archive, not csv. Unpack it with gunzip."),
        "lfs.csv": (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 66212309\n",
            " is a Git LFS pointer, not csv. Download its content with git lfs pull.",
        ),
        "lfs.parquet": (b"version https://git-lfs.github.com/spec/v1\n", " is a Git LFS pointer, not parquet."),
        "page.csv": (b"\n<!DOCTYPE html><html></html>", " is an HTML page, not csv."),
        "table.csv": (b"PAR1....PAR1", " is a parquet file, not CSV. Rename it to table.parquet."),
        "sheet.csv": (None, " is an Excel workbook (.xlsx). Save the sheet as CSV UTF-8."),
        "zip.csv": (None, " is a zip archive, not csv. Unpack it."),
    }
    for name, (content, message) in contents.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        assert error_of(tmp_path / name).startswith(message)


def class_label_file(folder: Path, names: list[str], labels: list[int]) -> Path:
    path = folder / "own.parquet"
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": names, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pyarrow.table({"text": TEXTS, "label": labels}).replace_schema_metadata(metadata)
    pyarrow.parquet.write_table(table, path)
    return path


@pytest.mark.parametrize(("names", "positive"), [(["positive", "negative"], 0), (["neg", "pos"], 1), (["1", "0"], 0)])
def test_the_class_names_of_a_parquet_file_decide_which_label_is_positive(
    tmp_path: Path, names: list[str], positive: int
) -> None:
    reviews = read_reviews(class_label_file(tmp_path, names, TARGETS))
    assert [review.label for review in reviews] == [int(target == positive) for target in TARGETS]


@pytest.mark.parametrize(
    ("names", "label", "message"),
    [
        (["ham", "spam"], 0, " row 1: the label 'ham' is not positive or negative."),
        (["neg", "pos"], -1, " row 1: the label 'class -1' is not positive or negative."),
        (["neg"], 1, " row 1: the label 'class 1' is not positive or negative."),
    ],
)
def test_class_names_that_are_not_positive_or_negative_are_refused(
    tmp_path: Path, names: list[str], label: int, message: str
) -> None:
    assert error_of(class_label_file(tmp_path, names, [label, *TARGETS[1:]])).startswith(message)
