"""Valid configurations round trip through TOML and typed text; invalid ones are refused in one line."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.presets import SHIPPED_ORDER, load_preset
from core.config.schema import (
    SECTIONS,
    DataConfig,
    EngineConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
    choices,
    describe_field,
    differences,
    field_docs,
    field_names,
    field_types,
    format_value,
)
from core.config.toml_file import from_toml, to_toml
from core.errors import InputError

TEXT = st.text()
NOT_BLANK = st.text(min_size=1).filter(str.strip)
RATE = st.floats(0.0, 1.0)
ABOVE_ZERO = st.floats(1e-30, 1.0)
CONFIGS = st.builds(
    RunConfig,
    preset=TEXT,
    title=TEXT,
    description=TEXT,
    model=st.builds(
        ModelConfig,
        init=st.sampled_from(["scratch", "pretrained"]),
        checkpoint=NOT_BLANK,
        head_dropout=st.floats(0.0, 0.95),
        freeze=st.lists(TEXT).map(tuple),
    ),
    data=st.builds(
        DataConfig,
        source=NOT_BLANK,
        dataset=NOT_BLANK,
        corrections=st.just("") | NOT_BLANK,
        n_samples=st.integers(2, 10**9),
        test_size=st.floats(0.0, 0.9, exclude_min=True),
        max_length=st.integers(3, 512),
        add_special_tokens=st.booleans(),
    ),
    train=st.builds(
        TrainConfig,
        batch_size=st.integers(1, 4096),
        num_epochs=st.integers(1, 1000),
        learning_rate=ABOVE_ZERO,
        adam_epsilon=ABOVE_ZERO,
        weight_decay=RATE,
        warmup_ratio=RATE,
        lr_schedule=st.sampled_from(["constant", "linear"]),
        max_grad_norm=st.floats(0.0, 1e30),
        reshuffle_each_epoch=st.booleans(),
        probe_sentences=st.lists(NOT_BLANK, max_size=8).map(tuple),
        seed=st.integers(0, 2**32 - 1),
    ),
    engine=st.builds(
        EngineConfig,
        device=st.sampled_from(["auto", "cpu", "cuda", "mps"]),
        dtype=st.sampled_from(["auto", "float32", "bfloat16"]),
        threads=st.integers(0, 512),
    ),
)


def refusal(toml: str) -> str:
    """Return the message for an invalid file; it must be one printable line that starts with the name of the file."""
    with pytest.raises(InputError) as caught:
        from_toml(toml, preset="own", where="own.toml")
    message = str(caught.value)
    assert message.startswith("own.toml: ")
    assert message.isprintable()
    return message


@pytest.mark.parametrize("name", SHIPPED_ORDER)
def test_shipped_presets_round_trip_through_toml(name: str) -> None:
    config = load_preset(name)
    assert from_toml(to_toml(config), preset="other", where="x") == config


@given(CONFIGS)
def test_every_valid_configuration_round_trips_through_toml(config: RunConfig) -> None:
    assert from_toml(to_toml(config), preset="other", where="x") == config


@given(CONFIGS)
def test_every_value_can_be_set_from_its_formatted_text(config: RunConfig) -> None:
    copy = RunConfig()
    names = [name for name in field_names() if isinstance(config.get(name), (int, float))]  # bool too
    for name in names:
        copy = copy.set(name, format_value(config.get(name)))
    assert [copy.get(name) for name in names] == [config.get(name) for name in names]


def test_an_empty_file_is_the_default_configuration() -> None:
    assert from_toml("", preset="own", where="own.toml") == RunConfig(preset="own")


@pytest.mark.parametrize(
    ("toml", "needed"),
    [
        ("colour = 1", ["unknown key 'colour'", "title"]),
        ("[trian]\nseed = 1", ["unknown key 'trian'", "train"]),
        ("[train]\nlearning_rat = 1e-5", ["unknown key train.learning_rat", "learning_rate"]),
        ("[engine]\ncolour = 1", ["unknown key engine.colour", "threads"]),
        ("title = 7", ["title", "7"]),
        ("train = 7", ["[train]", "7"]),
        ("[[train]]\nseed = 7", ["[train]", "7"]),
    ],
)
def test_an_unknown_or_misplaced_key_is_refused_with_the_valid_keys(toml: str, needed: list[str]) -> None:
    message = refusal(toml)
    for part in needed:
        assert part in message


@pytest.mark.parametrize(
    ("field", "value", "shown", "rule"),
    [
        ("train.batch_size", '"16"', "'16'", "whole number"),
        ("train.batch_size", "16.0", "16.0", "whole number"),
        ("train.batch_size", "true", "True", "whole number"),
        ("train.batch_size", "0", "0", "at least 1"),
        ("train.batch_size", "5000", "5000", "at most 4096"),
        ("train.learning_rate", "-1e-5", "-1e-05", "greater than 0"),
        ("train.learning_rate", "0", "0", "greater than 0"),
        ("train.learning_rate", "nan", "nan", "finite"),
        ("train.learning_rate", "inf", "inf", "finite"),
        ("train.learning_rate", "true", "True", "a number"),
        ("train.learning_rate", '"fast"', "'fast'", "a number"),
        ("train.learning_rate", "[1e-5]", "[1e-05]", "a number"),
        ("train.learning_rate", "2026-11-24", "2026", "a number"),
        ("train.weight_decay", "-0.01", "-0.01", "at least 0"),
        ("train.lr_schedule", '"cosine"', "'cosine'", "'constant', 'linear'"),
        ("train.lr_schedule", "1", "1", "'constant', 'linear'"),
        ("train.lr_schedule", "[1]", "[1]", "'constant', 'linear'"),
        ("train.reshuffle_each_epoch", "1", "1", "true or false"),
        ("train.reshuffle_each_epoch", '"true"', "'true'", "true or false"),
        ("train.seed", "-1", "-1", "at least 0"),
        ("train.seed", "4294967296", "4294967296", "at most"),
        ("model.head_dropout", "1.0", "1.0", "at most 0.95"),
        ("model.checkpoint", '""', "", "empty"),
        ("model.checkpoint", "7", "7", "a text"),
        ("model.freeze", '"embeddings"', "'embeddings'", "list of texts"),
        ("model.freeze", "[1]", "[1]", "list of texts"),
        ("train.probe_sentences", "['a', ' ']", "['a', ' ']", "text 2 is empty"),
        ("train.probe_sentences", str(["a"] * 9), "9 texts", "at most 8"),
        ("train.probe_sentences", f"['{'a' * 2001}']", "text 1 has 2,001 characters", "at most 2,000"),
        ("train.probe_steps", "-1", "-1", "at least 0"),
        ("data.test_size", "0.0", "0.0", "greater than 0"),
        ("data.test_size", "1.0", "1.0", "at most 0.9"),
        ("data.max_length", "2", "2", "at least 3"),
        ("data.max_length", "513", "513", "at most 512"),
        ("data.n_samples", "1", "1", "at least 2"),
        ("data.source", '" "', "", "empty"),
        ("engine.dtype", '"float16"', "'float16'", "'bfloat16'"),
        ("engine.threads", "-1", "-1", "at least 0"),
    ],
)
def test_an_invalid_value_is_refused_with_file_field_value_and_rule(
    field: str, value: str, shown: str, rule: str
) -> None:
    section, key = field.split(".")
    message = refusal(f"[{section}]\n{key} = {value}")
    assert field in message
    assert shown in message
    assert rule in message


def test_a_number_too_large_for_a_float_is_refused() -> None:
    assert "train.learning_rate = inf must be a finite number" in refusal(f"[train]\nlearning_rate = 1{'0' * 400}")


@pytest.mark.parametrize(
    "toml",
    ["[train", "title = ", "\x00", "title = 'a'\ntitle = 'b'", "x = 1" + "0" * 5000, "x = " + "[" * 9000],
    ids=["section", "value", "nul", "twice", "digits", "nested"],
)
def test_invalid_toml_is_refused_in_one_line(toml: str) -> None:
    assert "not valid TOML" in refusal(toml)


@pytest.mark.parametrize("name", field_names())
def test_every_field_has_its_own_description(name: str) -> None:
    text = describe_field(name)
    assert text.endswith(".")
    assert len(text.split()) >= 4
    assert [n for n in field_names() if describe_field(n) == text] == [name]


@pytest.mark.parametrize("section", SECTIONS)
def test_descriptions_belong_to_fields_only(section: str) -> None:
    assert list(field_docs(section)) == list(field_types(section))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("train.batch_size", "32", 32),
        ("data.n_samples", " 25_000 ", 25000),
        ("data.n_samples", "25,000", 25000),
        ("train.learning_rate", "3e-5", 3e-5),
        ("train.learning_rate", "1", 1.0),
        ("train.reshuffle_each_epoch", "True", True),
        ("train.reshuffle_each_epoch", "off", False),
        ("train.lr_schedule", "linear", "linear"),
        ("model.checkpoint", "own/folder, with comma", "own/folder, with comma"),
        ("model.freeze", '["a.b", "c"]', ("a.b", "c")),
        ("model.freeze", "a.b, c", ("a.b", "c")),
        ("model.freeze", "", ()),
        ("model.freeze", "[a.b]", ("a.b",)),
        ("train.probe_sentences", "Not bad", ("Not bad",)),
        ("train.probe_sentences", '["Slow, but good.", "No [plot]"]', ("Slow, but good.", "No [plot]")),
        ("train.probe_sentences", "[]", ()),
    ],
)
def test_a_field_is_set_from_typed_text(name: str, text: str, value: Any) -> None:
    changed = RunConfig().set(name, text)
    assert changed.get(name) == value
    assert type(changed.get(name)) is type(value)
    assert set(differences([RunConfig(), changed])) <= {name}


@given(st.lists(st.text(st.characters(exclude_categories=("C",)), min_size=1).filter(str.strip), max_size=8))
def test_sentences_formatted_for_typing_are_parsed_back(sentences: list[str]) -> None:
    config = RunConfig().set("train.probe_sentences", tuple(sentences))
    assert config.set("train.probe_sentences", format_value(config.train.probe_sentences)) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train.batch_size", "sixteen"),
        ("train.batch_size", "1.5"),
        ("train.learning_rate", "nan"),
        ("train.learning_rate", "-1"),
        ("train.learning_rate", ""),
        ("train.weight_decay", "0,1"),
        ("data.n_samples", "2,5"),
        ("data.source", "\udcff.csv"),
        ("model.freeze", "a, \udcff"),
        ("train.reshuffle_each_epoch", "perhaps"),
        ("train.lr_schedule", "cosine"),
        ("model.checkpoint", "  "),
        ("train.batch_size", True),
        ("train.batch_size", None),
    ],
)
def test_setting_an_invalid_value_names_the_field_and_changes_nothing(name: str, value: Any) -> None:
    config = RunConfig()
    with pytest.raises(InputError, match=rf"^{name} "):
        config.set(name, value)
    assert config == RunConfig()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("train", r"fields are model\.init, .*train\.batch_size"),
        ("train.", r"fields are train\.batch_size, .*train\.seed$"),
        ("train.colour", r"fields are train\.batch_size, .*train\.seed$"),
        ("", r"fields are model\.init, .*train\.batch_size"),
        ("batch_size", r"did you mean train\.batch_size\?$"),
        ("train.learning_rte", r"did you mean train\.learning_rate\?$"),
        ("model.batch_size", r"did you mean train\.batch_size\?$"),
    ],
)
def test_setting_an_unknown_field_suggests_similar_ones(name: str, message: str) -> None:
    with pytest.raises(InputError, match=f"there is no field '{name}'; {message}"):
        RunConfig().set(name, "1")


def test_differences_lists_only_fields_that_differ() -> None:
    one = RunConfig(title="one")
    two = one.set("train.seed", 1).set("model.init", "scratch")
    assert differences([one, two, one]) == {
        "model.init": ["pretrained", "scratch", "pretrained"],
        "train.seed": [0, 1, 0],
    }
    assert differences([one, one]) == differences([one]) == {}


def test_choices_lists_the_values_of_a_choice_and_none_of_a_number() -> None:
    assert choices("engine.dtype") == ("auto", "float32", "bfloat16")
    assert choices("train.reshuffle_each_epoch") == ("true", "false")
    assert choices("train.seed") == ()


def test_an_invalid_section_is_refused_in_code_too() -> None:
    with pytest.raises(InputError, match=r"^train\.learning_rate = nan"):
        TrainConfig(learning_rate=math.nan)
