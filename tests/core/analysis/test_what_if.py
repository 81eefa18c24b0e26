"""What if: the predictions of reviews before and after a replacement."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from scipy.stats import binomtest

from core.analysis.evaluate_on import evaluate_on
from core.analysis.predict import predict
from core.analysis.scorer import Scorer, load_scorer
from core.analysis.what_if import WhatIf, what_if
from core.config.schema import RunConfig
from core.errors import Stopped
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    """A run that has learned the words joy and bore."""
    changes = {"train__num_epochs": 8, "train__learning_rate": 1e-2, "data__add_special_tokens": True}
    return run(configured(config, **changes), tmp_path / "default-runs")[0]


@pytest.fixture
def scorer(done: Run) -> Scorer:
    return load_scorer(resolve(find_target(done.name, done.path.parent)))


WARM, DULL = "film was a warm and moving joy", "film was a dull and tedious bore"


def test_the_logits_equal_those_of_the_texts_predicted_alone(scorer: Scorer) -> None:
    texts = [WARM, DULL, "a warm plot", "a good plot"]
    found = what_if(scorer, texts, [5, 6, 7, 8], "warm", "dull")
    assert (found.reviews, found.n, found.unseen) == (4, 2, 0)
    assert {one.id for one in found.examples} == {5, 7}
    for one in found.examples:
        assert one.after == one.before.replace("warm", "dull")
        before, after = predict(scorer.resolved, [one.before, one.after])
        assert (one.before_logit, one.after_logit) == pytest.approx((before.logit, after.logit), abs=1e-5)
        assert one.before_probability == pytest.approx(before.probability, abs=1e-6)
        assert one.after_probability == pytest.approx(after.probability, abs=1e-6)
        assert one.before[one.start :].startswith("warm")
    changes = [abs(one.after_probability - one.before_probability) for one in found.examples]
    assert changes == sorted(changes, reverse=True)
    logits = [one.after_logit - one.before_logit for one in found.examples]
    assert found.mean_change == pytest.approx(sum(logits) / 2)


def test_flips_are_counted_by_direction_with_wilsons_interval(scorer: Scorer) -> None:
    texts = [WARM, WARM, WARM, DULL]
    found = what_if(scorer, texts, range(4), "warm and moving joy|dull and", "dull and tedious bore", regex=True)
    assert (found.n, found.flipped, found.to_negative, found.to_positive) == (4, 3, 3, 0)
    assert [one.flipped for one in found.examples] == [True, True, True, False]
    expected = binomtest(3, 4).proportion_ci(method="wilson")
    assert found.share == 0.75
    assert found.interval == pytest.approx((expected.low, expected.high))
    back = what_if(scorer, [DULL], [0], "dull and tedious bore", "warm and moving joy")
    assert (back.to_negative, back.to_positive) == (0, 1)


def test_a_change_beyond_max_length_counts_as_unchanged(scorer: Scorer) -> None:
    assert scorer.max_length == 16
    found = what_if(scorer, ["film " * 30 + "warm", "warm " * 3], [0, 1], "warm", "dull")
    assert (found.n, found.unseen) == (2, 1)
    cut = found.examples[-1]
    assert (cut.id, cut.flipped, cut.after_logit) == (0, False, cut.before_logit)
    assert cut.after.endswith("dull")


def test_a_pattern_that_no_review_contains_gives_no_share(scorer: Scorer) -> None:
    found = what_if(scorer, [WARM], [0], "absent", "x")
    assert found == WhatIf(1, 0, 0, 0, 0, None, None, None, [])
    assert found.flipped == 0


@pytest.mark.parametrize("specials", [True, False])
def test_a_review_of_which_nothing_is_left_is_predicted_as_in_training(
    config: RunConfig, tmp_path: Path, specials: bool
) -> None:
    changes = {"train__num_epochs": 1, "data__add_special_tokens": specials}
    done, _ = run(configured(config, **changes), tmp_path / "runs")
    scorer = load_scorer(resolve(find_target(done.name, done.path.parent)))
    (one,) = what_if(scorer, [WARM], [7], ".+", "", regex=True).examples
    special = {name: scorer.resolved.tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[UNK]")}
    row = [special["[CLS]"], special["[SEP]"]] if specials else [special["[UNK]"]]
    assert one.after_logit == pytest.approx(scorer.logits([row])[0], abs=1e-5)


def test_many_texts_are_encoded_as_one_by_one(scorer: Scorer) -> None:
    texts = [WARM, "film " * 40, "a"]
    assert scorer.rows(texts) == [scorer.encode(text).input_ids for text in texts]


def test_progress_counts_the_computed_texts_and_a_cancel_ends_the_work(scorer: Scorer) -> None:
    seen: list[tuple[int, int]] = []
    what_if(scorer, [WARM] * 40, range(40), "warm", "dull", on_progress=lambda *counts: seen.append(counts))
    assert seen == [(32, 80), (64, 80), (80, 80)]

    def cancel() -> None:
        if len(seen) > 3:
            raise Stopped

    with pytest.raises(Stopped):
        what_if(
            scorer,
            [WARM] * 40,
            range(40),
            "warm",
            "dull",
            on_progress=lambda *counts: seen.append(counts),
            check_cancelled=cancel,
        )
    assert len(seen) == 4


def test_probabilities_of_extreme_logits_do_not_overflow() -> None:
    from core.analysis.what_if import sigmoid

    assert (sigmoid(0.0), sigmoid(-800.0), sigmoid(800.0)) == (0.5, 0.0, 1.0)
    assert sigmoid(-2.0) == pytest.approx(1 / (1 + math.exp(2)))


def test_the_command_answers_as_table_and_as_json(call: Call, done: Run) -> None:
    code, out, err = call("what-if", "last", "warm and moving joy", "dull and tedious bore", "--json")
    assert code == 0
    answer = json.loads(out)
    positives = sum(label for _, label, _ in done.predictions(8))
    assert answer["reviews"] == 8
    assert answer["n"] == answer["flipped"] == answer["to_negative"] == positives > 0
    assert answer["share"] == 1.0
    assert answer["interval"] == pytest.approx(binomtest(positives, positives).proportion_ci(method="wilson"))
    for one in answer["examples"]:
        assert (one["label"], one["flipped"]) == ("positive", True)
        assert one["before_probability"] > 0.5 > one["after_probability"]
        assert (one["before"].endswith("joy"), one["after"].endswith("bore")) == (True, True)
    assert f"{positives} predictions flip, 100.0 %" in err
    code, out, err = call("what-if", "last", "warm", "dull", "--top", 1, "--limit", 7)
    assert code == 0
    assert out.splitlines()[0].split() == ["id", "label", "before", "after", "flipped", "after", "the", "change"]
    assert len(out.splitlines()) == 2
    assert "dull and moving joy" in out
    assert "of 7 reviews contain the pattern" in err


def test_the_command_refuses_bad_input_in_one_line(call: Call, done: Run, folder: Path) -> None:
    assert "give a pattern and its replacement" in refused(call("what-if", "last", "warm"))
    assert "there is no preset 'x'; presets are praise, names, negations" in refused(
        call("what-if", "last", "--preset", "x")
    )
    assert "give either --preset, or a pattern" in refused(call("what-if", "last", "a", "b", "--preset", "names"))
    assert "not a valid regular expression" in refused(call("what-if", "last", "(", "b", "--regex"))
    assert "is not a run" in refused(call("what-if", folder, "a", "b"))
    code, out, err = call("what-if", "last", "--preset", "names")
    assert (code, out.count("\n")) == (0, 1)
    assert "none of 8 reviews contains the pattern" in err


def test_the_command_searches_the_reviews_of_an_evaluation_also_without_labels(
    call: Call, done: Run, scorer: Scorer, tmp_path: Path
) -> None:
    unlabelled = tmp_path / "unlabelled.csv"
    unlabelled.write_text("review\n" + "".join(f"a warm plot {i}\n" for i in range(6)), encoding="utf-8")
    evaluate_on(scorer.resolved, str(unlabelled), label="new")
    answer = json.loads(call("what-if", "last", "warm", "dull", "--label", "new", "--json")[1])
    assert (answer["reviews"], answer["n"]) == (6, 6)
    assert {one["label"] for one in answer["examples"]} == {None}
    code, out, _ = call("what-if", "last", "warm", "dull", "--label", "new")
    assert (code, out.splitlines()[1].split()[1]) == (0, "–")
    assert "no evaluation 'absent'" in refused(call("what-if", "last", "warm", "dull", "--label", "absent"))
