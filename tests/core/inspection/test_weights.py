"""Tensors by name, read one at a time; damaged files are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import InputError
from core.inspection.target import Resolved, find_target, resolve
from core.inspection.weights import build_model, classifier_name, open_weights, read_file
from core.model.classifier import build_classifier, encoder_config
from tests.core.support.looking import State, change, preset_target, write_run

LIN2 = "distilbert.transformer.layer.0.ffn.lin2.bias"


@pytest.fixture
def file(tmp_path: Path, folder: Path) -> Path:
    one = preset_target(folder)
    return write_run(tmp_path / "runs", one.target.config, build_model(one).state_dict())


@pytest.fixture
def looked_at(tmp_path: Path, file: Path) -> Resolved:
    return resolve(find_target("last", tmp_path / "runs"))


def test_the_weights_of_a_preset_are_the_initial_weights_of_training(folder: Path) -> None:
    one = preset_target(folder)
    weights = open_weights(one)
    torch.manual_seed(one.target.config.train.seed)
    initial = build_classifier(
        encoder_config(one.checkpoint.config), one.target.config.model, one.checkpoint.load_weights()
    ).state_dict()
    assert weights.shapes == {name: tuple(tensor.shape) for name, tensor in initial.items()}
    assert all(torch.equal(weights.read(name), tensor) for name, tensor in initial.items())


def test_initialising_does_not_change_the_random_state(folder: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    open_weights(preset_target(folder))
    assert torch.equal(torch.rand(3), expected)


def test_the_weights_of_a_run_are_those_of_its_file(looked_at: Resolved, file: Path) -> None:
    change(file, lambda state: state[LIN2].fill_(0.25))
    assert torch.equal(open_weights(looked_at).read(LIN2), torch.full((16,), 0.25))
    assert torch.equal(build_model(looked_at).state_dict()[LIN2], torch.full((16,), 0.25))
    assert not build_model(looked_at).training


def test_tensor_names_of_encoders_map_to_those_of_the_classifier(folder: Path) -> None:
    assert classifier_name("bert.embeddings.LayerNorm.bias") == "distilbert.embeddings.LayerNorm.bias"
    assert classifier_name("classifier.bias") == "classifier.bias"
    assert LIN2 in read_file(folder / "model.safetensors").shapes


def _missing(state: State) -> None:
    del state[LIN2]


def _wrong_shape(state: State) -> None:
    state[LIN2] = torch.zeros(17)


@pytest.mark.parametrize(
    ("act", "message"),
    [(_missing, f"tensor {LIN2} is missing"), (_wrong_shape, rf"tensor {LIN2} has shape \[17\], .* needs \[16\]")],
)
def test_a_missing_tensor_and_a_wrong_shape_are_refused_by_name(looked_at, file, act, message) -> None:  # type: ignore[no-untyped-def]
    change(file, act)
    with pytest.raises(InputError, match=message):
        open_weights(looked_at)


@pytest.mark.parametrize("size", [0, 7, 200, -4])
def test_a_truncated_file_is_refused(looked_at: Resolved, file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(InputError, match=r"model\.safetensors: cannot read the weights .*damaged or incomplete"):
        open_weights(looked_at)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_that_is_not_finite_is_refused(looked_at: Resolved, file: Path, number: float) -> None:
    change(file, lambda state: state[LIN2][3:5].fill_(number))
    with pytest.raises(InputError, match=f"tensor {LIN2} has 2 of 16 values that are NaN or infinite"):
        build_model(looked_at)
    assert open_weights(looked_at).read(LIN2).isfinite().sum() == 14  # to look at, it is still there


def test_only_the_requested_tensor_is_read(looked_at: Resolved, file: Path) -> None:
    weights = open_weights(looked_at)
    change(file, lambda state: state[LIN2].fill_(0.5))
    assert weights.read(LIN2)[0] == 0.5
