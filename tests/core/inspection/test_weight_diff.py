"""The difference of two models by tensor and layer."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from core.config.schema import RunConfig
from core.errors import InputError, Stopped
from core.formatting import relative_change
from core.inspection.target import find_target, resolve
from core.inspection.weight_diff import compare, compare_targets, layer_of
from core.inspection.weights import Weights
from tests.core.support.looking import preset_target
from tests.core.support.training import configured, run


def weights(name: str, **tensors: list[float]) -> Weights:
    named = {key.replace("__", "."): torch.tensor(values) for key, values in tensors.items()}
    return Weights(name, {key: tuple(tensor.shape) for key, tensor in named.items()}, named.__getitem__)


def test_change_and_cosine_match_values_computed_by_hand() -> None:
    (row,) = compare(weights("a", t=[3.0, 4.0]), weights("b", t=[3.0, 0.0])).tensors
    assert row.relative_l2 == pytest.approx(4 / 5)
    assert row.cosine == pytest.approx(3 / 5)


def test_equal_weights_give_exactly_0_and_a_cosine_of_1() -> None:
    one = weights("a", t=[0.1, 0.2, 0.3], zero=[0.0, 0.0])
    found = compare(one, one)
    assert [(row.relative_l2, row.cosine) for row in found.tensors] == [(0.0, 1.0), (0.0, 1.0)]
    assert found.changed == 0
    assert set(found.by_layer().values()) == {0.0}


def test_doubling_is_a_change_of_100_percent_and_negation_a_cosine_of_minus_1() -> None:
    found = {row.name: row for row in compare(
        weights("a", twice=[1.0, 2.0], back=[1.0, 2.0]), weights("b", twice=[2.0, 4.0], back=[-1.0, -2.0])
    ).tensors}  # fmt: skip
    assert (found["twice"].relative_l2, found["twice"].cosine) == (pytest.approx(1.0), pytest.approx(1.0))
    assert (found["back"].relative_l2, found["back"].cosine) == (pytest.approx(2.0), pytest.approx(-1.0))


def test_tensors_are_sorted_by_change_with_infinite_ones_last() -> None:
    found = compare(
        weights("a", small=[1.0], none=[1.0], large=[1.0], new=[0.0]),
        weights("b", small=[1.1], none=[1.0], large=[3.0], new=[0.5]),
    )
    assert [row.name for row in found.tensors] == ["large", "small", "none", "new"]
    assert math.isinf(found.tensors[-1].relative_l2)
    assert math.isnan(found.tensors[-1].cosine)


def test_layers_are_compared_as_one_vector_from_embeddings_to_head() -> None:
    names = {"classifier__weight": [2.0], "distilbert__transformer__layer__0__a": [3.0],
             "distilbert__transformer__layer__0__b": [4.0], "distilbert__embeddings__w": [1.0]}  # fmt: skip
    other = {**names, "distilbert__transformer__layer__0__b": [4.5], "classifier__weight": [3.0]}
    layers = compare(weights("a", **names), weights("b", **other)).by_layer()
    assert list(layers) == ["embeddings", "layer 0", "head"]
    assert layers == {"embeddings": 0.0, "layer 0": pytest.approx(0.5 / 5), "head": pytest.approx(0.5)}
    assert layer_of("distilbert.transformer.layer.11.ffn.lin1.bias") == "layer 11"


def test_unmatched_tensors_are_listed_and_no_match_is_refused() -> None:
    found = compare(weights("a", t=[1.0], only=[1.0], shape=[1.0]), weights("b", t=[1.0], shape=[1.0, 2.0], new=[1.0]))
    assert [row.name for row in found.tensors] == ["t"]
    assert found.notes == [
        "only a has only",
        "only b has new",
        "1 tensors with different shapes are skipped: shape is [1] in a and [2] in b",
    ]
    with pytest.raises(InputError, match="a and b have no tensor with the same name and shape"):
        compare(weights("a", one=[1.0]), weights("b", two=[1.0]))


def test_nan_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="b: tensor t has 1 of 2 values that are NaN"):
        compare(weights("a", t=[1.0, 2.0]), weights("b", t=[1.0, math.nan]))


def test_a_comparison_can_be_cancelled_between_tensors() -> None:
    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        compare(weights("a", t=[1.0]), weights("b", t=[1.0]), between=stop)


def test_a_frozen_encoder_shows_only_the_head(config: RunConfig, folder: Path, tmp_path: Path) -> None:
    frozen = configured(config, model__freeze="distilbert", train__num_epochs=1)
    run(frozen, tmp_path / "runs")
    after = resolve(find_target("last", tmp_path / "runs"))
    found = compare_targets(preset_target(folder), after)
    assert {row.name for row in found.tensors if row.relative_l2} == {"classifier.weight", "classifier.bias"}
    layers = found.by_layer()
    assert layers.pop("head") > 0
    assert set(layers.values()) == {0.0}


def test_scratch_is_initialised_with_the_shapes_of_pretrained(tmp_path: Path, folder: Path) -> None:
    from tests.core.support.tiny import write_checkpoint

    wide = write_checkpoint(tmp_path / "wide", dim=24, hidden_dim=24)
    scratch = preset_target(wide, init="scratch")
    for a, b in ((scratch, preset_target(folder)), (preset_target(folder), scratch)):
        found = compare_targets(a, b)
        assert len(found.tensors) == 22
        assert "is initialised with the shapes of" in found.notes[0]


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (0.01234, "1.234%"), (123.0, "12,300%"), (math.inf, "from 0")])
def test_relative_changes_are_formatted_as_percent(value: float, text: str) -> None:
    assert relative_change(value) == text
