"""Open the files of a run only where they are regular: a FIFO or a device would block the reader for ever."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

MOST_BYTES = 64 << 20
"""The size of the largest text file of a run that is read as a whole; more than ten times what any run has."""


def is_regular(path: Path) -> bool:
    """Whether ``path`` is a file with content on a disk. Raises OSError, for example if it does not exist."""
    return stat.S_ISREG(path.stat().st_mode)


def read_text(path: Path) -> str:
    """The content of a small file. Raises OSError if it is not a regular file or too large, ValueError if not UTF-8."""
    if not is_regular(path):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if path.stat().st_size > MOST_BYTES:
        raise OSError(errno.EFBIG, "it is too large", str(path))
    return path.read_text(encoding="utf-8")
