"""Paths that a user wrote: ``~`` is expanded, and a name that no file can have is refused in one line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from core.errors import InputError


def user_path(given: str | os.PathLike[str]) -> Path:
    """The path that ``given`` names. Raises InputError for an unknown ``~user`` and for a name that is too long."""
    try:
        path = Path(given).expanduser()
    except RuntimeError:
        raise InputError(f"{given}: the home directory of that user is not known; write the whole path") from None
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            shown = f"{str(given)[:40]}…"
            raise InputError(f"{shown}: a file name of that length is not possible; shorten it") from None
    except ValueError as error:
        raise InputError(f"{os.fspath(given)!r} is not a file name ({error})") from None
    return path


def names_file(text: str) -> bool:
    """Whether ``text``, which may be anything else, is the path of a file."""
    return os.path.isfile(os.path.expanduser(text))
