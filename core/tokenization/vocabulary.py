"""What a tokenizer's vocabulary holds: by id, by piece, by pattern; which pieces begin a word."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from core.errors import InputError
from core.tokenization.encode import special_ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Entry(NamedTuple):
    """One piece of the vocabulary."""

    id: int
    token: str
    begins_word: bool


@lru_cache(maxsize=8)
def entries(tokenizer: Tokenizer) -> tuple[Entry, ...]:
    """The whole vocabulary by id."""
    special = special_ids(tokenizer)
    vocabulary = sorted(tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda pair: pair[1])
    prefix = getattr(tokenizer.model, "continuing_subword_prefix", None)
    marks = ("Ġ", "▁")
    marked = any(token.startswith(marks) for token, _ in vocabulary)

    def begins(token: str, id_: int) -> bool:
        if id_ in special:
            return False
        if prefix:
            return not token.startswith(prefix)
        return token.startswith(marks) if marked else True

    return tuple(Entry(id_, token, begins(token, id_)) for token, id_ in vocabulary)


def search(tokenizer: Tokenizer, query: str) -> list[Entry]:
    """The entries that a query names, the best first.

    A number is an id, and also whatever pieces contain its digits. ``*`` and ``?`` stand for any characters and any
    one (``play*``); a query that begins with ``^`` or ends with ``$`` is a regular expression (``^un.*ly$``);
    anything else is a part of a piece. An empty query is the whole vocabulary. Raises InputError for a regular
    expression that is none.
    """
    known = entries(tokenizer)
    if not query:
        return list(known)
    if query.startswith("^") or query.endswith("$"):
        try:
            pattern = re.compile(query)
        except re.error as error:
            raise InputError(f"{query!r} is no regular expression ({error}); use * and ? for any characters") from None
        return [entry for entry in known if pattern.search(entry.token)]
    if "*" in query or "?" in query:
        parts = {"*": ".*", "?": "."}
        glob = re.compile("".join(parts.get(char) or re.escape(char) for char in query), re.DOTALL)
        exact = [entry for entry in known if entry.token == query]
        return exact + [entry for entry in known if entry.token != query and glob.fullmatch(entry.token)]
    found = [entry for entry in known if query in entry.token]
    number = int(query) if query.isascii() and query.isdigit() else None

    def rank(entry: Entry) -> tuple[bool, bool, bool, int]:
        return entry.id != number, entry.token != query, not entry.token.startswith(query), entry.id

    if number is not None:
        found += [entry for entry in known if entry.id == number and entry not in found]
    return sorted(found, key=rank)
