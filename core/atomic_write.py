"""Write files atomically, flush them to the disk, and hash them."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

OLD_S = 3600.0
"""A temporary file that was not changed for this many seconds belongs to a process that was killed."""


def write_text_atomically(path: Path, text: str) -> None:
    """Write to a temporary file, flush, and rename: after a crash the file has the old or the new content."""
    # Not tempfile: its files are readable only by their owner, but runs on a shared disk are read by others.
    name = temporary_beside(path)
    try:
        with name.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def temporary_beside(path: Path) -> Path:
    """A new name in the folder of ``path``, for a file or folder that is renamed to ``path`` once it is complete.

    Removes what killed processes left there under such names more than an hour ago.
    """
    left_behind = re.compile(rf"\.{re.escape(path.name)}-[0-9a-f]{{16}}")
    with suppress(OSError):
        for other in path.parent.iterdir():
            if left_behind.fullmatch(other.name) and time.time() - other.lstat().st_mtime > OLD_S:
                if other.is_dir() and not other.is_symlink():
                    shutil.rmtree(other, ignore_errors=True)
                else:
                    other.unlink(missing_ok=True)
    return path.with_name(f".{path.name}-{secrets.token_hex(8)}")


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
