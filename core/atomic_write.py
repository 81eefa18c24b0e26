"""Files that are whole: the old one or the new one, whatever happens meanwhile, and as hashed when they were made."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


def write_text_atomically(path: Path, text: str) -> None:
    """Writes beside the target, syncs, renames: the file is the old one or the new one, never half of one."""
    # Not tempfile's, whose files nobody but their owner may read: a run on a shared disk is for everyone to see.
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
    """Has the disk keep a file's content, or a directory's entries, before anything that comes after."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """The hash of a file's content, as Hubs and manifests write it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
