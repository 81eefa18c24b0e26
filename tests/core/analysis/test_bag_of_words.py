"""The bag of words against scikit-learn's own pipeline, which is fitted and applied in one piece."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from core.analysis.bag_of_words import BagOfWords, C, bag_of_words_of, fit_bag_of_words
from core.analysis.run_reviews import reviews_of_run
from core.config.schema import RunConfig
from core.errors import InputError
from tests.core.support.training import run


def texts_and_labels(seed: int, n: int) -> tuple[list[str], list[int]]:
    """Random texts of thirty words, in which four words depend on the label."""
    chance = random.Random(seed)
    neutral = [f"word{i}" for i in range(30)]
    labels = [chance.randrange(2) for _ in range(n)]
    opinions = (["dull", "dreadful"], ["warm", "splendid"])
    return [
        " ".join(chance.choices(neutral, k=12) + chance.choices(opinions[label] + neutral[:4], k=4)) for label in labels
    ], labels


def test_the_logits_equal_those_of_scikit_learns_pipeline() -> None:
    texts, labels = texts_and_labels(0, 120)
    others = [*texts_and_labels(1, 40)[0], "", "none of its words", "Dull DULL dull, splendid"]
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    pipeline = make_pipeline(vectorizer, LogisticRegression(C=C, max_iter=1000)).fit(texts, labels)
    fitted = fit_bag_of_words(texts, labels)
    assert fitted.decision(others) == pytest.approx(pipeline.decision_function(others), abs=1e-9)
    assert fitted.decision([""]) == pytest.approx([fitted.intercept])
    assert fitted.n == 120
    assert fitted.decision([]).shape == (0,)


def test_two_fits_of_the_same_reviews_are_identical() -> None:
    texts, labels = texts_and_labels(0, 60)
    first, second = fit_bag_of_words(texts, labels), fit_bag_of_words(texts, np.array(labels))
    assert first.vocabulary == second.vocabulary
    assert first.coefficients.tobytes() == second.coefficients.tobytes()
    assert first.intercept == second.intercept


def test_the_heaviest_words_are_those_that_depend_on_the_label() -> None:
    negative, positive = fit_bag_of_words(*texts_and_labels(0, 300)).heaviest(2)
    assert {word for word, _ in negative} == {"dull", "dreadful"}
    assert {word for word, _ in positive} == {"warm", "splendid"}
    assert negative[0].coefficient <= negative[1].coefficient < 0 < positive[1].coefficient <= positive[0].coefficient


def test_the_lists_of_the_heaviest_words_never_overlap() -> None:
    weights = np.array([-1.0, 0.0, 3.0, 2.0])
    fitted = BagOfWords(["a", "b", "c", "d"], np.ones(4), weights, 0.0, 4)
    assert fitted.heaviest(9) == ([("a", -1.0)], [("c", 3.0), ("d", 2.0)])
    assert fitted.heaviest(1) == ([("a", -1.0)], [("c", 3.0)])
    assert fitted.heaviest(0) == ([], [])
    assert fitted.by_word() == {"a": -1.0, "b": 0.0, "c": 3.0, "d": 2.0}


def test_reviews_that_cannot_be_fitted_are_refused() -> None:
    with pytest.raises(InputError, match="the 2 reviews all have the same label"):
        fit_bag_of_words(["a film", "a film"], [1, 1])
    with pytest.raises(InputError, match="no word is in two of the 2 reviews"):
        fit_bag_of_words(["dull", "warm"], [0, 1])


def test_a_run_is_compared_with_a_fit_on_its_own_training_reviews(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(config, tmp_path / "runs")
    fitted, reviews = bag_of_words_of(done), reviews_of_run(done)
    assert fitted.n == len(reviews.train) == 32
    again = fit_bag_of_words(reviews.texts(reviews.train), [reviews.reviews[i].label for i in reviews.train])
    assert fitted.coefficients.tolist() == again.coefficients.tolist()
    labels = [reviews.reviews[i].label for i in reviews.validation]
    assert [logit > 0 for logit in fitted.decision(reviews.texts(reviews.validation))] == [one == 1 for one in labels]
