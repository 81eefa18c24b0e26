"""Regions, confidence and variability of reviews over the epochs, from the stored predictions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from core.analysis.example_dynamics import EARLY, FORGOTTEN, LATE, NEVER, REGIONS, Dynamics, dynamics
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import Run
from tests.core.support.commands import Call
from tests.core.support.resuming import stateful
from tests.core.support.training import run


def of_logits(logits: list[list[float]], labels: list[int]) -> Dynamics:
    epochs = list(range(1, len(logits) + 1))
    return Dynamics("tiny", "train", epochs, np.arange(len(labels)), np.array(labels), np.array(logits))


def regions_of(*signs: str) -> list[str]:
    """The region of each review, whose predictions are right (+) or wrong (-) epoch by epoch."""
    logits = [[1.0 if sign == "+" else -1.0 for sign in epoch] for epoch in zip(*signs, strict=True)]
    found = of_logits(logits, [1] * len(signs))
    assert sum(found.counts.values()) == len(signs)
    return found.regions.tolist()


def test_each_review_is_in_the_region_of_its_course() -> None:
    assert regions_of("+++", "-++", "--+", "+-+", "---", "++-", "-+-", "+--") == [
        *(EARLY, LATE, LATE, LATE, NEVER),
        *(FORGOTTEN, FORGOTTEN, FORGOTTEN),
    ]
    assert regions_of("++++", "-+++", "--++", "+-++") == [EARLY, EARLY, LATE, LATE]
    assert regions_of("+", "-") == [EARLY, NEVER]


def test_a_logit_of_0_is_negative_as_in_the_accuracy() -> None:
    assert of_logits([[0.0, 0.0]], [0, 1]).regions.tolist() == [EARLY, NEVER]


def test_confidence_and_variability_are_mean_and_standard_deviation_of_the_labels_probability() -> None:
    logits = np.random.default_rng(0).normal(0, 4, (5, 40))
    labels = np.arange(40) % 2
    found = of_logits(logits.tolist(), labels.tolist())
    positive = expit(logits)
    of_label = np.where(labels == 1, positive, 1 - positive)
    assert found.confidence == pytest.approx(of_label.mean(axis=0))
    assert found.variability == pytest.approx(np.sqrt(((of_label - of_label.mean(axis=0)) ** 2).mean(axis=0)))
    assert found.correctness == pytest.approx(((logits > 0) == (labels == 1)).mean(axis=0))
    assert of_logits([[-1000.0, 1000.0]], [0, 0]).confidence.tolist() == [1.0, 0.0]


def test_members_are_those_of_a_region_with_the_lowest_confidence_first() -> None:
    found = of_logits([[3.0, -2.0, 1.0, -4.0]], [1, 1, 1, 1])
    assert found.members().tolist() == [3, 1, 2, 0]
    assert found.members(EARLY).tolist() == [2, 0]
    assert found.members(FORGOTTEN).tolist() == []
    with pytest.raises(InputError, match="no region 'lost'; the regions are 'learned early'"):
        found.members("lost")


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    return run(stateful(config), tmp_path / "runs")[0]


def test_dynamics_are_read_from_the_predictions_of_each_epoch(done: Run) -> None:
    for part, n in (("train", 32), ("validation", 8)):
        found = dynamics(done, part)  # type: ignore[arg-type]
        assert (found.run, found.part, found.epochs, found.logits.shape) == (done.name, part, [1, 2, 3], (3, n))
        for number, epoch in enumerate(found.epochs):
            rows = done.predictions(epoch, part)  # type: ignore[arg-type]
            assert list(zip(found.ids, found.labels, found.logits[number], strict=True)) == rows
    assert dynamics(done, "validation").correct[-1].mean() == done.state().epochs[-1].val_accuracy


def test_an_epoch_without_stored_training_predictions_is_left_out(done: Run) -> None:
    (done.path / "predictions" / "train-epoch-2.csv").unlink()
    found = dynamics(done)
    assert (found.epochs, len(found.logits)) == ([1, 3], 2)
    for epoch in (1, 3):
        (done.path / "predictions" / f"train-epoch-{epoch}.csv").unlink()
    with pytest.raises(InputError, match=f"{done.name} has no predictions of its training reviews"):
        dynamics(done)
    assert len(dynamics(done, "validation")) == 8


@pytest.mark.parametrize("content", ["id,label,logit\n", "id,label,logit\n3,1,0.5\n", "id,label,logit\n3,1"])
def test_a_file_cut_in_the_middle_is_refused_with_its_name(done: Run, content: str) -> None:
    (done.path / "predictions" / "train-epoch-3.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"train-epoch-3\.csv"):
        dynamics(done)


def test_the_command_counts_the_regions_and_lists_one(done: Run, call: Call, tmp_path: Path) -> None:
    runs = ("--runs-dir", tmp_path / "runs")
    code, out, err = call("dynamics", "last", "--json", *runs)
    answer = json.loads(out)
    assert code == 0
    assert (answer["run"], answer["part"], answer["epochs"], answer["n"]) == (done.name, "train", [1, 2, 3], 32)
    assert sum(answer["regions"].values()) == len(answer["examples"]) == 32
    assert list(answer["regions"]) == list(REGIONS)
    assert "with dropout" in err
    confidences = [row["confidence"] for row in answer["examples"]]
    assert confidences == sorted(confidences)
    first = answer["examples"][0]
    assert first["text"].startswith(f"film {first['id']} was")
    assert (len(first["logits"]), set(first)) == (
        3,
        {"id", "label", "region", "confidence", "variability", "correctness", "logits", "text"},
    )
    region = next(name for name, count in answer["regions"].items() if count)
    code, out, err = call("dynamics", "last", "--region", region, "--limit", 2, *runs)
    assert code == 0
    assert "film" in out
    assert f"of {answer['regions'][region]} review" in err
    code, out, err = call("dynamics", "last", "--part", "validation", *runs)
    assert all(name in out for name in REGIONS)
    assert "8 reviews" in err


def test_without_the_source_the_command_answers_without_texts(
    done: Run, call: Call, reviews_csv: Path, tmp_path: Path
) -> None:
    reviews_csv.unlink()
    code, out, err = call("dynamics", "last", "--json", "--limit", 1, "--runs-dir", tmp_path / "runs")
    assert code == 0
    assert json.loads(out)["examples"][0]["text"] is None
    assert "without the texts" in err
    code, _, err = call("dynamics", "last", "--region", "lost", "--runs-dir", tmp_path / "runs")
    assert (code, "no region 'lost'" in err) == (2, True)
