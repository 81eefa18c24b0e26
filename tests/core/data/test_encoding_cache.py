"""Encoded reviews on disk: read where they are what they should be, made anew where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data import encoding_cache
from core.data.encoding_cache import cache_folder, cached_ids
from core.sources.embedded import SPECIAL_TOKENS, wordpiece_tokenizer
from core.tokenization.encode import encode_ids

TEXTS = ["the film was good", "", "bad \ud800 plot"]


def tokenizer(*words: str) -> object:
    return wordpiece_tokenizer({word: i for i, word in enumerate([*SPECIAL_TOKENS, *words])})


TOKENIZER = tokenizer("the", "film", "was", "good")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(encoding_cache, "cache_folder", lambda: tmp_path / "encodings")


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts have really been encoded, a number a call."""
    calls: list[int] = []

    def counted(own: object, texts: list[str], **settings: object) -> list[list[int]]:
        calls.append(len(texts))
        return encode_ids(own, texts, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(encoding_cache, "encode_ids", counted)
    return calls


def ids(own: object = TOKENIZER, texts: list[str] = TEXTS, *, special: bool = True, most: int = 16) -> list[list[int]]:
    return cached_ids(own, texts, add_special_tokens=special, max_length=most)  # type: ignore[arg-type]


def files() -> list[Path]:
    return list(encoding_cache.cache_folder().iterdir())


def test_the_second_time_nothing_is_encoded_and_the_ids_are_the_same(encoded: list[int]) -> None:
    expected = encode_ids(TOKENIZER, TEXTS, add_special_tokens=True, max_length=16)  # type: ignore[arg-type]
    assert ids() == ids() == expected
    assert encoded == [3]
    assert len(files()) == 1


def test_whatever_the_ids_depend_on_makes_another_entry(encoded: list[int]) -> None:
    ids()
    ids(special=False)
    ids(most=4)
    ids(texts=[*TEXTS[:2], "bad plot"])
    ids(texts=["the film was goodbad plot", "", ""])
    ids(tokenizer("the", "film", "was", "bad"))
    assert len(encoded) == len(files()) == 6


@pytest.mark.parametrize("place", [0, 30, 64, 65, 80, -1])
def test_a_flipped_byte_anywhere_is_noticed_and_mended(encoded: list[int], place: int) -> None:
    right = ids()
    (path,) = files()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert ids() == right
    assert ids() == right
    assert encoded == [3, 3]


@pytest.mark.parametrize("content", [b"", b"\n", b"abc\nabc", b"\xff" * 100])
def test_a_file_of_something_else_is_noticed_and_mended(encoded: list[int], content: bytes) -> None:
    right = ids()
    files()[0].write_bytes(content)
    assert ids() == right
    assert encoded == [3, 3]


def test_a_disk_that_cannot_be_written_costs_nothing_but_time(
    encoded: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(encoding_cache, "cache_folder", lambda: tmp_path / "file" / "encodings")
    assert ids() == ids()
    assert encoded == [3, 3]


def test_only_those_that_were_used_last_stay(encoded: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setattr(encoding_cache, "KEPT", 2)
    for number, most in enumerate((5, 6)):
        ids(most=most)
        for path in files():
            if path.stat().st_mtime > 1e6:
                os.utime(path, (number, number))
    ids(most=5)  # used again
    ids(most=7)
    ids(most=5)
    assert encoded == [3, 3, 3]
    assert len(files()) == 2


def test_the_folder_is_among_the_persons_caches(tmp_path: Path) -> None:
    assert cache_folder().name == "encodings"
    assert "imdb-tui" in cache_folder().parts
