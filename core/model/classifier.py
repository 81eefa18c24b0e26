"""The classifier: DistilBertModel, its hidden state at position 0, and a head that gives one logit."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification, DistilBertModel

from core.config.encoder_overrides import EncoderOverrides, check_heads
from core.errors import InputError

if TYPE_CHECKING:
    from core.config.schema import ModelConfig

HEAD = "classifier"
BODY = "distilbert"


class DistilBertClassifier(nn.Module):
    """Positive or negative, as one logit per review: above 0 means positive.

    The linear head reads the last hidden state at position 0, the [CLS] token if special tokens are on.
    """

    def __init__(self, encoder: DistilBertModel, *, head_dropout: float = 0.0) -> None:
        super().__init__()
        self.distilbert = encoder
        self.dropout = nn.Dropout(head_dropout)
        self.classifier = nn.Linear(encoder.config.dim, 1)

    @property
    def config(self) -> DistilBertConfig:
        """The encoder's configuration."""
        return self.distilbert.config

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """``input_ids`` and ``attention_mask`` of shape [batch, length] to logits of shape [batch], float32."""
        hidden = self.distilbert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.logits_of(hidden[:, 0])

    def logits_of(self, first: torch.Tensor) -> torch.Tensor:
        """The head: last hidden states at position 0, [batch, dim], to logits of shape [batch], float32."""
        logits: torch.Tensor = self.classifier(self.dropout(first))
        return logits.squeeze(-1).float()


class SequenceClassifier(DistilBertForSequenceClassification):  # type: ignore[no-untyped-call]
    """transformers' own two-label head; the logit of a review is the positive logit minus the negative one.

    Cross-entropy over two logits is binary cross-entropy of their difference, so the loss stays the same.
    """

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """``input_ids`` and ``attention_mask`` of shape [batch, length] to logits of shape [batch], float32."""
        logits: torch.Tensor = super().forward(input_ids=input_ids, attention_mask=attention_mask).logits.float()
        return logits[:, 1] - logits[:, 0]

    def logits_of(self, first: torch.Tensor) -> torch.Tensor:
        """The head: last hidden states at position 0, [batch, dim], to logits of shape [batch], float32."""
        logits: torch.Tensor = self.classifier(self.dropout(torch.relu(self.pre_classifier(first)))).float()
        return logits[:, 1] - logits[:, 0]


Classifier = DistilBertClassifier | SequenceClassifier


def with_two_labels(classifier: Classifier, model: ModelConfig) -> SequenceClassifier:
    """The same classifier with transformers' own head, for export: the softmax of its two logits has the same P.

    A linear head's logit z = w·h + b is max(z, 0) - max(-z, 0), which are the first two units of ``pre_classifier``
    after its ReLU; ``classifier`` subtracts them, so that the logits are (0, z), and softmax gives sigmoid(z).
    """
    if isinstance(classifier, SequenceClassifier):
        return classifier
    with torch.random.fork_rng(devices=[]):
        whole = SequenceClassifier(_with_labels(classifier.config, model))
    whole.distilbert.load_state_dict(classifier.distilbert.state_dict())
    weight, bias = classifier.classifier.weight[0], classifier.classifier.bias[0]
    with torch.no_grad():
        for parameter in (*whole.pre_classifier.parameters(), *whole.classifier.parameters()):
            parameter.zero_()
        whole.pre_classifier.weight[:2] = torch.stack([weight, -weight])
        whole.pre_classifier.bias[:2] = torch.stack([bias, -bias])
        whole.classifier.weight[1, :2] = torch.tensor([1.0, -1.0])
    return whole


LABELS = {0: "NEGATIVE", 1: "POSITIVE"}


def encoder_config(fields: dict[str, Any], overrides: Mapping[str, Any] | None = None) -> DistilBertConfig:
    """A DistilBertConfig from a checkpoint's fields, overridden by a preset's ``model.encoder``.

    Raises InputError for invalid values.
    """
    own = EncoderOverrides(overrides)
    try:
        config = DistilBertConfig(**{**fields, **own})
    except Exception as error:  # its validator raises several kinds
        raise InputError(f"the checkpoint's configuration cannot be used: {error}") from None
    try:
        check_heads(config.dim, config.n_heads)
    except InputError as error:
        raise InputError(f"the {'preset' if own else 'checkpoint'}'s configuration cannot be used: {error}") from None
    return config


def require_fit(config: DistilBertConfig, vocabulary: int, max_length: int) -> None:
    """Raise InputError if ids or positions would exceed the embeddings of ``config``."""
    if vocabulary > config.vocab_size:
        raise InputError(
            f"the checkpoint's tokenizer has {vocabulary} tokens, but its vocab_size is {config.vocab_size}; "
            "use the tokenizer of this model"
        )
    if max_length > config.max_position_embeddings:
        raise InputError(
            f"data.max_length = {max_length} is more than the checkpoint's {config.max_position_embeddings} positions"
        )


def build_classifier(
    config: DistilBertConfig, model: ModelConfig, weights: dict[str, torch.Tensor] | None
) -> Classifier:
    """The classifier in train mode, float32, on the CPU; without ``weights`` the encoder is initialised at random.

    Initial weights come from torch's generator: seed it first. Raises InputError for weights that do not fit the
    configuration and for an unknown name in ``freeze``.
    """
    classifier: Classifier
    if model.head == "sequence-classification":
        classifier = SequenceClassifier(_with_labels(config, model))
        if weights is not None:
            _load(classifier.distilbert, weights)
    else:
        # As in transformers' from_pretrained: an encoder that gets weights draws no random numbers, only the head does.
        with torch.random.fork_rng(devices=[]) if weights is not None else nullcontext():
            encoder = DistilBertModel(config)
        if weights is not None:
            _load(encoder, weights)
        classifier = DistilBertClassifier(encoder, head_dropout=model.head_dropout)
    freeze(classifier, model.freeze)
    return classifier.train()


def _load(encoder: DistilBertModel, weights: dict[str, torch.Tensor]) -> None:
    own = encoder.state_dict()
    for name, tensor in own.items():
        if name not in weights:
            raise InputError(f"the checkpoint has no tensor {name}; it is not a complete DistilBERT")
        if weights[name].shape != tensor.shape:
            raise InputError(
                f"tensor {name} of the checkpoint has shape {list(weights[name].shape)}, "
                f"but its configuration requires {list(tensor.shape)}"
            )
    encoder.load_state_dict({name: weights[name] for name in own})


def freeze(classifier: nn.Module, names: Sequence[str]) -> None:
    """Freeze the parameters and modules with these names. Raises InputError for an unknown name."""
    own = dict(classifier.named_parameters())
    for name in names:
        below = [own[path] for path in own if path == name or path.startswith(f"{name}.")]
        if not below:
            raise InputError(f"model.freeze: no module or parameter is named {name!r}; try {BODY}.embeddings")
        for parameter in below:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in classifier.parameters()):
        raise InputError("model.freeze leaves no parameter to train")


def meta_classifier(config: DistilBertConfig, model: ModelConfig | None = None) -> Classifier:
    """The classifier on the meta device, with the head of ``model``: shapes and counts, without memory."""
    with torch.device("meta"):
        if model is not None and model.head == "sequence-classification":
            return SequenceClassifier(_with_labels(config, model))
        return DistilBertClassifier(DistilBertModel(config))


def _with_labels(config: DistilBertConfig, model: ModelConfig) -> DistilBertConfig:
    """The configuration of transformers' head: two labels, and the preset's head dropout."""
    config = copy.deepcopy(config)
    config.seq_classif_dropout = model.head_dropout
    config.id2label, config.label2id = dict(LABELS), {label: i for i, label in LABELS.items()}
    return config
