"""Read the rows of a CSV file strictly: what quotation marks or columns make ambiguous is refused, never guessed."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.data.columns_and_labels import COLUMNS_TEXT, LABELS, find_columns
from core.errors import InputError
from core.formatting import counted

Row = tuple[str, object, object]
"""The place of a row in its file, such as ``line 12``, its text and its label."""


def csv_rows(path: Path, label_required: bool) -> Iterator[Row]:
    """Yield the rows of a CSV file in UTF-8; the place of a row is its first line.

    Raises InputError if quotation marks do not match, a row has more columns than the header, a column without a name
    has text, or a quoted field contains what looks like other rows.
    """
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as file:
        record: list[str] = []
        reader = csv.reader(_recorded(file, record), strict=True)
        header = next(_records(reader, record, path), (0, None))[1]
        if header is None:
            raise InputError(f"{path} is empty. The first line must name the columns {COLUMNS_TEXT}.")
        text, label = find_columns(header, str(path), label_required=label_required)
        text_column, label_column = header.index(text), None if label is None else header.index(label)
        for line, row in _records(reader, record, path):
            _check_columns(row, header, f"{path} line {line}")
            if label_column is not None and len(record) > 1 and label_column < len(row):
                _check_no_rows_inside(record, row, header, text_column, label_column, path, line)
            label_value = None if label_column is None else _field(row, label_column)
            yield f"line {line}", _field(row, text_column), label_value


def _recorded(lines: Iterable[str], record: list[str]) -> Iterator[str]:
    """Append each line to ``record``; replace NUL, which some versions of the csv module refuse, by a space."""
    for line in lines:
        record.append(line.replace("\0", " "))
        yield record[-1]


def _records(reader: Iterator[list[str]], record: list[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line and the fields of each row; blank lines are skipped."""
    first = reader.line_num + 1  # type: ignore[attr-defined]
    while True:
        record.clear()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            opened = first + _opening_line(record)
            last = first + len(record) - 1
            raise InputError(_quotation_error(str(error), path, opened, last)) from None
        if row:
            yield first, row
        first = reader.line_num + 1  # type: ignore[attr-defined]


def _quotation_error(reason: str, path: Path, opened: int, last: int) -> str:
    advice = "Write a quotation mark inside a quoted field twice, and close each quoted field."
    if "end of data" in reason:
        return f"{path} line {opened}: the quotation that opens here is never closed. {advice}"
    if "expected after" in reason:
        where = "on this line" if last == opened else f"on line {last}"
        return f"{path} line {opened}: the quotation that opens here ends {where} in the middle of a text. {advice}"
    return f"{path} line {opened}: the row cannot be read ({reason}). {advice}"


def _opening_line(record: Sequence[str]) -> int:
    """Return the index of the line in which the last quoted field of ``record`` opens."""
    opened, inside, at_start, before = 0, False, True, ""
    for number, line in enumerate(record):
        for character in line:
            if inside:
                inside = character != '"'
            elif character == '"' and (at_start or before == '"'):
                opened, inside = (number if at_start else opened), True
            at_start = not inside and character in ",\r\n"
            before = character
    return opened


def _check_columns(row: Sequence[str], header: Sequence[str], where: str) -> None:
    if len(row) > len(header):
        raise InputError(
            f"{where}: the row has more columns than the header. "
            "Put double quotes around a review that contains commas."
        )
    for number, (name, field) in enumerate(zip(header, row, strict=False), start=1):
        # pandas writes the number of the row into a first column without a name.
        if not name.strip() and field.strip() and not (number == 1 and field.strip().isdecimal()):
            raise InputError(
                f"{where}: column {number} has text but no name. Name the column in the first line, "
                "or put double quotes around a review that contains commas."
            )


def _check_no_rows_inside(
    record: Sequence[str],
    row: Sequence[str],
    header: Sequence[str],
    text_column: int,
    label_column: int,
    path: Path,
    line: int,
) -> None:
    """Raise InputError if lines inside a quoted field look like rows: the quotation mark that opens it is a mistake."""
    at = label_column if label_column < text_column else label_column - len(header)
    inside = []
    for number, physical in enumerate(record[:-1]):
        fields = physical.rstrip("\r\n").split(",")
        label = fields[at].lower() if len(fields) >= len(header) else ""
        if label in LABELS and label.isalpha() == row[label_column].strip().isalpha():
            inside.append(line + number)
    if inside:
        opened = line + _opening_line(record)
        raise InputError(
            f"{path} line {opened}: the quotation that opens here ends on line {line + len(record) - 1} and contains "
            f"{counted(len(inside), 'line')} that would be rows, the first on line {inside[0]}. "
            "Close the quotation on its line, or remove the quotation mark."
        )


def _field(row: Sequence[str], column: int) -> str | None:
    return row[column] if column < len(row) else None
