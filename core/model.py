"""The classifier: DistilBertModel, its vector at position 0, a linear head to one logit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertModel

from core.architecture import check_heads, parse_architecture
from core.errors import InputError

if TYPE_CHECKING:
    from core.config import ModelConfig

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

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """``input_ids`` and ``attention_mask`` of shape [batch, length] to logits of shape [batch], float32."""
        hidden = self.distilbert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        first = self.dropout(hidden[:, 0])
        logits: torch.Tensor = self.classifier(first)
        return logits.squeeze(-1).float()


def encoder_config(fields: dict[str, Any], architecture: Sequence[str] = ()) -> DistilBertConfig:
    """A DistilBertConfig from a checkpoint's fields and what a preset's ``model.architecture`` sets.

    Raises InputError for values it refuses.
    """
    own = parse_architecture(architecture)
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
) -> DistilBertClassifier:
    """The classifier in train mode, float32, on the CPU; ``weights`` None leaves the encoder as it was drawn.

    Weights are drawn from torch's generator: seed it first. Raises InputError for weights that do not fit the
    configuration and for a name in ``freeze`` that no module has.
    """
    if weights is None:
        encoder = DistilBertModel(config)
    else:
        # As from_pretrained: weights that are replaced at once draw nothing, the seed's first go to the head.
        with torch.random.fork_rng(devices=[]):
            encoder = DistilBertModel(config)
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
    """Stops training the parameters named and those of the modules named; InputError for a name that none has."""
    own = dict(classifier.named_parameters())
    for name in names:
        below = [own[path] for path in own if path == name or path.startswith(f"{name}.")]
        if not below:
            raise InputError(f"model.freeze names {name!r}, which no module has, nor any tensor; try {BODY}.embeddings")
        for parameter in below:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in classifier.parameters()):
        raise InputError("model.freeze leaves no parameter to train")


def meta_classifier(config: DistilBertConfig) -> DistilBertClassifier:
    """The classifier on the meta device: shapes and counts at once, no memory."""
    with torch.device("meta"):
        return DistilBertClassifier(DistilBertModel(config))
