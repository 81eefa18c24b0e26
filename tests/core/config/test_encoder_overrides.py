"""The table [model.encoder]: typed values, refusals, TOML, the command line."""

from __future__ import annotations

from typing import Any

import pytest

from core.config.encoder_overrides import ENCODER_FIELDS, EncoderOverrides, check_heads
from core.config.presets import load_preset, save_preset
from core.config.schema import ModelConfig, RunConfig, differences
from core.config.toml_file import from_toml, to_toml
from core.errors import InputError
from core.inspection.config_fields import explain
from core.model.classifier import encoder_config

PRESET = """
[model]
init = "scratch"

[model.encoder]
n_layers = 2
dropout = 0.2
sinusoidal_pos_embds = true
activation = "relu"
"""
VALUES = {"n_layers": 2, "dropout": 0.2, "sinusoidal_pos_embds": True, "activation": "relu"}


def preset_with(encoder: str) -> RunConfig:
    return from_toml(f'[model]\ninit = "scratch"\n{encoder}', preset="own", where="own.toml")


def test_a_preset_overrides_fields_with_typed_values() -> None:
    assert dict(from_toml(PRESET, preset="own", where="own.toml").model.encoder) == VALUES


def test_the_command_line_sets_and_removes_one_field_with_its_type() -> None:
    config = RunConfig().set("model.init", "scratch").set("model.encoder.n_layers", "2")
    config = config.set("model.encoder.dropout", "0").set("model.encoder.sinusoidal_pos_embds", "yes")
    assert config.model.encoder == {"n_layers": 2, "dropout": 0.0, "sinusoidal_pos_embds": True}
    assert isinstance(config.model.encoder["dropout"], float)
    assert config.set("model.encoder.n_layers", " ").model.encoder == {"dropout": 0.0, "sinusoidal_pos_embds": True}


def test_the_whole_table_can_be_typed_on_one_line() -> None:
    config = RunConfig().set("model.init", "scratch").set("model.encoder", "dim=64, n_heads = 4")
    assert config.model.encoder == {"dim": 64, "n_heads": 4}
    assert encoder_config({"dim": 32, "vocab_size": 9}, config.model.encoder).dim == 64
    assert config.set("model.encoder", "").model.encoder == {}


@pytest.mark.parametrize("text", [PRESET, ""])
def test_the_table_survives_toml(text: str) -> None:
    config = from_toml(text, preset="own", where="own.toml")
    assert from_toml(to_toml(config), preset="other", where="x") == config


def test_a_saved_preset_with_overrides_loads_equal() -> None:
    config = from_toml(PRESET, preset="two-layers", where="x")
    save_preset(config, "two-layers")
    assert load_preset("two-layers") == config


def test_equal_configurations_hash_equal() -> None:
    one, two = (from_toml(PRESET, preset="own", where="own.toml") for _ in range(2))
    assert len({one, two, one.set("model.encoder.n_layers", 3)}) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("qa_dropout = 0.1", "unknown field model.encoder.qa_dropout"),
        ('dim = "64"', "model.encoder.dim = '64' must be a whole number"),
        ("dim = true", "model.encoder.dim = True must be a whole number"),
        ("dim = 0", "model.encoder.dim = 0 must be at least 1"),
        ("dropout = nan", "model.encoder.dropout = nan must be a finite number"),
        ("dropout = 0.96", "model.encoder.dropout = 0.96 must be at most 0.95"),
        ('activation = "relu6"', "model.encoder.activation = 'relu6' is not one of 'gelu'"),
        ("sinusoidal_pos_embds = 2", "model.encoder.sinusoidal_pos_embds = 2 must be true or false"),
    ],
)
def test_an_invalid_field_is_refused_with_file_field_and_rule(line: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        preset_with(f"[model.encoder]\n{line}")
    assert str(caught.value).startswith(f"own.toml: {message}")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("model.encoder.dim", "wide", "model.encoder.dim = 'wide' must be a whole number"),
        ("model.encoder.colour", "1", "unknown field model.encoder.colour"),
        ("model.encoder", "dim", "write NAME=VALUE"),
        ("model.encoder", "dim=8, dim=16", "sets dim twice"),
    ],
)
def test_an_invalid_assignment_on_the_command_line_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        RunConfig().set("model.init", "scratch").set(name, text)


def test_a_dim_that_is_not_divisible_by_the_heads_is_refused_with_heads_that_work() -> None:
    check_heads(768, 12)
    with pytest.raises(InputError, match=r"dim 768 is not divisible by n_heads 10.*dim / n_heads.*6, 8, 12 heads"):
        check_heads(768, 10)
    with pytest.raises(InputError, match="dim 100 is not divisible by n_heads 12"):
        preset_with("[model.encoder]\ndim = 100\nn_heads = 12")
    with pytest.raises(
        InputError, match="preset's configuration cannot be used: dim 768 is not divisible by n_heads 7"
    ):
        encoder_config({}, {"n_heads": 7})


def test_pretrained_weights_refuse_another_shape_and_accept_another_dropout() -> None:
    with pytest.raises(InputError, match=r"n_layers of model\.encoder cannot change.*set model\.init = 'scratch'"):
        ModelConfig(init="pretrained", encoder=EncoderOverrides({"n_layers": 3}))
    assert ModelConfig(init="pretrained", encoder=EncoderOverrides({"dropout": 0.2})).encoder["dropout"] == 0.2


def test_differences_are_shown_for_each_field_of_the_encoder() -> None:
    one: Any = from_toml(PRESET, preset="own", where="own.toml")
    two = one.set("model.encoder.n_layers", 3).set("model.encoder.dropout", "")
    assert differences([one, two]) == {"model.encoder.n_layers": [2, 3], "model.encoder.dropout": [0.2, None]}


def test_only_fields_that_do_not_belong_to_a_task_can_be_set() -> None:
    assert {explain(name).group for name in ENCODER_FIELDS} == {"architecture", "training"}
