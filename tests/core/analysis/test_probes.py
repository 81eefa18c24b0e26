"""Behavioural probes: when a pair fails, and how failures are counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy.stats import binomtest

from core.analysis.intervals import wilson
from core.analysis.predict import predict
from core.analysis.probe_templates import Expectation, find_kinds, probe_kinds
from core.analysis.probes import ProbePair, ProbeResult, fails, run_probes
from core.analysis.scorer import Scorer, load_scorer
from core.config.schema import RunConfig
from core.errors import Stopped
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    config = configured(config, train__num_epochs=1, data__add_special_tokens=True, data__max_length=22)
    return run(config, tmp_path / "default-runs")[0]


@pytest.fixture
def scorer(done: Run) -> Scorer:
    return load_scorer(resolve(find_target(done.name, done.path.parent)))


@pytest.mark.parametrize(
    ("expect", "passing", "failing"),
    [
        ("same", [(3.0, 4.0), (-0.1, -0.4), (-4.0, -3.0)], [(0.1, -0.1), (0.1, 0.6), (2.0, 1.0)]),
        ("higher", [(0.0, 0.1), (-5.0, -4.0)], [(0.0, 0.0), (1.0, 0.9)]),
        ("lower", [(0.0, -0.1), (5.0, 4.0)], [(0.0, 0.0), (-1.0, -0.9)]),
        ("negative", [(3.0, -0.1), (-1.0, -2.0)], [(3.0, 0.1), (-2.0, -1.0), (3.0, 4.0)]),
        ("positive", [(-3.0, 0.1), (1.0, 2.0)], [(-3.0, -0.1), (-3.0, 0.0), (2.0, 1.0)]),
    ],
)
def test_a_pair_fails_unless_it_does_what_is_expected(
    expect: Expectation, passing: list[tuple[float, float]], failing: list[tuple[float, float]]
) -> None:
    assert [fails(expect, *pair) for pair in passing] == [False] * len(passing)
    assert [fails(expect, *pair) for pair in failing] == [True] * len(failing)


def test_the_clearest_failure_comes_first() -> None:
    logits = [(0.0, 1.0), (0.0, -1.0), (0.0, -3.0), (0.0, 2.0)]
    pairs = [ProbePair(str(i), "", *pair, failed=fails("higher", *pair)) for i, pair in enumerate(logits)]
    result = ProbeResult("kind", "direction", "", "higher", 4, 2, wilson(2, 4), 0, pairs)
    assert [pair.first for pair in result.examples] == ["2", "1"]
    assert result.share == 0.5


def test_the_logits_equal_those_of_the_sentences_predicted_alone(scorer: Scorer) -> None:
    results = run_probes(scorer)
    assert [result.kind for result in results] == [kind.name for kind in probe_kinds()]
    for result, kind in zip(results[::5], probe_kinds()[::5], strict=True):
        assert [(pair.first, pair.second) for pair in result.pairs] == list(kind.pairs)
        alone = predict(scorer.resolved, [sentence for pair in kind.pairs for sentence in pair])
        together = [logit for pair in result.pairs for logit in (pair.first_logit, pair.second_logit)]
        assert together == pytest.approx([one.logit for one in alone], abs=1e-5)
        assert result.pairs[0].second_probability == pytest.approx(alone[1].probability, abs=1e-6)


def test_failures_are_counted_with_wilsons_interval(scorer: Scorer) -> None:
    for result in run_probes(scorer):
        failed = [fails(result.expect, pair.first_logit, pair.second_logit) for pair in result.pairs]
        assert result.failures == sum(failed) == len(result.examples)
        expected = binomtest(sum(failed), 40).proportion_ci(method="wilson")
        assert result.interval == pytest.approx((expected.low, expected.high))


def test_pairs_that_are_longer_than_max_length_are_counted(scorer: Scorer) -> None:
    room = scorer.max_length
    for result in run_probes(scorer, kinds=["added-praise", "negated-praise"]):
        (kind,) = find_kinds([result.kind])
        long = [any(scorer.encode(each).full_length > room for each in pair) for pair in kind.pairs]
        assert result.truncated == sum(long)
        assert (result.truncated > 0) == (result.kind == "added-praise")


def test_progress_counts_sentences_and_a_cancel_ends_the_work(scorer: Scorer) -> None:
    seen: list[tuple[int, int]] = []
    run_probes(scorer, kinds=["negated-praise"], on_progress=lambda *counts: seen.append(counts))
    assert seen == [(64, 80), (80, 80)]

    def cancel() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        run_probes(scorer, check_cancelled=cancel)


def test_the_command_answers_as_table_and_as_json(call: Call, done: Run, scorer: Scorer) -> None:
    results = run_probes(scorer)
    code, out, _ = call("probes", "last", "--json")
    assert code == 0
    for answer, result in zip(json.loads(out), results, strict=True):
        assert (answer["kind"], answer["n"], answer["failures"]) == (result.kind, 40, result.failures)
        assert (answer["test"], answer["expect"]) == (result.test, result.expect)
        assert answer["share"] == pytest.approx(result.failures / 40)
        assert [(one["first"], one["second"]) for one in answer["examples"]] == [
            (pair.first, pair.second) for pair in result.examples
        ]
    code, out, err = call("probes", "last")
    assert code == 0
    assert [line.split()[:4] for line in out.splitlines()[1:]] == [
        [result.kind, result.expect, "40", str(result.failures)] for result in results
    ]
    assert f"{sum(result.failures for result in results)} of 600 pairs failed" in err


def test_the_command_lists_the_failed_pairs_of_one_kind(call: Call, done: Run, scorer: Scorer) -> None:
    (result,) = run_probes(scorer, kinds=["stronger-praise"])
    code, out, err = call("probes", "last", "--kind", "stronger-praise")
    assert code == 0
    assert [line.partition(" %  ")[2].rstrip() for line in out.splitlines() if " %  " in line] == [
        sentence for pair in result.examples for sentence in (pair.first, pair.second)
    ]
    assert f"{result.failures} of 40 pairs failed" in err
    assert [one["kind"] for one in json.loads(call("probes", "last", "--kind", "names", "--json")[1])] == ["names"]
    assert "there is no kind of probes 'x'" in refused(call("probes", "last", "--kind", "x"))
