"""List and search the vocabulary of a tokenizer: by id, by token, by pattern."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from core.errors import InputError
from core.tokenization.encode import special_ids

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Entry(NamedTuple):
    """One token of the vocabulary; ``begins_word`` is False for one that continues a word."""

    id: int
    token: str
    begins_word: bool


@lru_cache(maxsize=8)
def entries(tokenizer: Tokenizer) -> tuple[Entry, ...]:
    """Return the whole vocabulary, sorted by id."""
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
    """Return the entries that match a query, the best match first.

    A number matches the id and all tokens that contain its digits. ``*`` matches any characters and ``?`` one
    (``play*``); a query that starts with ``^`` or ends with ``$`` is a regular expression (``^un.*ly$``); any other
    query matches the tokens that contain it. An empty query matches everything. Raises InputError for an invalid
    regular expression.
    """
    known = entries(tokenizer)
    if not query:
        return list(known)
    if query.startswith("^") or query.endswith("$"):
        try:
            pattern = re.compile(query)
        except re.error as error:
            raise InputError(
                f"{query!r} is not a valid regular expression ({error}); * matches any characters, ? matches one"
            ) from None
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
