"""The stages from text to ids: raw, normalised, pre-tokens, model, template, each computed by ``tokenizers``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from core.tokenization.encode import Encoding, encode, unknown_id

if TYPE_CHECKING:
    from tokenizers import PreTokenizedString, Tokenizer


class Piece(NamedTuple):
    """A part of the output of a stage: its text, its span in the source text, and whether this stage changed it."""

    text: str
    start: int
    end: int
    changed: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """One step from text to ids. ``output`` is a string in the first two stages, then a list of strings."""

    name: str
    output: str | list[str]
    pieces: tuple[Piece, ...]
    meaning: str


MEANINGS = {
    "raw": "the text as typed",
    "normalised": "cleaned, lower case, without accents",
    "pre-tokens": "split at spaces and punctuation",
    "WordPiece": "split into vocabulary tokens",
    "with template": "special tokens added",
}


def stages(
    tokenizer: Tokenizer,
    text: str,
    *,
    add_special_tokens: bool = True,
    max_length: int | None = None,
    final: Encoding | None = None,
) -> tuple[Stage, ...]:
    """Return the five stages of one text, in order.

    A special token that is typed in the text is separated first, as ``tokenizers`` does, and is in each stage as it was
    typed. The fourth stage has the name of the tokenizer's model. Pass ``final``, the encoding of the same text with
    the same settings, if it is already known. Raises ValueError as :func:`core.tokenization.encode.encode` does.
    """
    if final is None:
        final = encode(tokenizer, text, add_special_tokens=add_special_tokens, max_length=max_length)
    whole = final
    if add_special_tokens or final.cut_from is not None:
        whole = encode(tokenizer, text, add_special_tokens=False)
    text = whole.text
    unknown = unknown_id(tokenizer)
    unknown_name = None if unknown is None else tokenizer.id_to_token(unknown)
    model = tokenizer.model
    normalised: list[Piece] = []
    pre_tokens: list[Piece] = []
    pieces: list[Piece] = []
    body = whole.tokens
    for segment, start, added in _segments(tokenizer, whole):
        if added:
            typed = Piece(segment, start, start + len(segment), False)
            normalised.append(typed)
            pre_tokens.append(typed)
            pieces.append(typed._replace(text=body[len(pieces)].token))
            continue
        normalised.extend(_normalised(tokenizer, segment, start))
        for word in _pre_tokens(tokenizer, segment, start):
            is_joined = bool(pre_tokens) and word.start == pre_tokens[-1].end and word.start > 0
            pre_tokens.append(word._replace(changed=is_joined))
            names = [piece.value for piece in model.tokenize(word.text)]
            is_unknown = names == [unknown_name]
            for name in names:
                # If the tokens of the word alone differ from those of the whole text, the span is that of the word.
                token = body[len(pieces)] if len(pieces) < len(body) else None
                span = token if token and token.token == name else word
                pieces.append(Piece(name, span.start, span.end, len(names) > 1 or is_unknown))
    template = tuple(
        Piece(token.token, token.start, token.end, token.kind == "special" and token.start == token.end)
        for token in final.tokens
    )
    return (
        Stage("raw", text, (Piece(text, 0, len(text), False),), MEANINGS["raw"]),
        Stage("normalised", "".join(p.text for p in normalised), tuple(normalised), MEANINGS["normalised"]),
        Stage("pre-tokens", [p.text for p in pre_tokens], tuple(pre_tokens), MEANINGS["pre-tokens"]),
        Stage(type(model).__name__, [p.text for p in pieces], tuple(pieces), MEANINGS["WordPiece"]),
        Stage("with template", [p.text for p in template], template, MEANINGS["with template"]),
    )


def typed_specials(tokenizer: Tokenizer, encoding: Encoding) -> list[tuple[int, int]]:
    """Return the spans of special tokens that are typed in the text, such as ``[SEP]``."""
    added = {i: token.content for i, token in tokenizer.get_added_tokens_decoder().items()}
    text = encoding.text
    return [
        (token.start, token.end)
        for token in encoding.tokens
        if token.id in added and token.start < token.end and text[token.start : token.end].strip() == added[token.id]
    ]


def _segments(tokenizer: Tokenizer, whole: Encoding) -> list[tuple[str, int, bool]]:
    """Split the text at typed special tokens: (part, its start, whether it is a special token)."""
    parts, position, text = [], 0, whole.text
    for start, end in typed_specials(tokenizer, whole):
        if position < start:
            parts.append((text[position:start], position, False))
        parts.append((text[start:end], start, True))
        position = end
    if position < len(text):
        parts.append((text[position:], position, False))
    return parts


def _normalise(tokenizer: Tokenizer, segment: str) -> PreTokenizedString:
    from tokenizers import PreTokenizedString

    string = PreTokenizedString(segment)
    if tokenizer.normalizer is not None:
        string.normalize(tokenizer.normalizer.normalize)
    return string


def _normalised(tokenizer: Tokenizer, segment: str, offset: int) -> list[Piece]:
    """Normalise a segment and split it at spaces, to find the words that the normalizer changed."""
    from tokenizers import Regex, pre_tokenizers

    string = _normalise(tokenizer, segment)
    pre_tokenizers.Split(Regex(r"\s+"), "isolated").pre_tokenize(string)
    splits = string.get_splits("original", "char")
    pieces: list[Piece] = []
    last = 0
    for part, (start, end), _ in splits:
        deleted = last < start
        if deleted and pieces and not pieces[-1].text.isspace():
            # Deleted characters are in no part: they count as a change of the word before them.
            pieces[-1] = pieces[-1]._replace(changed=True)
            deleted = False
        pieces.append(Piece(part, offset + start, offset + end, deleted or part != segment[start:end]))
        last = end
    if pieces and last < len(segment):
        pieces[-1] = pieces[-1]._replace(changed=True)
    return pieces


def _pre_tokens(tokenizer: Tokenizer, segment: str, offset: int) -> list[Piece]:
    string = _normalise(tokenizer, segment)
    if tokenizer.pre_tokenizer is not None:
        tokenizer.pre_tokenizer.pre_tokenize(string)
    splits = string.get_splits("original", "char")
    return [Piece(part, offset + start, offset + end, False) for part, (start, end), _ in splits if part]
