"""Parameter counts and output shapes of DistilBERT's classes."""

from __future__ import annotations

import pytest
import torch
import transformers
from transformers import DistilBertConfig

from core.inspection.model_classes import HeadClass, head_classes
from core.model.classifier import encoder_config

SMALL = {"vocab_size": 50, "dim": 16, "hidden_dim": 32, "n_layers": 1, "n_heads": 2, "max_position_embeddings": 32}


@pytest.fixture(scope="module")
def base() -> dict[str, HeadClass]:
    return {one.name: one for one in head_classes(DistilBertConfig(), batch=2, length=5, choices=3)}


def test_distilbertmodel_adds_no_parameters_and_our_classifier_adds_769(base: dict[str, HeadClass]) -> None:
    bare, ours = base["DistilBertModel"], base["DistilBertClassifier"]
    assert (bare.modules, bare.added, bare.tensors, bare.total) == ((), 0, 0, 66_362_880)
    assert (ours.added, ours.tensors, ours.total) == (769, 2, 66_363_649)


def test_each_head_adds_the_parameters_computed_by_hand(base: dict[str, HeadClass]) -> None:
    square = 768 * 768 + 768
    assert {name: one.added for name, one in base.items() if name.startswith("DistilBertFor")} == {
        "DistilBertForMaskedLM": square + 2 * 768 + 30_522,  # the projector's matrix is the embeddings' own
        "DistilBertForSequenceClassification": square + 2 * 768 + 2,
        "DistilBertForTokenClassification": 2 * 768 + 2,
        "DistilBertForQuestionAnswering": 2 * 768 + 2,
        "DistilBertForMultipleChoice": square + 768 + 1,
    }
    assert base["DistilBertForMaskedLM"].shared == ("vocab_projector.weight",)
    assert "pre_classifier: Linear(768, 768)" in base["DistilBertForMultipleChoice"].modules


def test_the_shapes_are_those_of_a_batch(base: dict[str, HeadClass]) -> None:
    assert {name: one.outputs for name, one in base.items()} == {
        "DistilBertModel": {"last_hidden_state": (2, 5, 768)},
        "DistilBertClassifier": {"logits": (2,)},
        "DistilBertForMaskedLM": {"logits": (2, 5, 30_522)},
        "DistilBertForSequenceClassification": {"logits": (2, 2)},
        "DistilBertForTokenClassification": {"logits": (2, 5, 2)},
        "DistilBertForQuestionAnswering": {"start_logits": (2, 5), "end_logits": (2, 5)},
        "DistilBertForMultipleChoice": {"logits": (2, 3)},
    }
    assert base["DistilBertForMultipleChoice"].inputs["input_ids"] == (2, 3, 5)


def test_the_counts_match_the_real_classes() -> None:
    config = encoder_config(SMALL)
    for one in head_classes(config, batch=1, length=4, choices=2):
        if one.name != "DistilBertClassifier":
            model = getattr(transformers, one.name)(config)
            assert one.total == sum(parameter.numel() for parameter in model.parameters()), one.name


def test_more_labels_widen_classification_heads_but_not_question_answering() -> None:
    config = DistilBertConfig(**SMALL, id2label={0: "a", 1: "b", 2: "c"})
    classes = {one.name: one for one in head_classes(config, batch=1, length=4)}
    assert classes["DistilBertForTokenClassification"].outputs["logits"] == (1, 4, 3)
    assert classes["DistilBertForQuestionAnswering"].added == 2 * 16 + 2


def test_a_tied_embedding_that_is_untied_counts_as_added() -> None:
    tied, untied = (
        next(one for one in head_classes(DistilBertConfig(**SMALL, tie_word_embeddings=tie)) if "MaskedLM" in one.name)
        for tie in (True, False)
    )
    assert untied.added - tied.added == 50 * 16
    assert untied.shared == ()


def test_building_the_classes_does_not_change_the_default_device() -> None:
    head_classes(encoder_config(SMALL))
    assert torch.zeros(1).device.type == "cpu"
