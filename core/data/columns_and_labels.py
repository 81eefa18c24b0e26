"""The columns that a table of reviews must have, and the spellings of its labels."""

from __future__ import annotations

from collections.abc import Iterable

from core.errors import InputError

COLUMNS = (("review", "sentiment"), ("text", "label"))
"""The pairs of column names that are read: the text and its label."""
LABELS = {"positive": 1, "pos": 1, "1": 1, "1.0": 1, "negative": 0, "neg": 0, "0": 0, "0.0": 0}
"""The spellings of labels in lower case: 1 for positive, 0 for negative."""
COLUMNS_TEXT = " or ".join(f"{text} and {label}" for text, label in COLUMNS)


def find_columns(names: Iterable[str], where: str, *, label_required: bool = True) -> tuple[str, str | None]:
    """Return the names of the columns with the text and the label, ignoring case and spaces around the names.

    Without ``label_required``, a table with a column of texts and none of labels gives None as the second name.
    Raises InputError if there are no such columns, or one occurs twice. ``where`` is the file, for the error.
    """
    names = [str(name) for name in names if name is not None and str(name).strip()]
    present = {name.strip().lower(): name for name in names}
    for text, label in COLUMNS:
        if text in present and label in present:
            _check_unique((text, label), names, where)
            return present[text], present[label]
    if not label_required and not any(label in present for _, label in COLUMNS):
        for text, _ in COLUMNS:
            if text in present:
                _check_unique((text,), names, where)
                return present[text], None
    found = ", ".join(repr(name) for name in list(present)[:8]) or "none"
    separator = next((mark for mark in ";\t|" if len(present) == 1 and mark in next(iter(present))), None)
    hint = f", separated by commas instead of {separator!r}" if separator else ""
    raise InputError(f"{where}: the columns are {found}. The file needs the columns {COLUMNS_TEXT}{hint}.")


def _check_unique(columns: Iterable[str], names: Iterable[str], where: str) -> None:
    lowered = [name.strip().lower() for name in names]
    for column in columns:
        if lowered.count(column) > 1:
            raise InputError(f"{where}: {lowered.count(column)} columns are named {column!r}. Rename all but one.")


def parse_text(value: object, where: str) -> str:
    """Return the text of a review. Raises InputError if it is not a string or empty."""
    if value is not None and not isinstance(value, str):
        raise InputError(f"{where}: the review is not a text. Correct it or remove the row.")
    if not value or not value.strip():
        raise InputError(f"{where}: the review is empty. Add its text or remove the row.")
    return value


def parse_label(value: object, where: str) -> int:
    """Return the label of a review, 1 or 0. Raises InputError if it is missing or unknown."""
    if isinstance(value, bool):
        return int(value)
    if value is None:
        raise InputError(f"{where}: the label is missing. Write positive or negative, 1 or 0, or remove the row.")
    label = LABELS.get(str(value).strip().lower())
    if label is None:
        raise InputError(
            f"{where}: the label {str(value)[:40]!r} is not positive or negative. "
            "Write positive or negative, 1 or 0, or remove the row."
        )
    return label
