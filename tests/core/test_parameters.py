"""The modules and parameters of a model as a tree of plain data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from torch import nn

from core.config import ModelConfig
from core.model import DistilBertClassifier, build_classifier, encoder_config, meta_classifier
from core.parameters import ParameterNode, parameter_tree

SMALL = {"vocab_size": 50, "dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 64}


def walk(node: ParameterNode) -> Iterator[ParameterNode]:
    yield node
    for child in node.children:
        yield from walk(child)


@pytest.fixture
def small() -> DistilBertClassifier:
    return build_classifier(encoder_config(SMALL), ModelConfig(freeze=("distilbert.embeddings",)), None)


def test_the_count_of_every_module_is_the_sum_over_what_is_below_it(small: DistilBertClassifier) -> None:
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


def test_what_is_frozen_shows_in_its_leaves_and_modules(small: DistilBertClassifier) -> None:
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


def test_a_module_of_several_number_formats_names_them_all(small: DistilBertClassifier) -> None:
    small.classifier.double()
    tree = parameter_tree(small)
    assert tree.dtype == "float32/float64"
    assert {child.name: child.dtype for child in tree.children} == {"distilbert": "float32", "classifier": "float64"}


def test_the_whole_distilbert_counts_66_million_parameters_without_their_memory() -> None:
    tree = parameter_tree(meta_classifier(encoder_config({})))
    assert tree.count == 66_363_649
    assert sum(not node.children for node in walk(tree)) == 102
