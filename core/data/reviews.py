"""Labelled reviews from a person's own file: CSV or parquet, checked row by row before anything trains on them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from core.errors import InputError

COLUMNS = (("review", "sentiment"), ("text", "label"))
LABELS = {"positive": 1, "pos": 1, "1": 1, "1.0": 1, "negative": 0, "neg": 0, "0": 0, "0.0": 0}
MIN_REVIEWS = 10


@dataclass(frozen=True, slots=True)
class Review:
    """One review; ``label`` is 1 for positive and 0 for negative."""

    text: str
    label: int


def read_reviews(path: Path) -> list[Review]:
    """All reviews of a ``.csv`` or ``.parquet`` file.

    Columns are ``review`` and ``sentiment``, or ``text`` and ``label``; labels positive/negative, pos/neg or 1/0.
    Raises InputError, naming file and row, for a file that cannot be read, a missing column, an empty review, a
    label that is missing or no sentiment, a row with more columns than the header, fewer than ten reviews, or only
    one class.
    """
    require_file(path)
    try:
        rows = list(_READERS[path.suffix.lower()](path))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path}: a byte {byte:#04x} says that it is not UTF-8; save it as UTF-8") from None
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as {path.suffix[1:]} in UTF-8 ({error})") from None
    return reviews_from_rows(rows, str(path))


def require_file(path: Path) -> None:
    """Raises InputError unless there is a file whose ending can be read; nothing is opened."""
    try:
        directory = S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: there is no such file; give a CSV or parquet file of reviews") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a CSV or parquet file of reviews") from None
    if directory:
        raise InputError(f"{path} is a directory; give one CSV or parquet file of reviews")
    if path.suffix.lower() not in _READERS:
        raise InputError(f"{path}: only .csv and .parquet files can be read, not {path.suffix or 'one without ending'}")


def reviews_from_rows(rows: Iterable[tuple[str, object, object]], where: str) -> list[Review]:
    """Checks rows of (place, text, label) and makes reviews of them. ``where`` names the file in errors."""
    reviews = [
        Review(_text(text, f"{where}, {place}"), _label(label, f"{where}, {place}")) for place, text, label in rows
    ]
    if len(reviews) < MIN_REVIEWS:
        raise InputError(
            f"{where} has {len(reviews)} review{'' if len(reviews) == 1 else 's'}; "
            f"at least {MIN_REVIEWS} are needed, some of them for validation"
        )
    labels = {review.label for review in reviews}
    if len(labels) == 1:
        only = "positive" if labels == {1} else "negative"
        raise InputError(f"{where} has only {only} reviews; a classifier needs both classes")
    return reviews


def _csv_rows(path: Path) -> Iterator[tuple[str, object, object]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(_without_nul(file))
        if reader.fieldnames is None:
            raise InputError(f"{path} is empty; it needs a header line with {_columns_in_words()}")
        text, label = _find_columns(reader.fieldnames, path)
        for row in reader:
            if None in row:  # DictReader keeps here what is beyond the header
                raise InputError(
                    f"{path}, line {reader.line_num}: the row has more columns than the header; "
                    "put a review that contains commas between double quotes"
                )
            yield f"line {reader.line_num}", row[text], row[label]


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    """The csv module of Python 3.10 refused NUL; ours keeps it out so that every version reads the same."""
    return (line.replace("\0", " ") for line in lines)


def _parquet_rows(path: Path) -> Iterator[tuple[str, object, object]]:
    import pyarrow
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
        text, label = _find_columns(schema.names, path)
        table = pyarrow.parquet.read_table(path, columns=[text, label])
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read as parquet ({error})") from None
    columns = table.column(text).to_pylist(), table.column(label).to_pylist()
    for number, (one, other) in enumerate(zip(*columns, strict=True), start=1):
        yield f"row {number}", one, other


def _find_columns(names: Iterable[str], path: Path) -> tuple[str, str]:
    present = {str(name).strip().lower(): str(name) for name in names if name is not None}
    for text, label in COLUMNS:
        if text in present and label in present:
            return present[text], present[label]
    have = ", ".join(repr(name) for name in list(present)[:8]) or "none"
    separated = next((mark for mark in ";\t|" if len(present) == 1 and mark in next(iter(present))), None)
    hint = f", with commas between them and not {separated!r}" if separated else ""
    raise InputError(f"{path}: the columns are {have}; it needs {_columns_in_words()}{hint}")


def _columns_in_words() -> str:
    return " or ".join(f"{text} and {label}" for text, label in COLUMNS)


def _text(value: object, place: str) -> str:
    if value is not None and not isinstance(value, str):
        raise InputError(f"{place}: the review is no text; fill it in or delete the row")
    if not value or not value.strip():
        raise InputError(f"{place}: the review is empty; fill it in or delete the row")
    return value


def _label(value: object, place: str) -> int:
    if isinstance(value, bool):
        return int(value)
    if value is None:
        raise InputError(f"{place}: the label is missing; use positive or negative, or 1 or 0")
    label = LABELS.get(str(value).strip().lower())
    if label is None:
        raise InputError(f"{place}: label {str(value)[:40]!r} is no sentiment; use positive or negative, or 1 or 0")
    return label


_READERS = {".csv": _csv_rows, ".parquet": _parquet_rows}
