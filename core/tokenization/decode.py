"""Decode token ids, and show where a text differs after encoding and decoding."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.tokenization.encode import encode, special_ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A text, the text that its ids decode to, and the words that differ, as pairs (in the text, decoded)."""

    text: str
    decoded: str
    differences: tuple[tuple[str, str], ...]

    @property
    def same(self) -> bool:
        return self.text == self.decoded


@dataclass(frozen=True, slots=True)
class Decoded:
    """Ids, the text they decode to, and the ids of that text when it is encoded again."""

    input_ids: tuple[int, ...]
    tokens: tuple[str, ...]
    text: str
    again: tuple[int, ...]

    @property
    def first_difference(self) -> int | None:
        """The first position at which the ids of the decoded text differ; None if they are the same."""
        if self.input_ids == self.again:
            return None
        pairs = zip(self.input_ids, self.again, strict=False)
        return next(
            (i for i, (one, other) in enumerate(pairs) if one != other), min(len(self.input_ids), len(self.again))
        )


def parse_ids(text: str, tokenizer: Tokenizer) -> list[int]:
    """Read ids that are separated by spaces or commas, with or without brackets around them.

    Raises InputError for a word that is not a whole number and for an id that is not in the vocabulary.
    """
    size = tokenizer.get_vocab_size(with_added_tokens=True)
    ids = []
    for word in re.split(r"[\s,;]+", text.strip().strip("[]()").strip()):
        if not word:
            continue
        if not (word.isascii() and word.isdigit()):
            raise InputError(f"{word[:40]!r} is not an id; write whole numbers separated by spaces or commas")
        id_ = int(word) if len(word) < 10 else size
        if tokenizer.id_to_token(id_) is None:
            shown = word if len(word) <= 40 else f"{word[:40]}…"
            raise InputError(f"the vocabulary has no id {shown}; its ids are 0 to {size - 1}")
        ids.append(id_)
    return ids


def decode(tokenizer: Tokenizer, ids: Sequence[int], *, skip_special_tokens: bool = False) -> Decoded:
    """Decode ``ids`` as transformers' ``decode`` does, and encode the text again."""
    text = tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens)
    special = special_ids(tokenizer)
    used = tuple(i for i in ids if not (skip_special_tokens and i in special))
    again = tuple(encode(tokenizer, text, add_special_tokens=False).input_ids)
    return Decoded(used, tuple(str(tokenizer.id_to_token(i)) for i in used), text, again)


def round_trip(tokenizer: Tokenizer, text: str, *, max_length: int | None = None, most_words: int = 1000) -> RoundTrip:
    """Encode and decode a text, without the template. At most the first ``most_words`` words are compared."""
    encoding = encode(tokenizer, text, add_special_tokens=False, max_length=max_length)
    decoded = tokenizer.decode(encoding.input_ids, skip_special_tokens=False)
    if decoded == encoding.text:
        return RoundTrip(encoding.text, decoded, ())
    ours, theirs = encoding.text.split()[:most_words], decoded.split()[:most_words]
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    differences = tuple(
        (" ".join(ours[i:j]), " ".join(theirs[k:m])) for kind, i, j, k, m in matcher.get_opcodes() if kind != "equal"
    )
    return RoundTrip(encoding.text, decoded, differences)
