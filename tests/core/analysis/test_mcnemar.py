"""The difference of two accuracies on the same reviews: interval, test, verdict, and whether the verdict is honest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from core.analysis.mcnemar import Paired, holm

TRIALS = 2000


@pytest.mark.parametrize(
    ("pair", "p_value"),
    [
        (Paired(50, 0, 0, 3), 1.0),
        (Paired(0, 1, 1, 0), 1.0),
        (Paired(0, 5, 0, 0), 2 / 32),
        (Paired(0, 8, 1, 0), 2 * (1 + 9) / 512),
        (Paired(0, 1, 8, 0), 2 * (1 + 9) / 512),
    ],
)
def test_the_p_value_matches_values_computed_by_hand(pair: Paired, p_value: float) -> None:
    assert pair.p_value == pytest.approx(p_value, rel=1e-9)


def test_the_p_value_of_many_reviews_does_not_overflow() -> None:
    assert Paired(0, 1000, 1200, 0).p_value == pytest.approx(2.2e-5, rel=0.2)
    assert 0 <= Paired(0, 0, 5000, 0).p_value < 1e-300


def test_the_interval_is_bonett_and_prices() -> None:
    pair = Paired(70, 8, 20, 22)
    first, second, n = 9 / 122, 21 / 122, 122
    half = 1.959964 * math.sqrt((first + second - (second - first) ** 2) / n)
    assert pair.difference == pytest.approx(12 / 120)
    assert pair.interval == pytest.approx((second - first - half, second - first + half), abs=1e-6)
    mirrored = Paired(70, 20, 8, 22)
    assert mirrored.difference == -pair.difference
    assert mirrored.interval == pytest.approx((-pair.interval.high, -pair.interval.low))
    assert Paired(0, 0, 3, 0).interval.high == 1.0


@pytest.mark.parametrize("n", [120, 400])
@pytest.mark.parametrize("differing", [0.1, 0.18, 0.25])
@pytest.mark.parametrize("truth", [0.0, 0.05])
def test_the_verdict_on_simulated_classifiers_is_honest(n: int, differing: float, truth: float) -> None:
    """Both are correct on 68 % of the reviews or more, so that their correctness is correlated."""
    only_first, only_second = (differing - truth) / 2, (differing + truth) / 2
    cells = [0.93 - differing, only_first, only_second, 0.07]
    drawn = np.random.default_rng([n, round(100 * differing)]).multinomial(n, cells, TRIALS)
    differing_cells, trials = np.unique(drawn[:, 1:3], axis=0, return_counts=True)
    covered, better = 0, {"first": 0, "second": 0}
    for (first, second), times in zip(differing_cells.tolist(), trials.tolist(), strict=True):
        pair = Paired(n - first - second, first, second, 0)
        covered += times * (pair.interval.low <= truth <= pair.interval.high)
        name, _, rest = pair.verdict("first", "second").partition(" ")
        if rest.startswith("is better"):
            better[name] += times
    assert 0.93 <= covered / TRIALS <= 0.97
    if truth == 0.0:
        assert sum(better.values()) / TRIALS <= 0.05
    else:
        assert better["first"] / TRIALS < 0.005
        assert better["second"] / TRIALS > 0.1  # 120 reviews have little power for 5 points


def test_a_difference_that_the_test_finds_is_outside_the_interval_too() -> None:
    for n in (8, 30, 120, 1000):
        for differing in range(min(n, 80) + 1):
            for first in range(differing // 2 + 1):
                pair = Paired(n - differing, first, differing - first, 0)
                if binom.cdf(first, differing, 0.5) * 2 < 0.05:
                    assert pair.interval.low > 0
                    break


def test_the_needed_reviews_give_the_power_of_four_in_five() -> None:
    pair = Paired(300, 30, 34, 36)
    differing, n = 66 / 402, pair.needed_reviews
    assert n == pytest.approx((1.959964 * differing**0.5 + 0.841621 * (differing - 0.0004) ** 0.5) ** 2 / 0.0004, abs=1)
    cells = [0.85 - differing / 2 - 0.01, differing / 2 - 0.01, differing / 2 + 0.01]
    drawn = np.random.default_rng(8).multinomial(n, [*cells, 1 - sum(cells)], TRIALS)
    z = (drawn[:, 2] - drawn[:, 1]) / np.sqrt(drawn[:, 1] + drawn[:, 2])
    assert np.mean(z > norm.ppf(0.975)) == pytest.approx(0.8, abs=0.03)
    assert Paired(10_000, 0, 0, 0).needed_reviews == pytest.approx(7.79 * 0.02 / 0.0004, rel=0.02)


def test_a_significant_difference_names_the_better_first() -> None:
    pair = Paired(300, 35, 65, 0)
    expected = "is better than {} by 7.5 points (95 % interval 2.6 to 12.3; 400 reviews)"
    assert pair.verdict("quick", "pretrained") == f"pretrained {expected.format('quick')}"
    assert Paired(300, 65, 35, 0).verdict("quick", "pretrained") == f"quick {expected.format('pretrained')}"
    assert pair.short_verdict == "7.5 points better than it, 95 % interval of the difference 2.6 to 12.3"


def test_no_difference_says_how_many_reviews_would_show_one() -> None:
    verdict = Paired(80, 12, 10, 18).verdict("quick", "improved")
    assert verdict == (
        "improved and quick cannot be told apart on these 120 reviews: the difference is −1.7 points (−9.5 to 6.2); "
        "about 3,900 reviews would be needed to see 2 points"
    )
    assert "cannot be told apart on this 1 review: the difference is 0.0 points" in Paired(1, 0, 0, 0).verdict("a", "b")
    enough = Paired(4000, 200, 230, 0).verdict("a", "b")
    assert enough.endswith("; a difference of 2 points would probably have been seen")


def test_interval_and_test_never_contradict_each_other_without_a_word() -> None:
    """Near its limit the exact test is the stricter of the two."""
    pair = Paired(300, 40, 60, 0)
    assert pair.interval.low > 0
    assert pair.p_value > 0.05
    assert not pair.is_significant
    assert "5.0 points (0.1 to 9.9), which the exact test does not confirm (p = 0.057)" in pair.verdict("a", "b")


def test_an_end_near_zero_is_not_written_as_zero() -> None:
    pair = Paired(100, 2, 9, 9)
    assert 0 < pair.interval.low < 0.0005
    assert "(0.04 to 11.44)" in pair.verdict("a", "b")


def test_holms_correction_matches_values_computed_by_hand() -> None:
    """p = 0.0352, 0.0039, 0.0625 and 1: times 3, 4, 2 and 1, and never below a smaller p."""
    pairs = [Paired(90, 1, 8, 1), Paired(90, 0, 9, 1), Paired(90, 0, 5, 5), Paired(90, 3, 3, 4)]
    found = holm(pairs)
    assert [pair.p_adjusted for pair in found] == pytest.approx([3 * 20 / 512, 4 * 2 / 512, 2 * 2 / 32, 1.0])
    assert {pair.comparisons for pair in found} == {4}
    assert [pair.both for pair in found] == [90] * 4
    same = holm([Paired(90, 1, 8, 1), Paired(90, 0, 6, 4)])  # p = 0.039, 0.031: 0.0625 is carried over
    assert [pair.p_adjusted for pair in same] == pytest.approx([0.0625, 0.0625])
    assert holm([]) == []


def test_a_difference_that_the_correction_removes_says_so() -> None:
    one, _ = holm([Paired(85, 1, 8, 6), Paired(85, 0, 6, 9)])
    assert one.interval.low > 0
    assert one.p_value < 0.05
    verdict = one.verdict("a", "b")
    assert verdict.startswith("b and a cannot be told apart")
    assert "which is not significant: p = 0.062 after Holm's correction for 2 comparisons" in verdict
    strong, _ = holm([Paired(85, 0, 12, 6), Paired(85, 0, 6, 9)])
    assert strong.verdict("a", "b").endswith("; 103 reviews; p = 0.00098 after Holm's correction for 2 comparisons)")
