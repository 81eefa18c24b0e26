"""Encoded reviews kept on disk: the same texts through the same tokenizer are not encoded a second time.

A file's name is the hash of all that its ids depend on, and its first line the hash of the rest, which is compared
when it is read. One that is damaged, or a disk that cannot be written, costs the time of encoding and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import safetensors.numpy
from safetensors import SafetensorError

from core.tokenization.encode import encode_ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer

KEPT = 32
"""So many files stay, those that were used last."""


def cache_folder() -> Path:
    """Where encoded reviews are kept."""
    return Path(platformdirs.user_cache_dir("imdb-tui")) / "encodings"


def cached_ids(
    tokenizer: Tokenizer, texts: Sequence[str], *, add_special_tokens: bool, max_length: int
) -> list[list[int]]:
    """What :func:`core.tokenization.encode.encode_ids` gives, read from the cache where it is there."""
    path = cache_folder() / _key(tokenizer, texts, add_special_tokens, max_length)
    ids = _read(path, len(texts))
    if ids is None:
        ids = encode_ids(tokenizer, texts, add_special_tokens=add_special_tokens, max_length=max_length)
        with suppress(OSError):
            _write(path, ids)
    return ids


def _key(tokenizer: Tokenizer, texts: Sequence[str], add_special_tokens: bool, max_length: int) -> str:
    settings = [version("tokenizers"), add_special_tokens, max_length, len(texts), tokenizer.to_str()]
    hashed = hashlib.sha256(json.dumps(settings).encode())
    for text in texts:
        content = text.encode("utf-8", "surrogatepass")
        hashed.update(len(content).to_bytes(8, "little"))
        hashed.update(content)
    return hashed.hexdigest()


def _read(path: Path, count: int) -> list[list[int]] | None:
    """The ids in that file, or None where it is not there or not as it was written."""
    try:
        digest, content = path.read_bytes().split(b"\n", 1)
        if digest.decode() != hashlib.sha256(content).hexdigest():
            return None
        arrays = safetensors.numpy.load(content)
        ends = np.cumsum(arrays["lengths"])
        flat = arrays["ids"].tolist()
    except (OSError, ValueError, KeyError, SafetensorError):
        return None
    if len(ends) != count:
        return None
    with suppress(OSError):
        os.utime(path)  # used just now
    starts = [0, *ends[:-1].tolist()]
    return [flat[start:end] for start, end in zip(starts, ends.tolist(), strict=True)]


def _write(path: Path, ids: list[list[int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = np.array([id_ for row in ids for id_ in row], dtype=np.int32)
    content = safetensors.numpy.save({"ids": flat, "lengths": np.array([len(row) for row in ids], dtype=np.int32)})
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        beside.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    used = sorted(path.parent.iterdir(), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in used[KEPT:]:
        old.unlink(missing_ok=True)
