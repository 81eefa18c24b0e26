"""Slices: which reviews belong to each, and when one is marked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import false_discovery_control, fisher_exact

from core.analysis.predicted_reviews import predicted_reviews
from core.analysis.predictions import Predictions
from core.analysis.slices import members, slices, token_counts
from core.config.schema import RunConfig
from core.errors import InputError
from core.inspection.target import find_target, resolve
from core.tokenization.encode import encode
from tests.core.support.training import configured, run


def predicted(correct: list[bool]) -> Predictions:
    """Predictions of positive reviews, correct where ``correct`` is."""
    n = len(correct)
    logits = np.where(correct, 1.0, -1.0)
    return Predictions("run", "epoch-1", "validation", np.arange(n), np.ones(n, dtype=np.int64), logits)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("negation", ["It is NOT good", "I don't know", "I don’t know", "nothing new"], ["knotty notes", "another"]),
        ("contrast", ["Long, but good", "However, no", "in spite of it all"], ["butter", "a thorough film"]),
        ("rating", ["7/10", "a solid 7.5 / 10.", "8 out of 10", "Ten out of ten", "three stars", "*** of ****", "4/5"],
         ["on 9/11", "24/7", "f***ing", "a **very** good film", "the stars shine", "in 1910"]),
        ("question", ["Why?"], ["Why!"]),
        ("capitals", ["It is SO BAD", "what a " + "film " * 96 + "OF ALL"],
         ["I saw a film", "A " * 60, "x " * 100 + "OK"]),
    ],
)  # fmt: skip
def test_reviews_belong_to_a_slice_by_their_words(name: str, inside: list[str], outside: list[str]) -> None:
    found = members(name, [*inside, *outside], [10] * len(inside + outside), 256)
    assert found.tolist() == [True] * len(inside) + [False] * len(outside)


def test_reviews_are_cut_if_they_have_more_tokens_than_max_length() -> None:
    assert members("cut", [""] * 3, [255, 256, 257], 256).tolist() == [False, False, True]
    assert members("whole", [""] * 3, [255, 256, 257], 256).tolist() == [True, True, False]


def test_the_quarters_split_the_reviews_by_length() -> None:
    n_tokens = [5, 80, 10, 70, 20, 60, 30, 40]
    quarters = [members(f"length-q{i}", [""] * 8, n_tokens, 256) for i in (1, 2, 3, 4)]
    assert [sorted(np.array(n_tokens)[quarter]) for quarter in quarters] == [[5, 10], [20, 30], [40, 60], [70, 80]]
    assert np.sum(quarters, axis=0).tolist() == [1] * 8
    same = [members(f"length-q{i}", [""] * 8, [7] * 8, 256).sum() for i in (1, 2, 3, 4)]
    assert same == [8, 0, 0, 0]


def test_a_slice_that_is_less_accurate_is_marked_and_one_by_chance_is_not() -> None:
    texts = ["not good"] * 50 + ["good"] * 150
    correct = [True, False] * 25 + [True] * 150
    rows = {row.name: row for row in slices(predicted(correct), texts, range(200), 500, pattern="good")}
    negation = rows["negation"]
    assert (negation.n, negation.accuracy, negation.rest_accuracy) == (50, 0.5, 1.0)
    assert negation.differs
    assert negation.interval == pytest.approx((0.366, 0.634), abs=1e-3)  # Wilson, by hand
    assert negation.p_value == pytest.approx(fisher_exact([[25, 25], [150, 0]]).pvalue)
    assert rows["pattern"].p_value is None, "every review matches, so there is no rest"
    assert (rows["question"].n, rows["question"].differs) == (0, False)
    assert np.isnan(rows["question"].accuracy)
    tested = [row for row in rows.values() if row.p_value is not None]
    expected = false_discovery_control([row.p_value for row in tested])
    assert [row.p_adjusted for row in tested] == pytest.approx(expected.tolist())


def test_slices_of_fewer_than_five_reviews_are_shown_but_never_marked() -> None:
    texts = ["why?"] * 4 + ["good"] * 400
    rows = {row.name: row for row in slices(predicted([False] * 4 + [True] * 400), texts, [9] * 404, 500)}
    assert (rows["question"].n, rows["question"].accuracy) == (4, 0.0)
    assert (rows["question"].p_value, rows["question"].differs) == (None, False)


def test_slices_of_equal_accuracy_are_marked_in_at_most_five_per_cent_of_trials() -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["not", "but", "why?", "7/10", "BAD"], 2)) for _ in range(200)]
    trials = 100
    marked = sum(
        any(row.differs for row in slices(predicted(list(random.random(200) < 0.8)), texts, range(200), 100))
        for _ in range(trials)
    )
    assert marked <= 0.05 * trials


def test_an_unknown_slice_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(InputError, match=r"no slice 'sarcasm'; slices are length-q1, .*, capitals$"):
        members("sarcasm", ["a"], [1], 10)
    with pytest.raises(InputError, match="needs a regular expression"):
        members("pattern", ["a"], [1], 10)
    assert members("pattern", ["a", "b"], [1, 1], 10, "b").tolist() == [False, True]


def test_no_reviews_have_no_slices_that_differ() -> None:
    rows = slices(predicted([]), [], [], 10)
    assert {row.n for row in rows} == {0}
    assert not any(row.differs for row in rows)


@pytest.mark.parametrize("specials", [True, False])
def test_tokens_are_counted_as_the_run_encodes_them_but_without_truncation(
    config: RunConfig, tmp_path: Path, specials: bool
) -> None:
    done, _ = run(configured(config, data__add_special_tokens=specials, train__num_epochs=1), tmp_path / "runs")
    texts = [*predicted_reviews(done).texts, "a film " * 40, "a"]
    tokenizer = resolve(find_target(done.name, done.path.parent)).tokenizer
    n_tokens, max_length = token_counts(done, texts)
    assert n_tokens.tolist() == [encode(tokenizer, text, add_special_tokens=specials).full_length for text in texts]
    assert max_length == 16
