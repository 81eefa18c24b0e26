"""Recognise the content of a file that is not what its suffix claims, by its first bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

from core.errors import InputError

ZIP = b"PK\x03\x04"
SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip archive", "Unpack it with gunzip"),
    (b"BZh", "a bzip2 archive", "Unpack it with bunzip2"),
    (b"\xfd7zXZ\0", "an xz archive", "Unpack it with unxz"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it with unzstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it"),
    (ZIP, "a zip archive", "Unpack it"),
    (b"PK\x05\x06", "an empty zip archive", "Give a file with reviews"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)", "Save the sheet as CSV UTF-8"),
    (b"SQLite format 3\0", "an SQLite database", "Export the table as CSV"),
    (b"ARROW1", "an Arrow file", "Convert it to parquet"),
    (b"%PDF-", "a PDF document", "Give a CSV or parquet file of reviews"),
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer", "Download its content with git lfs pull"),
    (b"<!doctype html", "an HTML page", "Download the file itself, not its web page"),
    (b"<html", "an HTML page", "Download the file itself, not its web page"),
)
"""First bytes in lower case where they are text, what the file is, and what to do."""
PARQUET = b"PAR1"


def check_content(path: Path) -> None:
    """Raise InputError if a .csv or .parquet file starts like another kind of file. Raises OSError if unreadable."""
    with path.open("rb") as file:
        start = file.read(64)
    suffix = path.suffix.lower()
    if start.startswith(PARQUET) and suffix == ".csv":
        raise InputError(f"{path} is a parquet file, not CSV. Rename it to {path.stem}.parquet.")
    for signature, kind, advice in SIGNATURES:
        if start.startswith(signature) or start.lstrip().lower().startswith(signature):
            if signature == ZIP and _is_workbook(path):
                raise InputError(f"{path} is an Excel workbook (.xlsx). Save the sheet as CSV UTF-8.")
            raise InputError(f"{path} is {kind}, not {suffix.removeprefix('.')}. {advice}.")


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False
