"""The behavioural probes shipped with the program: pairs of sentences, and how the second changes the prediction.

In the manner of CheckList (Ribeiro et al., "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList", ACL
2020, arXiv:2005.04118), with templates of our own in ``probes.toml``.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from core.errors import InputError

Expectation = Literal["same", "higher", "lower", "negative", "positive"]
PAIRS = 40
"""Number of pairs of each kind."""
_SLOT = re.compile(r"\{(\w+?)(_2)?\}")


@dataclass(frozen=True, slots=True)
class ProbeKind:
    """One way to change a sentence, with its pairs of (sentence, changed sentence)."""

    name: str
    description: str
    expect: Expectation
    pairs: tuple[tuple[str, str], ...]

    @property
    def test(self) -> str:
        """``invariance`` if the prediction must stay, ``direction`` if it must move."""
        return "invariance" if self.expect == "same" else "direction"


@cache
def probe_kinds() -> tuple[ProbeKind, ...]:
    """The kinds of probes in the order of the file, each with :data:`PAIRS` different pairs, always the same."""
    content = tomllib.loads(resources.files("core.analysis").joinpath("probes.toml").read_text(encoding="utf-8"))
    return tuple(
        ProbeKind(kind["name"], kind["description"], kind["expect"], _pairs(kind, content["words"]))
        for kind in content["kinds"]
    )


def find_kinds(names: Iterable[str] | None = None) -> tuple[ProbeKind, ...]:
    """All kinds of probes, or those with these names. Raises InputError for an unknown name."""
    known = {kind.name: kind for kind in probe_kinds()}
    chosen = list(known if names is None else names)
    if unknown := [name for name in chosen if name not in known]:
        raise InputError(f"there is no kind of probes {unknown[0]!r}; kinds are {', '.join(known)}")
    return tuple(known[name] for name in chosen)


def _pairs(kind: dict[str, Any], words: dict[str, list[str]]) -> tuple[tuple[str, str], ...]:
    """Fill the templates in turn with words drawn at random, from a seed that is the name of the kind."""
    chance = random.Random(kind["name"])
    found: dict[tuple[str, str], None] = {}  # a set in order
    for turn in range(100 * PAIRS):
        first, second = kind["pairs"][turn % len(kind["pairs"])]
        slots = {slot.group(1) for slot in _SLOT.finditer(first + second)}
        drawn = {slot: chance.sample(words[slot], 2) for slot in sorted(slots)}
        found[_filled(first, drawn), _filled(second, drawn)] = None
        if len(found) == PAIRS:
            return tuple(found)
    raise AssertionError(f"the templates of {kind['name']} give fewer than {PAIRS} pairs")


def _filled(template: str, drawn: dict[str, list[str]]) -> str:
    return _SLOT.sub(lambda slot: drawn[slot.group(1)][slot.group(2) is not None], template)
