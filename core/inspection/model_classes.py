"""Compare DistilBERT's classes in transformers: modules they add to the encoder, input and output shapes.

The models are built and called on the meta device, where tensors have shapes but no memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import transformers
from torch import nn
from transformers import DistilBertConfig, DistilBertModel

from core.model.classifier import DistilBertClassifier

BATCH, LENGTH, CHOICES = 16, 256, 4

PURPOSES = {
    "DistilBertModel": "The encoder alone: one hidden state per token. The base for your own head.",
    "DistilBertClassifier": "Ours: the hidden state at position 0 to one logit; above 0 is positive.",
    "DistilBertForMaskedLM": "Pretraining: which token was masked? One score per token of the vocabulary.",
    "DistilBertForSequenceClassification": "One label per text: position 0 through two linear layers.",
    "DistilBertForTokenClassification": "One label per token, for example names: each through a linear layer.",
    "DistilBertForQuestionAnswering": "Where is the answer in the text? One score for its start and one for its end.",
    "DistilBertForMultipleChoice": "Which of several choices fits? Each choice is a text with one score.",
}


@dataclass(frozen=True, slots=True)
class HeadClass:
    """One class, with its parameter counts, and its input and output shapes for one batch."""

    name: str
    purpose: str
    modules: tuple[str, ...]
    """Modules in addition to the encoder, as ``name: kind``, including those without parameters."""
    added: int
    """Number of parameters in addition to the encoder's; shared tensors are not counted again."""
    tensors: int
    total: int
    shared: tuple[str, ...]
    """Names of tensors that are shared with the encoder."""
    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]


def head_classes(
    config: DistilBertConfig, *, batch: int = BATCH, length: int = LENGTH, choices: int = CHOICES
) -> list[HeadClass]:
    """Describe all classes for a configuration and a batch of that size, DistilBertModel first."""
    length = min(length, config.max_position_embeddings)
    return [_describe(name, config, batch, length, choices) for name in PURPOSES]


def _describe(name: str, config: DistilBertConfig, batch: int, length: int, choices: int) -> HeadClass:
    if name == "DistilBertForQuestionAnswering" and config.num_labels != 2:
        config = DistilBertConfig(**{**config.to_dict(), "id2label": {0: "start", 1: "end"}})
    shape = (batch, choices, length) if name == "DistilBertForMultipleChoice" else (batch, length)
    with torch.device("meta"), torch.inference_mode():
        model = _build(name, config).eval()
        ids = torch.zeros(shape, dtype=torch.long)
        if isinstance(model, DistilBertClassifier):
            outputs = {"logits": tuple(model(ids, None).shape)}
        else:
            outputs = {key: tuple(value.shape) for key, value in model(input_ids=ids).items()}
    encoder = model if isinstance(model, DistilBertModel) else model.get_submodule("distilbert")
    of_encoder = {id(parameter) for parameter in encoder.parameters()}
    own = [parameter for parameter in model.parameters() if id(parameter) not in of_encoder]
    everything = model.named_parameters(remove_duplicate=False)
    shared = tuple(key for key, p in everything if id(p) in of_encoder and not key.startswith("distilbert."))
    modules = tuple(f"{key}: {_kind(child)}" for key, child in model.named_children() if child is not encoder)
    if encoder is model:
        modules, shared = (), ()
    return HeadClass(
        name,
        PURPOSES[name],
        modules,
        sum(parameter.numel() for parameter in own),
        len(own),
        sum(parameter.numel() for parameter in model.parameters()),
        shared,
        {"input_ids": shape, "attention_mask": shape},
        outputs,
    )


def _build(name: str, config: DistilBertConfig) -> nn.Module:
    if name == "DistilBertClassifier":
        return DistilBertClassifier(DistilBertModel(config))
    model: nn.Module = getattr(transformers, name)(config)
    return model


def _kind(module: nn.Module) -> str:
    if isinstance(module, nn.Linear):
        return f"Linear({module.in_features}, {module.out_features})"
    if isinstance(module, nn.LayerNorm):
        return f"LayerNorm({module.normalized_shape[0]})"
    if isinstance(module, nn.Dropout):
        return f"Dropout({module.p:g})"
    return type(module).__name__
