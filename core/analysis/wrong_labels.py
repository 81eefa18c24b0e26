"""Likely wrong labels, by confident learning on predictions of models that were not trained on the review.

For two classes the method is a few lines over arrays, so the package cleanlab is no dependency; on the same predictions
its find_label_issues(filter_by="confident_learning") marks the same reviews.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.analysis.bag_of_words import fit_bag_of_words
from core.analysis.predictions import Predictions, validation_predictions
from core.analysis.stored_evaluations import predictions_of, same_reviews, stored_evaluations
from core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.analysis.run_reviews import RunReviews
    from core.runs.directory import Run

BAG_OF_WORDS = "bag of words"
"""The label of the predictions of the training reviews, which the run itself was trained on."""
FOLDS = 5
TOLERANCE = 1e-6
"""A probability that is equal to its threshold reaches it, whatever the rounding of the mean."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A review whose label is likely to be wrong."""

    id: int
    """Row of the review in its source."""
    label: int
    """The label that the run used, 1 for positive, 0 for negative."""
    suggested: int
    """The other label, which the model is confident of."""
    probability: float
    """P(positive) as predicted."""
    score: float
    """The probability of the given label; the lower, the more likely is the label wrong."""
    predicted_by: str
    """Which predictions: ``validation``, the name of an evaluation, or ``bag of words``."""
    text: str


def confident_issues(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which labels are likely wrong: bool [n], the cells of the confident joint beside its diagonal.

    ``probabilities`` (float [n]) are P(positive) of a model that was not trained on these reviews. The threshold of a
    class is the mean of its probability over the reviews with its label; a review belongs confidently to the most
    probable class that reaches its threshold, and its label is suspect if it is another one and less probable. Without
    a review of a class nothing is suspect.

    Source: C. Northcutt, L. Jiang, I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
    J. Artif. Intell. Res. 70, 2021, pp. 1373-1411.
    """
    by_class = np.stack([1 - probabilities, probabilities], axis=1)
    if len({*labels.tolist()}) < 2:
        return np.zeros(len(labels), dtype=np.bool_)
    thresholds = np.array([by_class[labels == one, one].mean() for one in (0, 1)])
    reached = np.where(by_class >= thresholds - TOLERANCE, by_class, -1.0)
    confident = (reached.max(axis=1) >= 0) & (reached.argmax(axis=1) != labels)
    issues: NDArray[np.bool_] = confident & (by_class.argmax(axis=1) != labels)
    return issues


def suspects(groups: Iterable[Predictions], reviews: RunReviews) -> list[Suspect]:
    """List the suspect reviews of several groups of predictions, those with the lowest score first.

    Each group has thresholds of its own, because two models differ in how confident they are. A review that is in
    several groups is judged by the first one.
    """
    found: list[Suspect] = []
    seen: set[int] = set()
    for group in groups:
        fresh = group.take([row for row, id_ in enumerate(group.ids.tolist()) if id_ not in seen])
        seen.update(fresh.ids.tolist())
        chosen = fresh.take(confident_issues(fresh.labels, fresh.probabilities))
        texts = reviews.texts(chosen.ids.tolist())
        for id_, label, probability, text in zip(
            chosen.ids.tolist(), chosen.labels.tolist(), chosen.probabilities.tolist(), texts, strict=True
        ):
            score = probability if label else 1 - probability
            found.append(Suspect(id_, label, 1 - label, probability, score, group.label, text))
    return sorted(found, key=lambda one: (one.score, one.id))


def suspects_of_run(
    run: Run,
    reviews: RunReviews,
    *,
    training: bool = True,
    on_progress: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Suspect]:
    """List the reviews of a run whose labels are likely wrong.

    Validation reviews are judged by the run's predictions after its last epoch, other reviews of its source by its
    evaluations, and with ``training`` the training reviews by a bag of words that is cross-validated on them, in some
    seconds per 1,000 reviews. ``on_progress`` gets what is done, how much of it, and of how much; it may raise to stop.
    Raises InputError if there are no predictions, or if those of an evaluation are damaged.
    """
    validation = validation_predictions(run)
    evaluations = [
        predictions_of(run, stored)
        for stored in stored_evaluations(run)
        if stored.labelled and same_reviews(stored.source, validation.origin)
    ]
    groups = [validation, *(_with_labels_of_run(each, reviews) for each in evaluations)]
    if training:
        groups.append(cross_validated(run, reviews, on_progress=on_progress))
    return suspects(groups, reviews)


def _with_labels_of_run(predictions: Predictions, reviews: RunReviews) -> Predictions:
    """The predictions with the labels that the run uses, without reviews that it drops.

    An evaluation of the file itself has the labels of the file.
    """
    dropped = np.array(sorted(reviews.corrected.dropped), dtype=np.int64)
    used = predictions.take(~np.isin(predictions.ids, dropped))
    return replace(used, labels=np.array([reviews.reviews[row].label for row in used.ids.tolist()], dtype=np.int64))


def cross_validated(
    run: Run, reviews: RunReviews, *, on_progress: Callable[[str, int, int], None] = lambda *_: None
) -> Predictions:
    """Predict each training review by a bag of words that was fitted on the other four fifths of them.

    Raises InputError if there are too few reviews of a class.
    """
    ids = np.array(reviews.train, dtype=np.int64)
    labels = np.array([reviews.reviews[row].label for row in reviews.train], dtype=np.int64)
    seed = run.config().train.seed
    logits = out_of_fold_logits(reviews.texts(reviews.train), labels, seed=seed, on_progress=on_progress)
    return Predictions(run.name, "cross-validated", BAG_OF_WORDS, ids, labels, logits, reviews.origin.as_dict())


def out_of_fold_logits(
    texts: Sequence[str],
    labels: NDArray[np.int64],
    *,
    seed: int = 0,
    on_progress: Callable[[str, int, int], None] = lambda *_: None,
) -> NDArray[np.float64]:
    """The logit of each text by a bag of words fitted on the other folds, float64 [n]: scikit-learn's cross-validation.

    The folds are shuffled and have the same share of each label. Raises InputError if a class has fewer than five
    reviews, and as :func:`core.analysis.bag_of_words.fit_bag_of_words`.
    """
    from sklearn.model_selection import StratifiedKFold

    fewest = int(min((labels == one).sum() for one in (0, 1)))
    if fewest < FOLDS:
        raise InputError(
            f"one label has {fewest} training reviews, and cross-validation needs at least {FOLDS} of each; "
            "leave the training reviews out (--no-training)"
        )
    logits = np.empty(len(labels))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(labels, labels)
    for number, (rest, held_out) in enumerate(folds):
        on_progress("cross-validating a bag of words", number, FOLDS)
        fitted = fit_bag_of_words([texts[i] for i in rest], labels[rest])
        logits[held_out] = fitted.decision([texts[i] for i in held_out])
    on_progress("cross-validating a bag of words", FOLDS, FOLDS)
    return logits
