"""The classifier: DistilBertModel, its vector at position 0, a linear head to one logit."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification, DistilBertModel

from core.errors import InputError

if TYPE_CHECKING:
    from core.config import ModelConfig

CONFIG_NAME, WEIGHTS_NAME = "config.json", "model.safetensors"
HEAD = "classifier"
BODY = "distilbert"


class DistilBertClassifier(nn.Module):
    """Positive or negative, as one logit a review: above 0 means positive.

    The linear head reads the last hidden state at position 0, the [CLS] token where special tokens are on.
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

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Writes configuration and weights; transformers reads the encoder, :meth:`from_pretrained` all of it."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        fields = self.config.to_dict() | {"architectures": [type(self).__name__], "head_dropout": self.dropout.p}
        (path / CONFIG_NAME).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
        save_file(self.state_dict(), path / WEIGHTS_NAME, metadata={"format": "pt"})

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str]) -> DistilBertClassifier:
        """The classifier that :meth:`save_pretrained` wrote, in evaluation mode, float32, on the CPU."""
        path = Path(folder)
        fields = json.loads((path / CONFIG_NAME).read_text(encoding="utf-8"))
        head_dropout = fields.pop("head_dropout", 0.0)
        with torch.random.fork_rng(devices=[]):
            classifier = cls(DistilBertModel(DistilBertConfig(**fields)), head_dropout=head_dropout)
        classifier.load_state_dict(load_file(path / WEIGHTS_NAME))
        return classifier.eval()

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """``input_ids`` and ``attention_mask`` of shape [batch, length] to logits of shape [batch], float32."""
        hidden = self.distilbert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        first = self.dropout(hidden[:, 0])
        logits: torch.Tensor = self.classifier(first)
        return logits.squeeze(-1).float()


class SequenceClassifier(DistilBertForSequenceClassification):  # type: ignore[no-untyped-call]
    """transformers' own two-label head; the logit of a review is by how much positive exceeds negative.

    Cross-entropy over two logits is binary cross-entropy of their difference, so that everything else stays the same.
    """

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """``input_ids`` and ``attention_mask`` of shape [batch, length] to logits of shape [batch], float32."""
        logits: torch.Tensor = super().forward(input_ids=input_ids, attention_mask=attention_mask).logits.float()
        return logits[:, 1] - logits[:, 0]


Classifier = DistilBertClassifier | SequenceClassifier
LABELS = {0: "NEGATIVE", 1: "POSITIVE"}


def encoder_config(fields: dict[str, Any]) -> DistilBertConfig:
    """A DistilBertConfig from a checkpoint's fields. Raises InputError for values it refuses."""
    try:
        config = DistilBertConfig(**fields)
    except Exception as error:  # its validator raises several kinds
        raise InputError(f"the checkpoint's configuration cannot be used: {error}") from None
    if config.n_heads < 1 or config.dim % config.n_heads:
        raise InputError(
            f"the checkpoint's configuration cannot be used: dim {config.dim} is not divisible by "
            f"n_heads {config.n_heads}"
        )
    return config


def require_fit(config: DistilBertConfig, vocabulary: int, max_length: int) -> None:
    """Raises InputError where ids or positions would fall outside the embeddings of ``config``."""
    if vocabulary > config.vocab_size:
        raise InputError(
            f"the checkpoint's tokenizer knows {vocabulary} pieces, its vocab_size is {config.vocab_size}; "
            "tokenizer and model do not belong together"
        )
    if max_length > config.max_position_embeddings:
        raise InputError(
            f"data.max_length = {max_length} is more than the checkpoint's {config.max_position_embeddings} positions"
        )


def build_classifier(
    config: DistilBertConfig, model: ModelConfig, weights: dict[str, torch.Tensor] | None
) -> Classifier:
    """The classifier in train mode, float32, on the CPU; ``weights`` None leaves the encoder as it was drawn.

    Weights are drawn from torch's generator: seed it first. Raises InputError for weights that do not fit the
    configuration and for a name in ``freeze`` that no module has.
    """
    classifier: Classifier
    if model.head == "sequence-classification":
        config = copy.deepcopy(config)
        config.seq_classif_dropout = model.head_dropout
        config.id2label, config.label2id = dict(LABELS), {label: i for i, label in LABELS.items()}
        classifier = SequenceClassifier(config)
        if weights is not None:
            _load(classifier.distilbert, weights)
    else:
        # As from_pretrained: weights that are replaced at once draw nothing, the seed's first go to the head.
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
            raise InputError(f"the checkpoint has no tensor {name}; it is not a whole DistilBERT")
        if weights[name].shape != tensor.shape:
            raise InputError(
                f"tensor {name} of the checkpoint has shape {list(weights[name].shape)}, "
                f"its configuration asks for {list(tensor.shape)}"
            )
    encoder.load_state_dict({name: weights[name] for name in own})


def freeze(classifier: nn.Module, names: Sequence[str]) -> None:
    """Stops training every parameter of the modules named. Raises InputError for a name that no module has."""
    for name in names:
        try:
            module = classifier.get_submodule(name)
        except AttributeError:
            raise InputError(f"model.freeze names {name!r}, which no module has; try {BODY}.embeddings") from None
        for parameter in module.parameters():
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in classifier.parameters()):
        raise InputError("model.freeze leaves no parameter to train")


def meta_classifier(config: DistilBertConfig) -> DistilBertClassifier:
    """The classifier on the meta device: shapes and counts at once, no memory."""
    with torch.device("meta"):
        return DistilBertClassifier(DistilBertModel(config))


def hidden_state_shape(classifier: Classifier, input_ids: torch.Tensor) -> tuple[int, ...]:
    """The shape of ``last_hidden_state`` for ids of shape [batch, length], by a real forward pass."""
    classifier.eval()
    with torch.inference_mode():
        mask = (input_ids != 0).long()
        return tuple(classifier.distilbert(input_ids=input_ids, attention_mask=mask).last_hidden_state.shape)
