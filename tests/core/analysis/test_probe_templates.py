"""The shipped pairs of sentences."""

from __future__ import annotations

import re

import pytest

from core.analysis.probe_templates import PAIRS, find_kinds, probe_kinds
from core.errors import InputError


def test_each_kind_has_forty_different_complete_pairs() -> None:
    for kind in probe_kinds():
        assert len(set(kind.pairs)) == PAIRS == 40, kind.name
        for first, second in kind.pairs:
            assert first != second
            assert re.search(r"[{}]| {2}", first + second) is None
            assert first[0].isupper()
            assert first.endswith(".")
            assert second.endswith(".")


def test_there_are_probes_of_invariance_and_of_direction() -> None:
    tests = {kind.name: kind.test for kind in probe_kinds()}
    assert len(tests) == len(probe_kinds())
    assert {name for name, test in tests.items() if test == "invariance"} == {
        *("neutral-words", "neutral-sentences", "names", "places", "he-and-she", "typos", "contractions")
    }
    assert {tests["negated-praise"], tests["stronger-praise"], tests["added-criticism"]} == {"direction"}


def test_the_pairs_are_the_same_in_every_process() -> None:
    pairs = {kind.name: kind.pairs[0] for kind in probe_kinds()}
    assert pairs["negated-praise"] == ("The story is convincing.", "The story is not convincing.")
    before = probe_kinds()
    probe_kinds.cache_clear()
    assert probe_kinds() == before


@pytest.mark.parametrize("kind", ["names", "places"])
def test_the_sentences_of_a_pair_differ_only_in_the_name(kind: str) -> None:
    for first, second in find_kinds([kind])[0].pairs:
        one, other = first.split(), second.split()
        start = next(i for i, words in enumerate(zip(one, other, strict=False)) if words[0] != words[1])
        while one[-1] == other[-1]:
            one.pop(), other.pop()
        for names in (one[start:], other[start:]):
            assert 1 <= len(names) <= 2
            assert all(name[0].isupper() for name in names)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="there is no kind of probes 'x'; kinds are neutral-words, "):
        find_kinds(["x"])
