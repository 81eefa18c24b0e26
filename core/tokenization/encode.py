"""Encode texts as token ids with the Rust tokenizer that transformers uses.

This module imports only ``tokenizers``, which takes milliseconds, so it works before torch is imported.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["word", "continuation", "special", "unknown"]

SPECIAL_MEANINGS = {
    "[CLS]": "starts every input; its last hidden state represents the whole text for classification",
    "[SEP]": "ends a text; separates two texts",
    "[PAD]": "pads shorter texts of a batch; the attention mask hides it",
    "[UNK]": "replaces text that is not in the vocabulary; the original text is lost",
    "[MASK]": "hides a token, which the model learns to predict in pretraining",
}


class Token(NamedTuple):
    """One token of an encoding. ``start`` and ``end`` are character offsets into the source text."""

    position: int
    id: int
    token: str
    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text and its tokens."""

    text: str
    tokens: tuple[Token, ...]
    full_length: int
    """The number of tokens without truncation, including special tokens if they are added."""
    cut_from: int | None
    """The character at which the text was truncated; None if it was not."""

    @property
    def input_ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @property
    def cut_text(self) -> str:
        """The part of the source text that was truncated."""
        return "" if self.cut_from is None else self.text[self.cut_from :]

    @property
    def unknown(self) -> int:
        """The number of unknown tokens."""
        return sum(token.kind == "unknown" for token in self.tokens)

    def token_at(self, index: int) -> int | None:
        """Return the position of the token at a character, or of the last one before it; None if there is none."""
        first = next((token.position for token in self.tokens if token.start < token.end), 0)
        last = next((token.position + 1 for token in reversed(self.tokens) if token.start < token.end), 0)
        found = bisect_right(self.tokens, index, first, max(first, last), key=lambda token: token.start) - 1
        return found if found >= first and last else None


def encode(
    tokenizer: Tokenizer, text: str, *, add_special_tokens: bool = True, max_length: int | None = None
) -> Encoding:
    """Encode one text as DistilBertTokenizer does with the same settings.

    Raises ValueError for a max_length below 3, which leaves no room for a token between [CLS] and [SEP].
    """
    text = encodable(text)
    whole = tokenizer.post_process(tokenizer.encode(text, add_special_tokens=False), None, False)
    ids, names, offsets, word_ids = whole.ids, whole.tokens, whole.offsets, whole.word_ids
    special_count = num_special_tokens(tokenizer) if add_special_tokens else 0
    full_length, cut_from = len(ids) + special_count, None
    if max_length is not None and (room := _room(max_length, special_count)) < len(ids):
        # Encoding.truncate would also build an encoding for each part of the rest: 200,000 of them for a long text.
        cut_from = offsets[room][0]
        ids, names, offsets, word_ids = ids[:room], names[:room], offsets[:room], word_ids[:room]
    before, after = _template(tokenizer) if add_special_tokens else ((), ())
    special, unknown = special_ids(tokenizer), unknown_id(tokenizer)
    tokens: list[Token] = []
    for id_, name in before:
        tokens.append(Token(len(tokens), id_, name, 0, 0, "special"))
    last: int | None = None
    for position, (id_, name, (start, end), word) in enumerate(
        zip(ids, names, offsets, word_ids, strict=True), start=len(tokens)
    ):
        kind: Kind = "word"
        if id_ == unknown:
            kind = "unknown"
        elif id_ in special:
            kind = "special"
        elif word is not None and word == last:
            kind = "continuation"
        tokens.append(Token(position, id_, name, start, end, kind))
        last = word
    for id_, name in after:
        tokens.append(Token(len(tokens), id_, name, 0, 0, "special"))
    return Encoding(text, tuple(tokens), full_length, cut_from)


def encode_ids(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    *,
    add_special_tokens: bool,
    max_length: int,
    truncation_side: Literal["right", "left"] = "right",
) -> list[list[int]]:
    """Encode many texts, as training does. Each has at most ``max_length`` ids.

    ``truncation_side`` is the end of a text that is cut off; training cuts on the right.
    """
    special_count = num_special_tokens(tokenizer) if add_special_tokens else 0
    room = _room(max_length, special_count)
    encodings = tokenizer.encode_batch_fast([encodable(text) for text in texts], add_special_tokens=False)
    for encoding in encodings:
        encoding.truncate(room, direction=truncation_side)
    return [tokenizer.post_process(encoding, None, add_special_tokens).ids for encoding in encodings]


def _room(max_length: int, special_count: int) -> int:
    """Return how many tokens of the text fit beside the special tokens.

    The tokenizer's own truncation is not used: it is a setting of the tokenizer, which the console and a run in
    another thread may share.
    """
    if max_length < 3:
        raise ValueError(f"max_length is {max_length}; it must be at least 3")
    return max_length - special_count


@lru_cache(maxsize=8)
def _template(tokenizer: Tokenizer) -> tuple[tuple[tuple[int, str], ...], tuple[tuple[int, str], ...]]:
    """Return the (id, token) pairs that the tokenizer's template adds before and after a text."""
    marked = tokenizer.post_process(tokenizer.encode("a", add_special_tokens=False), None, True)
    pairs = list(zip(marked.ids, marked.tokens, strict=True))
    inside = [i for i, sequence in enumerate(marked.sequence_ids) if sequence is not None] or [len(pairs) // 2]
    empty = all(sequence is None for sequence in marked.sequence_ids)
    return tuple(pairs[: inside[0]]), tuple(pairs[inside[-1] + (0 if empty else 1) :])


@lru_cache(maxsize=8)
def special_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """Return the ids of the special tokens."""
    return frozenset(i for i, added in tokenizer.get_added_tokens_decoder().items() if added.special)


@lru_cache(maxsize=8)
def unknown_id(tokenizer: Tokenizer) -> int | None:
    """Return the id of the unknown token; None for a tokenizer without one."""
    name = getattr(tokenizer.model, "unk_token", None)
    if name is None:
        name = next((each for each in ("[UNK]", "<unk>") if tokenizer.token_to_id(each) is not None), None)
    found = None if name is None else tokenizer.token_to_id(name)
    return None if found is None else int(found)


def num_special_tokens(tokenizer: Tokenizer) -> int:
    """Return the number of special tokens that the template adds to one text."""
    return int(tokenizer.num_special_tokens_to_add(False))


def encodable(text: str) -> str:
    """Replace each lone surrogate, which the Rust tokenizer refuses, by one replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text
