"""The resolved configuration of a run: frozen dataclasses, read from TOML and written back to it.

A preset file has a ``title``, a ``description`` and the sections ``[model] [data] [train] [engine]``, one
dataclass each. What a file leaves out has the default given here; the defaults are the lab notebook's recipe.
An unknown key or a value that cannot be used raises :class:`InputError` naming both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from core.config.encoder_overrides import ENCODER_FIELDS, EncoderOverrides, check_overrides
from core.config.renamed import check_renamed
from core.config.validation import check_value, parse_value
from core.errors import InputError


def _bounded(default: Any, *, least: float | None = None, most: float | None = None, above: float | None = None) -> Any:
    """A field whose number must be >= least, <= most and > above, each where given."""
    return field(default=default, metadata={"least": least, "most": most, "above": above})


class _Section:
    """Checks every field of a section when it is made, so that an invalid one cannot exist."""

    def __post_init__(self) -> None:
        section: type[Any] = type(self)
        for spec in fields(section):
            name = SECTION_NAMES[section]
            value, full_name = getattr(self, spec.name), f"{name}.{spec.name}"
            check_renamed(full_name, value)
            if spec.name == "encoder":
                value = _encoder_overrides(value)
            else:
                value = check_value(value, field_types(name)[spec.name], full_name, spec.metadata)
            object.__setattr__(self, spec.name, value)


def _encoder_overrides(value: Any) -> EncoderOverrides:
    if isinstance(value, EncoderOverrides):
        return value
    if not isinstance(value, Mapping):
        raise InputError(f"model.encoder = {value!r} must be a table, for example [model.encoder] with n_layers = 2")
    return EncoderOverrides(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig(_Section):
    init: Literal["scratch", "pretrained"] = "pretrained"
    """Where the encoder's weights begin: drawn at random from the configuration, or read from the checkpoint."""
    checkpoint: str = "distilbert-base-uncased"
    """Name of a DistilBERT on the Hub, or a folder that save_pretrained wrote: tokenizer, configuration, weights."""
    head_dropout: float = _bounded(0.0, least=0.0, most=0.95)
    """Dropout rate on the first vector before the linear head; the notebook declares 0.3 and never applies it."""
    head: Literal["linear", "sequence-classification"] = "linear"
    """What reads the first vector: the notebook's Linear(dim, 1), or DistilBertForSequenceClassification's layers."""
    freeze: tuple[str, ...] = ()
    """Modules or parameters that are not trained, for example ["distilbert.embeddings"]; empty trains everything."""
    encoder: EncoderOverrides = field(default_factory=EncoderOverrides)
    """Fields of the encoder's configuration to override, for example n_layers = 2; a new shape needs init scratch."""

    def __post_init__(self) -> None:
        # Not super(): a dataclass with slots is another class than the one this body is written in.
        _Section.__post_init__(self)
        check_overrides(self.encoder, pretrained=self.init == "pretrained")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig(_Section):
    source: str = "auto"
    """Where reviews come from: auto (Hub, then its cache, then embedded), hub, embedded, or a CSV or parquet file."""
    dataset: str = "scikit-learn/imdb"
    """The Hub data set that auto and hub read; columns review and sentiment."""
    n_samples: int = _bounded(2000, least=2)
    """How many reviews are taken after shuffling, training and validation together."""
    test_size: float = _bounded(0.2, above=0.0, most=0.9)
    """The share of the taken reviews that is held out for validation."""
    max_length: int = _bounded(256, least=3, most=512)
    """The most tokens kept of a review, special tokens included; DistilBERT has positions for 512."""
    add_special_tokens: bool = False
    """Whether [CLS] and [SEP] are put around a review; the notebook does not, so its first vector is a word's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(_Section):
    batch_size: int = _bounded(16, least=1, most=4096)
    """Reviews in one optimizer step."""
    num_epochs: int = _bounded(3, least=1, most=1000)
    """Passes over the training reviews."""
    learning_rate: float = _bounded(5e-5, above=0.0, most=1.0)
    """Peak step size of AdamW; the notebook takes 5e-5 from scratch and 5e-6 from the checkpoint."""
    adam_epsilon: float = _bounded(1e-8, above=0.0, most=1.0)
    """The small number in AdamW's denominator that prevents a division by zero."""
    weight_decay: float = _bounded(0.01, least=0.0, most=1.0)
    """Decoupled weight decay of AdamW; 0.01 is torch's default, which the notebook keeps."""
    warmup_ratio: float = _bounded(0.0, least=0.0, most=1.0)
    """The share of all steps over which the learning rate climbs from 0 to its peak."""
    lr_schedule: Literal["constant", "linear"] = "constant"
    """After the warm-up: constant keeps the peak, linear goes down to 0 at the last step."""
    max_grad_norm: float = _bounded(0.0, least=0.0)
    """Gradients whose total L2 norm is larger are scaled down to it; 0 clips nothing, as in the notebook."""
    reshuffle_each_epoch: bool = False
    """Whether each epoch draws a new order; the notebook shuffles once and keeps that order."""
    metric_for_best_model: Literal["val/loss", "val/accuracy"] = "val/loss"
    """What early stopping and keep_best look at after each epoch: the lowest loss or the highest accuracy."""
    early_stopping_patience: int = _bounded(0, least=0, most=1000)
    """Ends the run after so many epochs without a better metric_for_best_model; 0 trains all epochs."""
    keep_best: bool = False
    """Whether the checkpoint of the best epoch is kept beside the last two."""
    save_steps: int = _bounded(0, least=0)
    """Saves a checkpoint every so many steps, beside the one at the end of each epoch; 0 does not count steps."""
    save_seconds: float = _bounded(300.0, least=0.0)
    """Saves a checkpoint when the last one is so many seconds old, which is what a crash can cost; 0 counts none."""
    seed: int = _bounded(0, least=0, most=2**32 - 1)
    """Seeds the choice of reviews, the split, the order, the fresh weights and dropout."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig(_Section):
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """What computes; auto takes a CUDA GPU where there is one, then Apple's, then the CPU."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Number format of the forward and backward pass; weights, loss and optimizer stay float32 in either."""
    threads: int = _bounded(0, least=0, most=1024)
    """CPU threads for torch; 0 takes one a core that this process may use."""
    layout: Literal["auto", "unpadded", "padded"] = "auto"
    """How a batch lies in memory: its tokens one after the other, or each review filled up to the longest."""
    attention: Literal["auto", "per-review", "flash", "eager", "sdpa"] = "auto"
    """What computes attention: per-review and flash go with unpadded, transformers' eager and sdpa with padded."""
    dropout: Literal["auto", "lanes", "bernoulli"] = "auto"
    """How the unpadded layout draws its masks: 16 random bits a number, or torch's Bernoulli; the rates are equal."""
    optimizer: Literal["auto", "fused", "plain"] = "auto"
    """Whether AdamW goes over weights, gradients and moments at once, or operation by operation."""
    launch: Literal["auto", "graph", "eager"] = "auto"
    """Whether a GPU gets a step's kernels one by one, or all at once as a CUDA graph that is replayed."""
    memory: Literal["auto", "kept", "returned"] = "auto"
    """What becomes of the memory that a step frees: kept for the next one, or given back to the system."""


NAMED_SOURCES = ("auto", "hub", "embedded")
"""What ``data.source`` may be beside a file."""

SECTIONS: dict[str, type[Any]] = {
    "model": ModelConfig,
    "data": DataConfig,
    "train": TrainConfig,
    "engine": EngineConfig,
}
SECTION_NAMES = {section: name for name, section in SECTIONS.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """Everything that decides a run. Equal configurations on the same machine train the same weights."""

    preset: str = "custom"
    title: str = ""
    description: str = ""
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)

    def sections(self) -> dict[str, dict[str, Any]]:
        """``{section: {field: value}}``, plain values only."""
        content = {name: asdict(getattr(self, name)) for name in SECTIONS}
        content["model"]["encoder"] = dict(self.model.encoder)
        return content

    def set(self, name: str, value: Any) -> RunConfig:
        """A copy with one field changed.

        ``name`` is ``section.field`` or ``model.encoder.field``; a text is parsed as the field's type.
        Raises InputError for an unknown name or an invalid value.
        """
        section, _, key = name.partition(".")
        check_renamed(name, value)
        if name.startswith("model.encoder."):
            return self.set("model.encoder", self.model.encoder.with_field(name.removeprefix("model.encoder."), value))
        if section not in SECTIONS or key not in field_types(section):
            raise InputError(f"there is no field {name!r}; {_fields_like(name)}")
        kind = field_types(section)[key]
        if isinstance(value, str):
            value = EncoderOverrides.parse(value) if name == "model.encoder" else parse_value(value, kind, name)
        return replace(self, **{section: replace(getattr(self, section), **{key: value})})

    def get(self, name: str) -> Any:
        """The value of ``section.field``."""
        section, _, key = name.partition(".")
        return getattr(getattr(self, section), key)


@cache
def field_types(section: str) -> dict[str, Any]:
    """Field name to type, in the order of definition."""
    hints = get_type_hints(SECTIONS[section])
    return {spec.name: hints[spec.name] for spec in fields(SECTIONS[section])}


@cache
def field_docs(section: str) -> dict[str, str]:
    """Field name to the docstring written beneath it."""
    import ast
    import inspect
    import textwrap

    body = ast.parse(textwrap.dedent(inspect.getsource(SECTIONS[section]))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for above, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(above, ast.AnnAssign)
            and isinstance(above.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            docs[above.target.id] = str(below.value.value)
    return docs


@cache
def field_names() -> tuple[str, ...]:
    """Every ``section.field``, in order."""
    return tuple(f"{name}.{key}" for name in SECTIONS for key in field_types(name))


def describe_field(name: str) -> str:
    """The docstring of ``section.field``."""
    section, _, key = name.partition(".")
    return field_docs(section)[key]


def choices(name: str) -> tuple[str, ...]:
    """The words that ``section.field`` may be, or an empty tuple where it is not a choice."""
    section, _, key = name.partition(".")
    kind = field_types(section)[key]
    if kind is bool:
        return ("true", "false")
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def format_value(value: Any) -> str:
    """A value as a user types it: ``5e-05``, ``true``, ``bert.embeddings, linear``, ``n_layers=2, dim=64``."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, EncoderOverrides):
        return ", ".join(f"{name}={format_value(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def from_mapping(content: Mapping[str, Any], *, preset: str, where: str) -> RunConfig:
    """Builds a configuration from parsed TOML. ``where`` names the file in errors."""
    known = {"title", "description", *SECTIONS, "preset"}
    for key in content:
        if key not in known:
            raise InputError(f"{where}: unknown key {key!r}; known are {', '.join(sorted(known))}")
    words: dict[str, Any] = {}
    for key in ("preset", "title", "description"):
        words[key] = content.get(key, preset if key == "preset" else "")
        if not isinstance(words[key], str):
            raise InputError(f"{where}: {key} must be a text, not {words[key]!r}")
    sections: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        table = content.get(name, {})
        if not isinstance(table, Mapping):
            raise InputError(f"{where}: [{name}] must be a section, not {table!r}")
        try:
            for key, value in table.items():
                check_renamed(f"{name}.{key}", value)
                if key not in field_types(name):
                    raise InputError(f"unknown key {name}.{key}; [{name}] knows {', '.join(field_types(name))}")
            sections[name] = section(**table)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
    return RunConfig(**words, **sections)


def from_toml(text: str, *, preset: str, where: str) -> RunConfig:
    """Parses a preset or a run's ``config.toml``. Raises InputError naming file and line for bad TOML."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib lets both out for numbers too long and lists too deep
        raise InputError(f"{where}: not valid TOML: {error}") from None
    return from_mapping(content, preset=preset, where=where)


def to_toml(config: RunConfig) -> str:
    """The configuration as TOML; ``from_toml`` gives an equal one back."""
    import tomli_w

    head = {"preset": config.preset, "title": config.title, "description": config.description}
    return tomli_w.dumps({**head, **config.sections()})


def _fields_like(name: str) -> str:
    """The fields that may have been meant: those that sound like it, those of its section, or all."""
    from difflib import get_close_matches

    names, (section, _, key) = field_names(), name.rpartition(".")
    by_key = {each.partition(".")[2]: each for each in names}
    near = get_close_matches(name, names, 3, 0.8) if key else []
    if near := near or [by_key[each] for each in get_close_matches(key, by_key, 3, 0.8)]:
        return f"did you mean {' or '.join(near)}?"
    of_section = [each for each in names if each.startswith(f"{section}.")]
    return f"fields are {', '.join(of_section or names)}"


def configure(config: RunConfig, assignments: list[str], data: str | None) -> RunConfig:
    """A configuration with the changes of the command line. Raises InputError for one that cannot be made."""
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--set {assignment!r} has no value; write SECTION.FIELD=VALUE")
        config = config.set(name.strip(), value)
    if data is not None:
        if not data:
            raise InputError("--data is empty; give hub, embedded, or a CSV or parquet file of reviews")
        if data not in NAMED_SOURCES:
            if any("\ud800" <= char <= "\udfff" for char in data):  # what Python makes of bytes that are not UTF-8
                raise InputError(f"--data {data!r}: such a file name cannot be kept in a run; rename the file")
            data = str(Path(data).expanduser().absolute())
        config = config.set("data.source", data)
    return config


def differences(configs: list[RunConfig]) -> dict[str, list[Any]]:
    """``section.field`` to the value of each configuration, for only those fields in which they are not all equal.

    A field of ``model.encoder`` is a row of its own; its value is None where a configuration does not override it.
    """
    rows = {name: [config.get(name) for config in configs] for name in field_names() if name != "model.encoder"}
    for name in ENCODER_FIELDS:
        rows[f"model.encoder.{name}"] = [config.model.encoder.get(name) for config in configs]
    return {name: values for name, values in rows.items() if any(v != values[0] for v in values)}
