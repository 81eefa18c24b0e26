"""What each field of a DistilBERT configuration means."""

from __future__ import annotations

import pytest

from core.explain import MEANINGS, UNEXPLAINED, explain


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


def test_only_fields_of_a_head_or_its_labels_are_about_a_task() -> None:
    assert {name for name in MEANINGS if explain(name).task_specific} == {
        "qa_dropout",
        "seq_classif_dropout",
        "id2label",
        "label2id",
        "problem_type",
        "tie_word_embeddings",
    }


def test_an_unknown_field_is_called_unknown() -> None:
    assert explain("no_such_field") is UNEXPLAINED
    assert "does not know" in UNEXPLAINED.meaning
