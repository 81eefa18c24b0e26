"""Fields of the encoder that a preset sets itself."""

from __future__ import annotations

import pytest

from core.config.encoder_overrides import EDITABLE, check_heads, parse_architecture, with_field
from core.config.schema import ModelConfig, RunConfig, from_toml, to_toml
from core.errors import InputError
from core.inspection.config_fields import explain
from core.model.classifier import encoder_config


def test_assignments_become_fields_of_their_types() -> None:
    fields = parse_architecture(
        ["dim=256", " n_heads = 8", "dropout=0.2", "sinusoidal_pos_embds=true", "activation=relu"]
    )
    assert fields == {"dim": 256, "n_heads": 8, "dropout": 0.2, "sinusoidal_pos_embds": True, "activation": "relu"}
    assert type(fields["dim"]) is int


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("dim", "write NAME=VALUE"),
        ("qa_dropout=0.1", "cannot set 'qa_dropout'"),
        ("dim=wide", "'wide' must be a whole number"),
        ("dim=0", "dim = 0 must be between 1 and 16384"),
        ("dropout=nan", "dropout = nan must be between"),
        ("activation=relu6", "not one of gelu"),
        ("sinusoidal_pos_embds=2", "must be true or false"),
    ],
)
def test_a_wrong_assignment_is_refused_in_words(assignment: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_architecture([assignment])


def test_a_field_set_twice_is_refused() -> None:
    with pytest.raises(InputError, match="sets dim twice"):
        parse_architecture(["dim=8", "dim=16"])


def test_a_width_that_the_heads_cannot_share_is_refused_with_the_reason_and_what_would_do() -> None:
    check_heads(768, 12)
    with pytest.raises(InputError, match=r"dim 768 is not divisible by n_heads 10.*dim / n_heads.*8, 12, 6|6, 8, 12"):
        check_heads(768, 10)
    with pytest.raises(InputError, match="dim 100 is not divisible by n_heads 12"):
        ModelConfig(init="scratch", architecture=("dim=100", "n_heads=12"))
    with pytest.raises(
        InputError, match="preset's configuration cannot be used: dim 768 is not divisible by n_heads 7"
    ):
        encoder_config({}, ("n_heads=7",))


def test_pretrained_weights_refuse_another_shape_and_take_another_dropout() -> None:
    with pytest.raises(InputError, match=r"changes n_layers.*set model\.init = 'scratch'"):
        ModelConfig(init="pretrained", architecture=("n_layers=3",))
    assert ModelConfig(init="pretrained", architecture=("dropout=0.2",)).architecture == ("dropout=0.2",)


def test_an_architecture_survives_toml_and_the_command_line() -> None:
    config = RunConfig().set("model.init", "scratch").set("model.architecture", "dim=64, n_heads=4")
    assert config.model.architecture == ("dim=64", "n_heads=4")
    assert from_toml(to_toml(config), preset="x", where="x") == config
    assert encoder_config({"dim": 32, "vocab_size": 9}, config.model.architecture).dim == 64


def test_a_field_is_put_in_changed_and_taken_out_again() -> None:
    one = with_field((), "dim", "64")
    assert one == ("dim=64",)
    assert with_field(one, "sinusoidal_pos_embds", "True") == ("dim=64", "sinusoidal_pos_embds=true")
    assert with_field(one, "dim", "128") == ("dim=128",)
    assert with_field(one, "dim", " ") == ()


def test_every_editable_field_is_a_task_agnostic_one() -> None:
    assert {explain(name).group for name in EDITABLE} == {"architecture", "training"}
