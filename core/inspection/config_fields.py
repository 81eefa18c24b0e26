"""The meaning of each field of a DistilBERT configuration, and whether it belongs to the encoder or to a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from transformers import DistilBertConfig

Group = Literal["architecture", "training", "task", "bookkeeping"]


@dataclass(frozen=True, slots=True)
class FieldMeaning:
    """Group and meaning of a field. ``task_specific``: only a head or its labels use it, not the encoder."""

    group: Group
    meaning: str

    @property
    def task_specific(self) -> bool:
        return self.group == "task"


MEANINGS: dict[str, FieldMeaning] = {
    "vocab_size": FieldMeaning(
        "architecture", "Number of tokens in the vocabulary; the embedding has one row per token."
    ),
    "max_position_embeddings": FieldMeaning(
        "architecture", "Maximum number of tokens in an input; each position has an embedding."
    ),
    "sinusoidal_pos_embds": FieldMeaning(
        "architecture", "Whether position embeddings are sinusoidal; if false, they are learned."
    ),
    "n_layers": FieldMeaning("architecture", "Number of transformer blocks; BERT has twice as many."),
    "n_heads": FieldMeaning("architecture", "Number of attention heads per block; each has dim / n_heads dimensions."),
    "dim": FieldMeaning("architecture", "Size of the hidden state of each token."),
    "hidden_dim": FieldMeaning("architecture", "Size of the feed-forward layer in each block, usually 4 x dim."),
    "activation": FieldMeaning("architecture", "Activation function between the two feed-forward layers."),
    "dropout": FieldMeaning("training", "Dropout rate after the embeddings and in each block, during training."),
    "attention_dropout": FieldMeaning("training", "Dropout rate of the attention weights, during training."),
    "initializer_range": FieldMeaning("training", "Standard deviation of the random initial weights."),
    "qa_dropout": FieldMeaning("task", "Dropout rate before the question answering head; not used elsewhere."),
    "seq_classif_dropout": FieldMeaning(
        "task", "Dropout rate before transformers' classification head; ours uses head_dropout."
    ),
    "id2label": FieldMeaning("task", "Name of each class index, for the heads of transformers."),
    "label2id": FieldMeaning("task", "Class index of each name, for the heads of transformers."),
    "problem_type": FieldMeaning("task", "Loss function that the classification heads of transformers use."),
    "pad_token_id": FieldMeaning("architecture", "Id of the padding token; its embedding is not trained."),
    "bos_token_id": FieldMeaning("bookkeeping", "Id of the begin-of-text token of generative models; not used here."),
    "eos_token_id": FieldMeaning("bookkeeping", "Id of the end-of-text token of generative models; not used here."),
    "tie_word_embeddings": FieldMeaning("task", "Whether the masked-language head shares the word embeddings."),
    "is_encoder_decoder": FieldMeaning(
        "bookkeeping", "Whether the model has an encoder and a decoder; DistilBERT has no decoder."
    ),
    "chunk_size_feed_forward": FieldMeaning(
        "bookkeeping", "Chunk size of the feed-forward layers, to save memory; 0 turns chunks off."
    ),
    "output_attentions": FieldMeaning("bookkeeping", "Whether the forward pass also returns the attention weights."),
    "output_hidden_states": FieldMeaning(
        "bookkeeping", "Whether the forward pass also returns the output of every block."
    ),
    "return_dict": FieldMeaning("bookkeeping", "Whether outputs have names, such as last_hidden_state."),
    "architectures": FieldMeaning("bookkeeping", "Class of the model that was saved."),
    "transformers_version": FieldMeaning("bookkeeping", "Version of transformers that saved the configuration."),
    "model_type": FieldMeaning("bookkeeping", "Model family, by which transformers finds the class."),
    "_name_or_path": FieldMeaning("bookkeeping", "Where the configuration was loaded from."),
    "dtype": FieldMeaning("bookkeeping", "Data type of the saved weights."),
}
DERIVED: dict[str, FieldMeaning] = {
    "num_labels": FieldMeaning(
        "task", "Number of classes of transformers' heads: the length of id2label; ours has one logit."
    ),
}
"""Attributes that are computed from a field, but accessed like one."""
GROUPS: tuple[Group, ...] = ("architecture", "training", "task", "bookkeeping")
UNEXPLAINED = FieldMeaning("bookkeeping", "A field that is unknown to this version of imdb-tui.")


def explain(name: str) -> FieldMeaning:
    """Return the meaning of a configuration field."""
    return MEANINGS.get(name) or DERIVED.get(name, UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class ConfigurationField:
    """A field of a configuration with its value and the default of the installed transformers."""

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
    """Return all fields and derived attributes of ``config``, by group, in the order of MEANINGS."""
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
