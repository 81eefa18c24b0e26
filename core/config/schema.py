"""The configuration of a run: frozen dataclasses, one per section; :mod:`core.config.toml_file` reads and writes them.

A preset file has a ``title``, a ``description`` and the sections ``[model] [data] [train] [engine]``, one
dataclass each. A missing field has the default given here; the defaults are the lab notebook's settings.
An unknown key or an invalid value raises :class:`InputError` with the key and the value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from core.config.encoder_overrides import ENCODER_FIELDS, EncoderOverrides, check_overrides
from core.config.renamed import check_renamed
from core.config.validation import check_value, parse_value
from core.errors import InputError
from core.user_path import user_path

MOST_COUNT = 10**9
"""The largest count of reviews, steps or seconds; far more than any run has."""
LEAST_RATE = 1e-30
"""The smallest rate: far below it, float32 has no number but 0."""


def _bounded(default: Any, *, least: float | None = None, most: float | None = None, above: float | None = None) -> Any:
    """Define a numeric field that must be >= least, <= most and > above, as far as given."""
    return field(default=default, metadata={"least": least, "most": most, "above": above})


class _Section:
    """Base of the sections: checks and converts every field when an instance is created."""

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
    """The encoder's initial weights: random from its configuration (scratch), or those of the checkpoint."""
    checkpoint: str = "distilbert-base-uncased"
    """DistilBERT to start from: a name on the Hub, or a folder written by save_pretrained."""
    head_dropout: float = _bounded(0.0, least=0.0, most=0.95)
    """Dropout rate before the linear head; the notebook declares 0.3 but never applies it."""
    head: Literal["linear", "sequence-classification"] = "linear"
    """Head on the hidden state at position 0: Linear(dim, 1), or that of DistilBertForSequenceClassification."""
    freeze: tuple[str, ...] = ()
    """Modules or parameters that are not trained, for example ["distilbert.embeddings"]; empty trains all."""
    encoder: EncoderOverrides = field(default_factory=EncoderOverrides)
    """Fields of the encoder's configuration to override, for example n_layers = 2; a new shape needs init scratch."""

    def __post_init__(self) -> None:
        # Not super(): with slots=True, dataclass creates a new class, and super() would refer to the old one.
        _Section.__post_init__(self)
        check_overrides(self.encoder, pretrained=self.init == "pretrained")


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig(_Section):
    source: str = "auto"
    """Source of the reviews: auto (Hub, its cache, or embedded), hub, embedded, or a CSV or parquet file."""
    dataset: str = "scikit-learn/imdb"
    """Name of the Hub data set that auto and hub read; its columns are review and sentiment."""
    n_samples: int = _bounded(2000, least=2, most=MOST_COUNT)
    """Number of reviews to use after shuffling, for training and validation together."""
    test_size: float = _bounded(0.2, above=0.0, most=0.9)
    """Fraction of the reviews that is used for validation instead of training."""
    max_length: int = _bounded(256, least=3, most=512)
    """Maximum number of tokens per review, including special tokens; DistilBERT has positions for 512."""
    add_special_tokens: bool = False
    """Whether to add [CLS] and [SEP] to each review; without, the head reads the first word, as in the notebook."""
    corrections: str = field(default="", metadata={"may_be_empty": True})
    """CSV file of corrected labels, written by `imdb-tui labels RUN --set`; empty uses the labels as they are."""


PROBE_SENTENCES = (
    "A warm and funny film that I would gladly watch again.",
    "A dull and tedious film that wasted two hours of my life.",
    "Not a bad film at all, although the beginning is slow.",
)
"""One clearly positive, one clearly negative, and one whose negation and contrast must be understood."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(_Section):
    batch_size: int = _bounded(16, least=1, most=4096)
    """Number of reviews per optimizer step."""
    num_epochs: int = _bounded(3, least=1, most=1000)
    """Number of passes over the training reviews."""
    learning_rate: float = _bounded(5e-5, above=0.0, least=LEAST_RATE, most=1.0)
    """Peak learning rate of AdamW; the notebook uses 5e-5 from scratch and 5e-6 with pretrained weights."""
    adam_epsilon: float = _bounded(1e-8, above=0.0, least=LEAST_RATE, most=1.0)
    """Epsilon in AdamW's denominator, which prevents a division by zero."""
    weight_decay: float = _bounded(0.01, least=0.0, most=1.0)
    """Decoupled weight decay of AdamW; 0.01 is torch's default and the notebook's value."""
    warmup_ratio: float = _bounded(0.0, least=0.0, most=1.0)
    """Fraction of all steps in which the learning rate rises from 0 to its peak."""
    lr_schedule: Literal["constant", "linear"] = "constant"
    """Schedule after the warm-up: constant, or linear decay to 0 at the last step."""
    max_grad_norm: float = _bounded(0.0, least=0.0, most=1e30)
    """Maximum L2 norm of all gradients; larger ones are scaled down. 0 turns clipping off, as in the notebook."""
    reshuffle_each_epoch: bool = False
    """Whether to shuffle the training reviews in every epoch; the notebook shuffles them once."""
    metric_for_best_model: Literal["val/loss", "val/accuracy"] = "val/loss"
    """Metric for early stopping and keep_best: the lowest val/loss or the highest val/accuracy."""
    early_stopping_patience: int = _bounded(0, least=0, most=1000)
    """Stop after this many epochs without a better metric_for_best_model; 0 trains all epochs."""
    keep_best: bool = False
    """Whether to store the checkpoint of the best epoch in addition to the last two."""
    save_steps: int = _bounded(0, least=0, most=MOST_COUNT)
    """Save a checkpoint every this many steps, and at the end of each epoch; 0 saves only at the end of each epoch."""
    save_seconds: float = _bounded(300.0, least=0.0, most=MOST_COUNT)
    """Save a checkpoint when the last one is this many seconds old, the first after 60 s at most; 0 turns this off."""
    probe_sentences: tuple[str, ...] = field(
        default=PROBE_SENTENCES, metadata={"most_items": 8, "most_characters": 2000}
    )
    """Sentences to score while the run trains, which does not change the result; an empty list turns this off."""
    probe_steps: int = _bounded(20, least=0, most=MOST_COUNT)
    """Score the probe sentences every this many steps, and after each epoch; 0 scores only after each epoch."""
    seed: int = _bounded(0, least=0, most=2**32 - 1)
    """Random seed of the selection, split and order of the reviews, of new weights and of dropout."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig(_Section):
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device for training; auto uses a CUDA GPU if available, then Apple's GPU, then the CPU."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Data type of the forward and backward pass; weights, loss and optimizer states are always float32."""
    threads: int = _bounded(0, least=0, most=512)
    """Number of CPU threads for torch; 0 uses one per core that is available to this process."""
    forward: Literal["auto", "unpadded", "padded"] = "auto"
    """The forward pass: unpadded concatenates the tokens of a batch, padded fills each review up to the longest."""
    attention: Literal["auto", "per-review", "flash", "eager", "sdpa"] = "auto"
    """Implementation of attention: per-review and flash for unpadded, transformers' eager and sdpa for padded."""
    dropout: Literal["auto", "fast", "bernoulli"] = "auto"
    """Dropout masks of the unpadded forward pass: fast draws 16 random bits per value, bernoulli uses torch's."""
    optimizer: Literal["auto", "fused", "plain"] = "auto"
    """Implementation of AdamW: fused is one kernel per update, plain is one operation after the other."""
    launch: Literal["auto", "graph", "eager"] = "auto"
    """How a GPU runs a step: graph replays it as one CUDA graph, eager launches each kernel separately."""
    memory: Literal["auto", "reuse", "release"] = "auto"
    """Memory that a step frees on the CPU: reuse holds it for the next step, release returns it to the system."""


NAMED_SOURCES = ("auto", "hub", "embedded")
"""Values of ``data.source`` that are not a file."""

SECTIONS: dict[str, type[Any]] = {
    "model": ModelConfig,
    "data": DataConfig,
    "train": TrainConfig,
    "engine": EngineConfig,
}
SECTION_NAMES = {section: name for name, section in SECTIONS.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """All settings of a run. On one machine, equal configurations train equal weights."""

    preset: str = "custom"
    title: str = ""
    description: str = ""
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)

    def sections(self) -> dict[str, dict[str, Any]]:
        """Return ``{section: {field: value}}`` with plain values, as for TOML or JSON."""
        content = {name: asdict(getattr(self, name)) for name in SECTIONS}
        content["model"]["encoder"] = dict(self.model.encoder)
        return content

    def set(self, name: str, value: Any) -> RunConfig:
        """Return a copy with one field changed.

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
        """Return the value of ``section.field``."""
        section, _, key = name.partition(".")
        return getattr(getattr(self, section), key)


@cache
def field_types(section: str) -> dict[str, Any]:
    """Return the type of each field, in the order of definition."""
    hints = get_type_hints(SECTIONS[section])
    return {spec.name: hints[spec.name] for spec in fields(SECTIONS[section])}


@cache
def field_docs(section: str) -> dict[str, str]:
    """Return the docstring of each field."""
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
    """Return every ``section.field``, in the order of definition."""
    return tuple(f"{name}.{key}" for name in SECTIONS for key in field_types(name))


def describe_field(name: str) -> str:
    """Return the docstring of ``section.field``."""
    section, _, key = name.partition(".")
    return field_docs(section)[key]


def choices(name: str) -> tuple[str, ...]:
    """Return the allowed values of ``section.field``, or an empty tuple if it is not a choice."""
    section, _, key = name.partition(".")
    kind = field_types(section)[key]
    if kind is bool:
        return ("true", "false")
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def format_value(value: Any) -> str:
    """Format a value as a user types it: ``5e-05``, ``true``, ``bert.embeddings, linear``, ``n_layers=2, dim=64``.

    Texts with commas are written as a TOML array, so that parsing gives the same texts again.
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, EncoderOverrides):
        return ", ".join(f"{name}={format_value(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        items = [str(item) for item in value]
        plain = all(item and item == item.strip().strip("\"'[]") and "," not in item for item in items)
        return ", ".join(items) if plain else json.dumps(items, ensure_ascii=False)
    return str(value)


def _fields_like(name: str) -> str:
    """Suggest fields for an unknown name: similar ones, else those of its section, else all."""
    from difflib import get_close_matches

    names, (section, _, key) = field_names(), name.rpartition(".")
    by_key = {each.partition(".")[2]: each for each in names}
    near = get_close_matches(name, names, 3, 0.8) if key else []
    if near := near or [by_key[each] for each in get_close_matches(key, by_key, 3, 0.8)]:
        return f"did you mean {' or '.join(near)}?"
    of_section = [each for each in names if each.startswith(f"{section}.")]
    return f"fields are {', '.join(of_section or names)}"


def configure(config: RunConfig, assignments: list[str], data: str | None) -> RunConfig:
    """Apply ``--set`` and ``--data`` of the command line. Raises InputError for an invalid one."""
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise InputError(f"--set {assignment!r} has no value; write SECTION.FIELD=VALUE")
        config = config.set(name.strip(), value)
    if data is not None:
        if not data:
            raise InputError("--data is empty; give hub, embedded, or a CSV or parquet file of reviews")
        if data not in NAMED_SOURCES:
            if any("\ud800" <= char <= "\udfff" for char in data):  # how Python decodes bytes that are not UTF-8
                raise InputError(f"--data {data!r}: a file name that is not UTF-8 cannot be stored; rename the file")
            data = str(user_path(data).absolute())
        config = config.set("data.source", data)
    return config


def differences(configs: list[RunConfig]) -> dict[str, list[Any]]:
    """Return the fields that differ: ``section.field`` to the value of each configuration.

    Each field of ``model.encoder`` is listed separately; None means that a configuration does not override it.
    """
    rows = {name: [config.get(name) for config in configs] for name in field_names() if name != "model.encoder"}
    for name in ENCODER_FIELDS:
        rows[f"model.encoder.{name}"] = [config.model.encoder.get(name) for config in configs]
    return {name: values for name, values in rows.items() if any(v != values[0] for v in values)}
