"""Compare two tokenizers word by word, and copy a tokenizer with other settings to compare with."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from re import finditer
from typing import TYPE_CHECKING

from core.errors import InputError
from core.tokenization.encode import Encoding, Token

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SETTINGS = ("lowercase", "strip_accents", "split_special_tokens")
SHORT = {"cased": "lowercase=no", "accents": "strip_accents=no", "plain-specials": "split_special_tokens=yes"}
"""Names for the same tokenizer with one setting changed."""


@dataclass(frozen=True, slots=True)
class ComparedWord:
    """A word of the source text, separated by white space, and its tokens with each tokenizer."""

    text: str
    start: int
    end: int
    first: tuple[Token, ...]
    second: tuple[Token, ...]

    @property
    def differs(self) -> bool:
        """Whether the two tokenizers split the word differently."""
        return [token.token for token in self.first] != [token.token for token in self.second]


def compare(first: Encoding, second: Encoding) -> list[ComparedWord]:
    """Pair the tokens of two encodings of one text, word by word. Special tokens of the template are left out."""
    words = [match.span() for match in finditer(r"\S+", first.text)]
    starts = [start for start, _ in words]

    def by_word(encoding: Encoding) -> list[list[Token]]:
        groups: list[list[Token]] = [[] for _ in words]
        for token in encoding.tokens:
            if token.start < token.end and words:
                # A byte-level token may start with the space before its word, so its last character decides.
                groups[max(bisect_right(starts, token.end - 1) - 1, 0)].append(token)
        return groups

    pairs = zip(words, by_word(first), by_word(second), strict=True)
    return [ComparedWord(first.text[s:e], s, e, tuple(one), tuple(other)) for (s, e), one, other in pairs]


def tokens_per_word(encoding: Encoding) -> float:
    """Return the tokens of the text, without the template, divided by its words; 0 for a text without words."""
    words = len(encoding.text[: encoding.cut_from].split())
    return sum(token.start < token.end for token in encoding.tokens) / words if words else 0.0


def is_setting(name: str) -> bool:
    """Whether the value of ``--compare`` is a setting of the same tokenizer rather than the name of another one."""
    return name in SHORT or "=" in name


@lru_cache(maxsize=8)
def with_settings(tokenizer: Tokenizer, assignments: str) -> Tokenizer:
    """Copy ``tokenizer`` and change settings of the copy, such as ``lowercase=no,strip_accents=no``.

    Raises InputError for an unknown setting, or one that this tokenizer does not have.
    """
    from tokenizers import Tokenizer as RustTokenizer

    copy = RustTokenizer.from_str(tokenizer.to_str())
    for assignment in SHORT.get(assignments, assignments).split(","):
        name, _, value = assignment.strip().partition("=")
        if name not in SETTINGS or value.lower() not in _VALUES:
            raise InputError(f"{assignment.strip()!r} is not a setting; use {' or '.join(f'{n}=no' for n in SETTINGS)}")
        wanted = _VALUES[value.lower()]
        if name == "split_special_tokens":
            copy.encode_special_tokens = wanted
            continue
        normalizer = copy.normalizer
        if not hasattr(normalizer, name):
            raise InputError(f"this tokenizer has no setting {name}; compare with another tokenizer instead")
        if name == "lowercase" and normalizer.strip_accents is None:
            normalizer.strip_accents = normalizer.lowercase  # None means: as lowercase, which is about to change
        setattr(normalizer, name, wanted)
        copy.normalizer = normalizer
    return copy


_VALUES = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
