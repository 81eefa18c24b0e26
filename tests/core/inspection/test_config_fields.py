"""Every field of a DistilBERT configuration has a meaning and a group."""

from __future__ import annotations

import pytest

from core.inspection.config_fields import GROUPS, MEANINGS, UNEXPLAINED, configuration_fields, explain


def test_exactly_the_fields_of_the_installed_transformers_are_explained() -> None:
    from transformers import DistilBertConfig

    assert set(MEANINGS) == set(DistilBertConfig().to_dict())


@pytest.mark.parametrize("name", MEANINGS)
def test_every_meaning_is_a_sentence(name: str) -> None:
    meaning = explain(name).meaning
    assert meaning[0].isupper()
    assert meaning.endswith(".")
    assert len(meaning.split()) >= 4
    assert meaning.isprintable()


def test_only_fields_of_heads_and_labels_are_task_specific() -> None:
    assert {name for name in MEANINGS if explain(name).task_specific} == {
        "qa_dropout",
        "seq_classif_dropout",
        "id2label",
        "label2id",
        "problem_type",
        "tie_word_embeddings",
    }


def test_an_unknown_field_is_shown_as_unknown() -> None:
    assert explain("no_such_field") is UNEXPLAINED
    assert "unknown" in UNEXPLAINED.meaning


def test_fields_are_grouped_and_have_value_and_default() -> None:
    from core.model.classifier import encoder_config

    fields = {one.name: one for one in configuration_fields(encoder_config({"dim": 384, "n_heads": 6}))}
    assert set(fields) == {*MEANINGS, "num_labels"}
    assert (fields["dim"].value, fields["dim"].default, fields["dim"].differs) == (384, 768, True)
    assert not fields["dropout"].differs
    assert (fields["num_labels"].value, fields["num_labels"].task_specific) == (2, True)
    groups = [one.group for one in fields.values()]
    assert groups == sorted(groups, key=GROUPS.index)


def test_a_new_field_of_transformers_is_shown_as_unknown() -> None:
    from core.model.classifier import encoder_config

    config = encoder_config({})
    config.something_new = 5
    (field,) = [one for one in configuration_fields(config) if one.name == "something_new"]
    assert (field.value, field.default, field.meaning) == (5, None, UNEXPLAINED.meaning)
