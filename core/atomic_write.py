"""Write files atomically, flush them to the disk, and hash them."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


def write_text_atomically(path: Path, text: str) -> None:
    """Write to a temporary file, flush, and rename: after a crash the file has the old or the new content."""
    # Not tempfile: its files are readable only by their owner, but runs on a shared disk are read by others.
    name = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with name.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Flush a file's content or a directory's entries to the disk (fsync)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
