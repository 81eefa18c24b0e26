"""From text to ids: encodings as plain data, by the Rust tokenizer that transformers itself uses.

Only ``tokenizers`` is imported, and that takes milliseconds, so this works before torch is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["word", "continuation", "special", "unknown"]

SPECIAL_MEANINGS = {
    "[CLS]": "starts every input; its last hidden state stands for the whole text when it is classified",
    "[SEP]": "ends a text; between two texts it tells where one stops and the next begins",
    "[PAD]": "fills shorter texts of a batch; the attention mask hides it",
    "[UNK]": "stands for text that the vocabulary cannot spell; what it was is lost",
    "[MASK]": "the blank that pretraining asks the model to fill in",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One row of the token table. ``start`` and ``end`` are character offsets into the source text."""

    position: int
    id: int
    token: str
    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text and its tokens; ``cut_from`` is the character where truncation cut, None where nothing was cut."""

    text: str
    tokens: tuple[Token, ...]
    full_length: int
    """How many tokens the text has without truncation, special tokens included where they are on."""
    cut_from: int | None

    @property
    def input_ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @property
    def cut_text(self) -> str:
        """The source text that max_length cut off."""
        return "" if self.cut_from is None else self.text[self.cut_from :]


def encode(
    tokenizer: Tokenizer, text: str, *, add_special_tokens: bool = True, max_length: int | None = None
) -> Encoding:
    """Encodes one text as DistilBertTokenizer would with the same settings, and says what was cut.

    Raises ValueError for a max_length below 3, which leaves no room for a token between two special ones.
    """
    text = _encodable(text)
    kept = tokenizer.encode(text, add_special_tokens=False)
    around = num_special_tokens(tokenizer) if add_special_tokens else 0
    full_length = len(kept.ids) + around
    cut_from = None
    if max_length is not None and (room := _room(max_length, around)) < len(kept.ids):
        cut_from = kept.offsets[room][0]
        kept.truncate(room)
    kept = tokenizer.post_process(kept, None, add_special_tokens)
    special = special_ids(tokenizer)
    unknown = tokenizer.token_to_id("[UNK]")
    tokens = tuple(
        Token(position, id_, token, start, end, _kind(id_, token, special, unknown))
        for position, (id_, token, (start, end)) in enumerate(zip(kept.ids, kept.tokens, kept.offsets, strict=True))
    )
    return Encoding(text, tokens, full_length, cut_from)


def encode_ids(
    tokenizer: Tokenizer, texts: Sequence[str], *, add_special_tokens: bool, max_length: int
) -> list[list[int]]:
    """The ids of many texts, each at most ``max_length`` long: the batched path that training uses."""
    around = num_special_tokens(tokenizer) if add_special_tokens else 0
    room = _room(max_length, around)
    encodings = tokenizer.encode_batch_fast([_encodable(text) for text in texts], add_special_tokens=False)
    for encoding in encodings:
        encoding.truncate(room)
    return [tokenizer.post_process(encoding, None, add_special_tokens).ids for encoding in encodings]


def _room(max_length: int, around: int) -> int:
    """How many tokens of the text fit.

    They are cut here and not by the tokenizer: its truncation is a setting, and a console that encodes a text
    while a run encodes its reviews with the same tokenizer would change it under the run's hands.
    """
    if max_length < 3:
        raise ValueError(f"max_length is {max_length}; it must be at least 3")
    return max_length - around


def special_ids(tokenizer: Tokenizer) -> frozenset[int]:
    """The ids that are marks rather than text."""
    return frozenset(i for i, added in tokenizer.get_added_tokens_decoder().items() if added.special)


def num_special_tokens(tokenizer: Tokenizer) -> int:
    """How many special tokens the template puts around one text."""
    return int(tokenizer.num_special_tokens_to_add(False))


def _kind(id_: int, token: str, special: frozenset[int], unknown: int | None) -> Kind:
    if id_ == unknown:
        return "unknown"
    if id_ in special:
        return "special"
    return "continuation" if token.startswith("##") else "word"


def _encodable(text: str) -> str:
    """Lone surrogates cannot be handed to the Rust tokenizer; each becomes one replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text
