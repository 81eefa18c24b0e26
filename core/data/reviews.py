"""Read labelled reviews from a CSV or parquet file, and check each row before training."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from core.data.columns_and_labels import find_columns, parse_label, parse_text
from core.data.csv_rows import csv_rows
from core.data.file_content import check_content
from core.errors import InputError
from core.formatting import counted

MIN_REVIEWS = 10


@dataclass(frozen=True, slots=True)
class Review:
    """One review; ``label`` is 1 for positive and 0 for negative."""

    text: str
    label: int


def read_reviews(path: Path) -> list[Review]:
    """Read all reviews of a ``.csv`` or ``.parquet`` file.

    The columns are ``review`` and ``sentiment``, or ``text`` and ``label``; the labels are positive/negative, pos/neg
    or 1/0. Raises InputError with file and row if the file cannot be read, a column is missing, a review is empty, a
    label is missing or unknown, quotation marks do not match, a row has more columns than the header, there are fewer
    than ten reviews, or all reviews have the same label.
    """
    return reviews_from_rows(_read_rows(path), str(path))


def read_texts_and_labels(path: Path) -> tuple[list[str], list[int] | None]:
    """Read reviews to evaluate a model on: one or more, also of one class only, and with or without labels.

    The labels are None if the file has no column for them, or if it is empty in every row. Raises InputError as
    :func:`read_reviews` otherwise, also if only some of the labels are missing.
    """
    rows = _read_rows(path, label_required=False)
    if not rows:
        raise InputError(f"{path} has no reviews. Give a file with at least one.")
    texts = [parse_text(text, f"{path} {place}") for place, text, _ in rows]
    if all(label is None or not str(label).strip() for _, _, label in rows):
        return texts, None
    return texts, [parse_label(label, f"{path} {place}") for place, _, label in rows]


def _read_rows(path: Path, *, label_required: bool = True) -> list[tuple[str, object, object]]:
    require_file(path)
    try:
        check_content(path)
        return list(_READERS[path.suffix.lower()](path, label_required))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path} is not UTF-8: it has the byte {byte:#04x}. Save it as UTF-8.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read as {path.suffix[1:]} in UTF-8 ({error})") from None


def require_file(path: Path) -> None:
    """Raise InputError unless ``path`` is an existing .csv or .parquet file. Does not open it."""
    try:
        is_directory = S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: file not found. Give a CSV or parquet file of reviews.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}). Give a CSV or parquet file of reviews.") from None
    if is_directory:
        raise InputError(f"{path} is a directory. Give one CSV or parquet file of reviews.")
    if path.suffix.lower() not in _READERS:
        kind = f"a {path.suffix} file" if path.suffix else "a file without a suffix"
        raise InputError(f"{path} is {kind}. Give a .csv or .parquet file of reviews.")


def reviews_from_rows(rows: Iterable[tuple[str, object, object]], where: str) -> list[Review]:
    """Check rows of (place, text, label) and return them as reviews.

    ``where`` is the name of the file, and a place is a row of it, such as ``line 12``, for errors.
    """
    reviews = [
        Review(parse_text(text, f"{where} {place}"), parse_label(label, f"{where} {place}"))
        for place, text, label in rows
    ]
    if len(reviews) < MIN_REVIEWS:
        raise InputError(
            f"{where} has {counted(len(reviews), 'review')}. Training and validation need at least {MIN_REVIEWS}."
        )
    labels = {review.label for review in reviews}
    if len(labels) == 1:
        label = "positive" if labels == {1} else "negative"
        raise InputError(f"{where} has only {label} reviews. A classifier needs both labels.")
    return reviews


def _parquet_rows(path: Path, label_required: bool) -> Iterator[tuple[str, object, object]]:
    import pyarrow
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
        text, label = find_columns(schema.names, str(path), label_required=label_required)
        table = pyarrow.parquet.read_table(path, columns=[text] if label is None else [text, label])
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read as parquet ({error})") from None
    texts = table.column(text).to_pylist()
    labels: list[object] = [None] * len(texts)
    if label is not None:
        names = _class_names(schema.metadata, label)
        labels = [_class_name(value, names) for value in table.column(label).to_pylist()]
    for number, values in enumerate(zip(texts, labels, strict=True), start=1):
        yield f"row {number}", *values


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> list[str]:
    """The names of a ClassLabel column, which ``datasets`` stores in the file's metadata; empty for another column."""
    with suppress(KeyError, ValueError, TypeError, AttributeError):
        feature = json.loads((metadata or {})[b"huggingface"])["info"]["features"][column]
        if feature.get("_type") == "ClassLabel" and isinstance(feature["names"], list):
            return [str(name) for name in feature["names"]]
    return []


def _class_name(value: object, names: Sequence[str]) -> object:
    if not names or not isinstance(value, int) or isinstance(value, bool):
        return value
    return names[value] if 0 <= value < len(names) else f"class {value}"


_READERS = {".csv": csv_rows, ".parquet": _parquet_rows}
