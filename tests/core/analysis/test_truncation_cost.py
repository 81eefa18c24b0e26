"""What truncation costs: each review predicted by its first, by all and by its last tokens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.analysis.comparison import Paired
from core.analysis.predictions import Predictions
from core.analysis.scorer import Scorer, load_scorer
from core.analysis.truncation_cost import TruncationCost, truncation_cost
from core.config.schema import RunConfig
from core.data.batches import Examples
from core.errors import InputError, Stopped
from core.inspection.target import find_target, resolve
from core.runs.directory import Run
from tests.core.support.training import configured, run

TEXTS = [
    "a warm film " * 2,
    "a dull film " * 4,
    "warm and moving " * 9,
    "dull plot " * 12 + "joy",
    "the plot warm film dull " * 20,
]
LENGTHS = [6, 12, 27, 25, 100]


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    return run(configured(config, train__num_epochs=1), tmp_path / "runs")[0]


def scorer_of(done: Run) -> Scorer:
    return load_scorer(resolve(find_target(done.name, done.path.parent)))


def some(texts: list[str] = TEXTS) -> Predictions:
    n = len(texts)
    return Predictions("run", "epoch-1", "validation", np.arange(n) + 10, np.arange(n) % 2, np.zeros(n))


def logit_by_hand(scorer: Scorer, ids: list[int]) -> float:
    """The logit of one review by the padded model of transformers."""
    batch = Examples([ids], [0], [0]).batch([0], torch.device("cpu"))
    input_ids, mask = batch.padded()
    scorer.model.eval()
    with torch.inference_mode():
        hidden = scorer.model.distilbert(input_ids, attention_mask=mask).last_hidden_state
        return float(scorer.model.classifier(hidden[:, 0]).squeeze())


def ids_of(scorer: Scorer, text: str) -> list[int]:
    return scorer.encode(text, max_length=512).input_ids


def test_each_cut_review_is_read_by_its_first_by_all_and_by_its_last_tokens(done: Run) -> None:
    scorer = scorer_of(done)
    assert [len(ids_of(scorer, text)) for text in TEXTS] == LENGTHS
    cost = truncation_cost(scorer, some(), TEXTS)
    assert (cost.max_length, cost.whole_length, cost.n, cost.longer, cost.still_cut) == (16, 64, 3, 3, 1)
    assert cost.cut.ids.tolist() == [12, 13, 14]
    whole = [ids_of(scorer, text) for text in TEXTS[2:]]
    expected = {
        "cut": [logit_by_hand(scorer, ids[:16]) for ids in whole],
        "whole": [logit_by_hand(scorer, ids[:64]) for ids in whole],
        "tail": [logit_by_hand(scorer, ids[-16:]) for ids in whole],
    }
    assert cost.whole is not None
    for name, logits in expected.items():
        assert getattr(cost, name).logits == pytest.approx(np.array(logits), abs=1e-5)
        assert getattr(cost, name).labels.tolist() == [0, 1, 0]
    assert len({round(logit, 6) for logits in expected.values() for logit in logits}) == 9, "the test tells them apart"


def test_progress_counts_all_forward_passes_and_may_stop(done: Run) -> None:
    seen: list[tuple[int, int]] = []
    truncation_cost(scorer_of(done), some(), TEXTS, on_progress=lambda *step: seen.append(step))
    assert seen[-1] == (9, 9)
    assert [step for step, _ in seen] == sorted(step for step, _ in seen)

    def stop(done: int, total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        truncation_cost(scorer_of(done), some(), TEXTS, on_progress=stop)


def test_of_many_cut_reviews_a_random_sample_is_read_that_is_always_the_same(done: Run) -> None:
    texts = ["a warm film " * 8] * 30
    first, again = (truncation_cost(scorer_of(done), some(texts), texts, limit=5) for _ in range(2))
    assert (first.n, first.longer) == (5, 30)
    assert first.cut.ids.tolist() == again.cut.ids.tolist() == sorted(first.cut.ids.tolist())
    assert first.cut.ids.tolist() != list(range(10, 15))
    assert first.notes[0] == "a random sample of 5 of the 30 reviews that are cut"


def test_a_run_that_reads_all_positions_of_its_model_is_only_compared_with_the_tail(done: Run) -> None:
    scorer = scorer_of(done)
    config = scorer.resolved.target.config.set("data.max_length", 64)
    wide = replace(scorer, resolved=replace(scorer.resolved, target=replace(scorer.resolved.target, config=config)))
    cost = truncation_cost(wide, some(), TEXTS)
    assert (cost.max_length, cost.whole_length, cost.n) == (64, 64, 1)
    assert (cost.whole, cost.whole_against_cut) == (None, None)
    assert len(cost.verdicts) == 1
    assert cost.notes == []


def test_reviews_of_which_none_is_cut_are_refused(done: Run) -> None:
    with pytest.raises(InputError, match="no review of validation is longer than 16 tokens: none is cut"):
        truncation_cost(scorer_of(done), some(TEXTS[:2]), TEXTS[:2])


def test_the_comparisons_are_whole_and_tail_minus_cut() -> None:
    def predicted(logits: list[float]) -> Predictions:
        return Predictions("run", "epoch-1", "rest", np.arange(4), np.ones(4, dtype=np.int64), np.array(logits))

    cut, whole, tail = predicted([1, -1, -1, -1]), predicted([1, 1, 1, -1]), predicted([-1, -1, -1, -1])
    cost = TruncationCost(256, 512, 4, 1, cut, whole, tail, untrained_positions=True)
    assert cost.whole_against_cut == Paired(1, 0, 2, 1)
    assert cost.tail_against_cut == Paired(0, 1, 0, 3)
    assert (cost.whole_against_cut.difference, cost.tail_against_cut.difference) == (0.5, -0.25)
    first, second = cost.verdicts
    assert first.startswith("reading 512 tokens and reading the first 256 tokens cannot be told apart on these 4")
    assert second.startswith("reading the last 256 tokens and reading the first 256 tokens cannot be told apart")
    assert cost.notes == [
        "1 review is longer than 512 tokens too",
        "the run did not train positions after 256: their embeddings are random",
    ]
