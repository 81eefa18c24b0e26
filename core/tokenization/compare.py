"""Two tokenizers on the same text: word by word, and a tokenizer with other settings."""

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
    """A word of the source, by white space, and the tokens that each tokenizer makes of it."""

    text: str
    start: int
    end: int
    first: tuple[Token, ...]
    second: tuple[Token, ...]

    @property
    def differs(self) -> bool:
        return [token.token for token in self.first] != [token.token for token in self.second]


def compare(first: Encoding, second: Encoding) -> list[ComparedWord]:
    """Word by word what two encodings of one text are; tokens of the template belong to no word."""
    words = [match.span() for match in finditer(r"\S+", first.text)]
    starts = [start for start, _ in words]

    def by_word(encoding: Encoding) -> list[list[Token]]:
        groups: list[list[Token]] = [[] for _ in words]
        for token in encoding.tokens:
            if token.start < token.end and words:
                # A byte-level token may begin with the space before its word, so its last character decides.
                groups[max(bisect_right(starts, token.end - 1) - 1, 0)].append(token)
        return groups

    pairs = zip(words, by_word(first), by_word(second), strict=True)
    return [ComparedWord(first.text[s:e], s, e, tuple(one), tuple(other)) for (s, e), one, other in pairs]


def tokens_per_word(encoding: Encoding) -> float:
    """Tokens of the text itself over its words; 0 for a text without words."""
    words = len(encoding.text[: encoding.cut_from].split())
    return sum(token.start < token.end for token in encoding.tokens) / words if words else 0.0


def is_setting(name: str) -> bool:
    """Whether a name of ``--compare`` means the same tokenizer with other settings."""
    return name in SHORT or "=" in name


@lru_cache(maxsize=8)
def with_settings(tokenizer: Tokenizer, words: str) -> Tokenizer:
    """A copy of ``tokenizer`` with settings such as ``lowercase=no,strip_accents=no``; the original stays as it is.

    Raises InputError for a setting that there is not, or that this tokenizer has not.
    """
    from tokenizers import Tokenizer as RustTokenizer

    copy = RustTokenizer.from_str(tokenizer.to_str())
    for assignment in SHORT.get(words, words).split(","):
        name, _, value = assignment.strip().partition("=")
        if name not in SETTINGS or value.lower() not in _VALUES:
            raise InputError(f"{assignment.strip()!r} is no setting; write {' or '.join(f'{n}=no' for n in SETTINGS)}")
        wanted = _VALUES[value.lower()]
        if name == "split_special_tokens":
            copy.encode_special_tokens = wanted
            continue
        normalizer = copy.normalizer
        if not hasattr(normalizer, name):
            raise InputError(f"this tokenizer's normaliser has no {name}; compare with another tokenizer instead")
        if name == "lowercase" and normalizer.strip_accents is None:
            normalizer.strip_accents = normalizer.lowercase  # None follows lowercase; only one setting is to change
        setattr(normalizer, name, wanted)
        copy.normalizer = normalizer
    return copy


_VALUES = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}
