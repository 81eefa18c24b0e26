"""Corrections of wrong labels: a user's decisions about single reviews, in a CSV file, applied to what was read.

Each line of the file names a review by its row and the SHA-256 of its text, and the reviews that it belongs to by the
SHA-256 of their file, so that it cannot change other reviews unnoticed.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from filelock import FileLock, Timeout

from core.atomic_write import write_text_atomically
from core.config.schema import RunConfig
from core.data.reviews import Review
from core.errors import InputError
from core.formatting import counted
from core.user_path import user_path

Decision = Literal["keep", "flip", "drop"]
"""Keep the label, replace it by the other one, or leave the review out."""
DECISIONS: tuple[Decision, ...] = get_args(Decision)
LABELS = ("negative", "positive")
LOCK_PATIENCE_S = 5.0
COLUMNS = ("id", "decision", "label", "text_sha256", "source_sha256")


@dataclass(frozen=True, slots=True)
class Correction:
    """The decision about one review."""

    id: int
    """Row of the review in its source."""
    decision: Decision
    label: int
    """The label in the source, 0 or 1, which ``flip`` replaces by the other one."""
    text_sha256: str
    source_sha256: str
    """SHA-256 of the file of reviews; empty for synthetic reviews."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """Reviews with corrected labels. Dropped reviews stay in the list, so that the rows of all others are the same."""

    reviews: list[Review]
    flipped: frozenset[int] = frozenset()
    """Rows whose label was flipped."""
    dropped: frozenset[int] = frozenset()
    """Rows that must not be trained or validated on."""
    not_found: int = 0
    """Corrections whose row has another text or label, or does not exist."""
    other_source: bool = False
    """Whether some corrections were made for another file of reviews, in which this text has the same row."""

    def label_in_source(self, row: int) -> int:
        """The label of the review before the corrections."""
        label = self.reviews[row].label
        return 1 - label if row in self.flipped else label

    def describe(self, name: str, used: Collection[int], dropped: Collection[int]) -> str:
        """Count the corrections in one line; ``used`` and ``dropped`` are rows of the run's split."""
        flips, drops = len(self.flipped & {*used}), len(dropped)
        others = len(self.flipped) + len(self.dropped) - flips - drops
        text = f"{name}: {counted(flips, 'label')} flipped, {counted(drops, 'review')} dropped"
        text += f", {others} for reviews that this run does not use" if others else ""
        text += f", {self.not_found} not found" if self.not_found else ""
        return text + ("; some were made for another file with the same texts" if self.other_source else "")


def correction(reviews: Sequence[Review], row: int, decision: Decision, source_sha256: str) -> Correction:
    """The correction of one review as it is in its source. Raises InputError for a row that does not exist."""
    if not 0 <= row < len(reviews):
        raise InputError(f"there is no review {row}; the source has the rows 0 to {len(reviews) - 1}")
    return Correction(row, decision, reviews[row].label, text_sha256(reviews[row].text), source_sha256)


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def apply_corrections(
    reviews: list[Review], source_sha256: str, corrections: Iterable[Correction], where: str
) -> Corrected:
    """Flip labels, and list the rows to drop. A correction is applied if its row has its text and its label.

    Raises InputError if there are corrections and none of them belongs to these reviews. ``where`` is their file.
    """
    corrections = list(corrections)
    found = [one for one in corrections if _belongs(one, reviews)]
    if corrections and not found:
        raise InputError(
            f"{where}: none of its {counted(len(corrections), 'correction')} belongs to these reviews; "
            "set data.corrections to the file that was made for them, or leave it empty"
        )
    flipped = frozenset(one.id for one in found if one.decision == "flip")
    corrected = list(reviews)
    for row in flipped:
        corrected[row] = replace(corrected[row], label=1 - corrected[row].label)
    return Corrected(
        corrected,
        flipped,
        frozenset(one.id for one in found if one.decision == "drop"),
        not_found=len(corrections) - len(found),
        other_source=any(one.source_sha256 != source_sha256 for one in found),
    )


def _belongs(one: Correction, reviews: Sequence[Review]) -> bool:
    if one.id >= len(reviews):
        return False
    review = reviews[one.id]
    return review.label == one.label and text_sha256(review.text) == one.text_sha256


def read_corrections(path: Path) -> list[Correction]:
    """Read a file of corrections. Raises InputError with file and line if it is missing or invalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: file of corrections not found; `imdb-tui labels RUN --set` writes one") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the corrections cannot be read ({error})") from None
    return parse_corrections(text, str(path))


def parse_corrections(text: str, where: str) -> list[Correction]:
    """Parse the content of a file of corrections; the last line about a review counts."""
    reader = csv.DictReader(io.StringIO(text))
    if reader.fieldnames is None or not {*COLUMNS} <= {*reader.fieldnames}:
        raise InputError(f"{where}: the first line must name the columns {', '.join(COLUMNS)}")
    found: dict[int, Correction] = {}
    try:
        for row in reader:
            one = _parse_row(row, f"{where} line {reader.line_num}")
            found[one.id] = one
    except csv.Error as error:
        raise InputError(f"{where} line {reader.line_num}: not valid CSV ({error})") from None
    return list(found.values())


def _parse_row(row: dict[str, str | None], place: str) -> Correction:
    values = {name: (row[name] or "").strip() for name in COLUMNS}
    if not (values["id"].isascii() and values["id"].isdecimal()):
        raise InputError(f"{place}: the id {values['id'][:40]!r} is not the row of a review, such as 17")
    decision = next((each for each in DECISIONS if each == values["decision"]), None)
    if decision is None:
        raise InputError(f"{place}: the decision {values['decision'][:40]!r} is not keep, flip or drop")
    if values["label"] not in LABELS:
        raise InputError(f"{place}: the label {values['label'][:40]!r} is not positive or negative")
    if len(values["text_sha256"]) != 64:
        raise InputError(f"{place}: text_sha256 is not a SHA-256 of 64 digits; the line is cut off or was edited")
    label = LABELS.index(values["label"])
    return Correction(int(values["id"]), decision, label, values["text_sha256"], values["source_sha256"])


def format_corrections(corrections: Iterable[Correction]) -> str:
    """The content of a file of corrections, in the order of the rows."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted(corrections, key=lambda one: one.id):
        writer.writerow((one.id, one.decision, LABELS[one.label], one.text_sha256, one.source_sha256))
    return file.getvalue()


def add_corrections(path: Path, new: Iterable[Correction], first: Iterable[Correction] = ()) -> list[Correction]:
    """Add decisions to a file; a later one replaces an earlier one of the same review. Return all that it has then.

    ``first`` are those of a file that does not exist yet. The file is replaced as a whole, and several processes may
    write it. Raises InputError if it is invalid or cannot be written.
    """
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=LOCK_PATIENCE_S):
            before = read_corrections(path) if path.exists() else first
            merged = {one.id: one for one in (*before, *new)}
            write_text_atomically(path, format_corrections(merged.values()))
    except OSError as error:
        reason = "another process is writing them" if isinstance(error, Timeout) else error.strerror
        raise InputError(f"{path}: the corrections cannot be written ({reason})") from None
    return list(merged.values())


def with_absolute_path(config: RunConfig) -> RunConfig:
    """The configuration with the path of its corrections made absolute, so that it is valid in every directory."""
    if not config.data.corrections:
        return config
    path = user_path(config.data.corrections).absolute()
    return replace(config, data=replace(config.data, corrections=str(path)))
