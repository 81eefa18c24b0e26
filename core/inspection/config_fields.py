"""What each field of a DistilBERT configuration means, and whether it belongs to the encoder or to a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from transformers import DistilBertConfig

Group = Literal["architecture", "training", "task", "bookkeeping"]


@dataclass(frozen=True, slots=True)
class FieldMeaning:
    """``task_specific`` is true for what only a head or its labels use; the encoder is the same without it."""

    group: Group
    meaning: str

    @property
    def task_specific(self) -> bool:
        return self.group == "task"


MEANINGS: dict[str, FieldMeaning] = {
    "vocab_size": FieldMeaning("architecture", "How many pieces the tokenizer knows: one row of the embedding each."),
    "max_position_embeddings": FieldMeaning("architecture", "The longest input in tokens: each position has a vector."),
    "sinusoidal_pos_embds": FieldMeaning("architecture", "Whether position vectors start as sines; otherwise learned."),
    "n_layers": FieldMeaning("architecture", "How many transformer blocks are stacked; BERT has twice as many."),
    "n_heads": FieldMeaning("architecture", "Attention heads a block; each sees dim / n_heads numbers of a token."),
    "dim": FieldMeaning("architecture", "The width: how many numbers describe one token between blocks."),
    "hidden_dim": FieldMeaning("architecture", "The width inside a block's feed-forward part, usually 4 x dim."),
    "activation": FieldMeaning("architecture", "The nonlinear function between the two feed-forward layers."),
    "dropout": FieldMeaning("training", "Share of numbers set to zero after embeddings and blocks while training."),
    "attention_dropout": FieldMeaning("training", "Share of attention weights set to zero while training."),
    "initializer_range": FieldMeaning("training", "Standard deviation of freshly drawn weights."),
    "qa_dropout": FieldMeaning("task", "Dropout before the question answering head; nothing else uses it."),
    "seq_classif_dropout": FieldMeaning("task", "Dropout before the library's own classification head; not in ours."),
    "id2label": FieldMeaning("task", "The name of each class index, for a head of the library: one a class."),
    "label2id": FieldMeaning("task", "The class index of each name, for a head of the library."),
    "problem_type": FieldMeaning("task", "Which loss a classification head of the library would use."),
    "pad_token_id": FieldMeaning("architecture", "The id that fills shorter texts; its embedding is never trained."),
    "bos_token_id": FieldMeaning("bookkeeping", "Begin-of-text id of generating models; DistilBERT has none."),
    "eos_token_id": FieldMeaning("bookkeeping", "End-of-text id of generating models; DistilBERT has none."),
    "tie_word_embeddings": FieldMeaning("task", "Whether the masked-language head shares the word embeddings."),
    "is_encoder_decoder": FieldMeaning("bookkeeping", "Whether the model has an encoder and a decoder; it has not."),
    "chunk_size_feed_forward": FieldMeaning("bookkeeping", "Feed-forward in chunks to save memory; 0 means at once."),
    "output_attentions": FieldMeaning("bookkeeping", "Whether a forward pass also returns attention weights."),
    "output_hidden_states": FieldMeaning("bookkeeping", "Whether a forward pass also returns every block's output."),
    "return_dict": FieldMeaning("bookkeeping", "Whether outputs have names, such as last_hidden_state."),
    "architectures": FieldMeaning("bookkeeping", "The class that wrote the checkpoint."),
    "transformers_version": FieldMeaning("bookkeeping", "The version of transformers that wrote the configuration."),
    "model_type": FieldMeaning("bookkeeping", "The family, by which transformers finds the class."),
    "_name_or_path": FieldMeaning("bookkeeping", "Where the configuration was read from."),
    "dtype": FieldMeaning("bookkeeping", "The number format that the weights were saved in."),
}
DERIVED: dict[str, FieldMeaning] = {
    "num_labels": FieldMeaning(
        "task", "How many classes a library head tells apart: the length of id2label; ours has one logit."
    ),
}
"""Asked for by name like a field, but worked out from one."""
GROUPS: tuple[Group, ...] = ("architecture", "training", "task", "bookkeeping")
UNEXPLAINED = FieldMeaning("bookkeeping", "A field that this version of imdb-tui does not know.")


def explain(name: str) -> FieldMeaning:
    """The meaning of one configuration field."""
    return MEANINGS.get(name) or DERIVED.get(name, UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class ConfigurationField:
    """One field of a resolved configuration, beside the default of the installed transformers."""

    name: str
    value: Any
    default: Any
    group: Group
    task_specific: bool
    meaning: str

    @property
    def differs(self) -> bool:
        return bool(self.value != self.default)


def configuration_fields(config: DistilBertConfig) -> list[ConfigurationField]:
    """Every field of ``config``, and what is derived from one, by group in the order in which they are explained."""
    default = type(config)()
    values, defaults = config.to_dict(), default.to_dict()
    for name in DERIVED:
        values[name], defaults[name] = getattr(config, name), getattr(default, name)
    order = [*MEANINGS, *DERIVED]
    names = sorted(values, key=lambda name: (GROUPS.index(explain(name).group), _place(name, order)))
    return [
        ConfigurationField(
            name, values[name], defaults.get(name), explain(name).group, explain(name).task_specific,
            explain(name).meaning,
        )
        for name in names
    ]  # fmt: skip


def _place(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)
