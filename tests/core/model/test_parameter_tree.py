"""The modules and parameters of a model as a tree of plain data."""

from __future__ import annotations

import csv
import io

import pytest
from torch import nn

from core.config.schema import ModelConfig
from core.errors import InputError
from core.model.classifier import DistilBertClassifier, build_classifier, encoder_config, meta_classifier
from core.model.parameter_tree import (
    parameter_tree,
    parameters_as_csv,
    parameters_as_json,
    toggle_frozen,
    walk,
    with_frozen,
)

SMALL = {"vocab_size": 50, "dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 64}


@pytest.fixture
def small() -> DistilBertClassifier:
    return build_classifier(encoder_config(SMALL), ModelConfig(freeze=("distilbert.embeddings",)), None)


def test_the_count_of_every_module_is_the_sum_over_its_children(small: DistilBertClassifier) -> None:
    tree = parameter_tree(small)
    assert tree.count == sum(parameter.numel() for parameter in small.parameters())
    for node in walk(tree):
        if node.shape is None:
            module = small.get_submodule(node.path)
            assert node.count == sum(parameter.numel() for parameter in module.parameters()), node.path
            assert node.count == sum(child.count for child in node.children), node.path


def test_the_leaves_are_the_models_parameters_with_their_shapes(small: DistilBertClassifier) -> None:
    leaves = {node.path: (node.shape, node.count) for node in walk(parameter_tree(small)) if not node.children}
    assert leaves == {name: (tuple(p.shape), p.numel()) for name, p in small.named_parameters()}
    assert leaves["distilbert.embeddings.word_embeddings.weight"] == ((50, 16), 800)
    assert leaves["classifier.bias"] == ((1,), 1)


def test_frozen_parameters_and_modules_are_not_trainable_in_the_tree(small: DistilBertClassifier) -> None:
    nodes = {node.path: node for node in walk(parameter_tree(small))}
    for path, node in nodes.items():
        assert node.trainable != path.startswith("distilbert.embeddings"), path
    assert nodes[""].trainable
    assert nodes["distilbert"].trainable


def test_modules_without_parameters_are_left_out(small: DistilBertClassifier) -> None:
    names = {node.name for node in walk(parameter_tree(small))}
    assert isinstance(small.dropout, nn.Dropout)
    assert "dropout" not in names
    assert all(node.count for node in walk(parameter_tree(small)))


def test_a_module_with_several_dtypes_names_them_all(small: DistilBertClassifier) -> None:
    small.classifier.double()
    tree = parameter_tree(small)
    assert tree.dtype == "float32/float64"
    assert {child.name: child.dtype for child in tree.children} == {"distilbert": "float32", "classifier": "float64"}


def test_the_base_model_has_66_million_parameters() -> None:
    tree = parameter_tree(meta_classifier(encoder_config({})))
    assert tree.count == 66_363_649
    assert sum(not node.children for node in walk(tree)) == 102


def test_memory_trainable_parameters_and_state_are_summed_per_module(small: DistilBertClassifier) -> None:
    tree = parameter_tree(small)
    nodes = {node.path: node for node in walk(tree)}
    embeddings = 50 * 16 + 64 * 16 + 2 * 16
    assert nodes["distilbert.embeddings"].bytes == 4 * embeddings
    assert tree.trainable_count == tree.count - embeddings
    assert [nodes[path].state for path in ("", "distilbert.embeddings", "classifier")] == [
        "partly frozen",
        "frozen",
        "trained",
    ]
    small.classifier.double()
    assert parameter_tree(small).bytes == tree.bytes + 4 * 17


@pytest.mark.parametrize("freeze", [(), ("distilbert",), ("distilbert.embeddings", "classifier.bias")])
def test_the_tree_and_the_model_freeze_the_same_parameters(freeze: tuple[str, ...]) -> None:
    plain = parameter_tree(meta_classifier(encoder_config(SMALL)))
    model = build_classifier(encoder_config(SMALL), ModelConfig(freeze=freeze), None)
    assert with_frozen(plain, freeze) == parameter_tree(model)


@pytest.mark.parametrize("freeze", [("bert",), ("distilbert", "classifier")])
def test_the_tree_and_the_model_refuse_the_same_names(freeze: tuple[str, ...]) -> None:
    plain = parameter_tree(meta_classifier(encoder_config(SMALL)))
    with pytest.raises(InputError) as of_tree:
        with_frozen(plain, freeze)
    with pytest.raises(InputError) as of_model:
        build_classifier(encoder_config(SMALL), ModelConfig(freeze=freeze), None)
    assert str(of_model.value).startswith(str(of_tree.value))


def test_toggling_a_node_freezes_or_trains_it_and_gives_the_shortest_list_of_names() -> None:
    tree = parameter_tree(meta_classifier(encoder_config(SMALL)))

    def after(*paths: str) -> tuple[str, ...]:
        freeze: tuple[str, ...] = ()
        for path in paths:
            freeze = toggle_frozen(with_frozen(tree, freeze), path)
        return freeze

    assert after("distilbert.embeddings") == ("distilbert.embeddings",)
    assert after("classifier.bias") == ("classifier.bias",)
    assert after("distilbert.embeddings", "distilbert.transformer") == ("distilbert",)
    assert after("distilbert", "distilbert") == ()
    assert after("distilbert", "distilbert.transformer.layer.1") == (
        "distilbert.embeddings",
        "distilbert.transformer.layer.0",
    )
    with pytest.raises(InputError, match="nothing to train"):
        after("distilbert", "classifier")


def test_every_parameter_is_exported_once() -> None:
    tree = with_frozen(parameter_tree(meta_classifier(encoder_config(SMALL))), ["distilbert"])
    answer = parameters_as_json(tree)
    assert (answer["total"], answer["trainable"], answer["tensors"]) == (tree.count, 17, 2 * 16 + 4 + 2)
    assert len(answer["parameters"]) == answer["tensors"]
    assert sum(row["count"] for row in answer["parameters"]) == answer["total"]
    lines = list(csv.DictReader(io.StringIO(parameters_as_csv(tree))))
    assert [line["name"] for line in lines] == [row["name"] for row in answer["parameters"]]
    assert lines[0]["shape"] == "50x16"
    assert (lines[-1]["name"], lines[-1]["count"], lines[-1]["trainable"]) == ("classifier.bias", "1", "true")
