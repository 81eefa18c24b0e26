"""The evaluations that are stored with a run, and the predictions of the bag of words on the same reviews.

<run>/evaluations/rest/
  predictions.csv    id, label and logit of each review, in the order of evaluation; the label is empty if there is none
  evaluation.json    what was evaluated on what: hashes of the data and of the weights, counts, seconds
  bag-of-words.csv   predictions of the baseline on the same reviews, if it was fitted
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from core.analysis.predictions import VALIDATION, Predictions, validation_predictions
from core.atomic_write import write_text_atomically
from core.errors import InputError
from core.runs.directory import Run

FOLDER, ABOUT, PREDICTIONS, BASELINE = "evaluations", "evaluation.json", "predictions.csv", "bag-of-words.csv"
BASELINE_NAME = "bag-of-words"
"""The ``checkpoint`` of the baseline's predictions."""
UNLABELLED = -1
"""The label of a review without one, in the arrays of predictions."""


@dataclass(frozen=True, slots=True)
class StoredEvaluation:
    """What was evaluated on what; the content of evaluation.json."""

    label: str
    """Name of the evaluation and of its folder."""
    checkpoint: str
    """The checkpoint that was evaluated, such as ``step-300``."""
    weights_sha256: str
    data: str
    """What was asked for: ``rest``, the path of a file, or the name of a data set."""
    source: dict[str, Any]
    """Where the reviews come from: kind, name, note, sha256, available."""
    n: int
    """Number of reviews that were predicted."""
    usable: int
    """Number of reviews that can be evaluated, without those that are left out."""
    left_out_training: int
    left_out_duplicates: int
    unchecked: str
    """Why the reviews could not be compared with the training reviews; empty if they were."""
    labelled: bool
    complete: bool
    """Whether all reviews that were asked for are predicted; otherwise the evaluation was stopped."""
    seconds: float
    """Time of encoding and prediction, without loading."""
    device: str
    dtype: str
    created: float
    """Unix time of the last predictions."""
    bytes: int
    """Size of the part of predictions.csv that belongs to this file; after a crash there may be more."""
    sha256: str
    """SHA-256 of that part."""

    @property
    def left_out(self) -> int:
        return self.left_out_training + self.left_out_duplicates


def require_label(label: str) -> str:
    """Return ``label``. Raises InputError unless it can be the name of a folder and of an evaluation."""
    if label == VALIDATION:
        raise InputError(f"the name {label!r} is that of the predictions made in training; choose another --name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", label):
        raise InputError(
            f"{label[:80]!r} cannot be the name of an evaluation; use 1 to 80 letters, digits, dots, - and _, "
            "and begin with a letter or digit"
        )
    return label


def folder_of(run: Run, label: str) -> Path:
    return run.path / FOLDER / label


def stored_evaluations(run: Run) -> list[StoredEvaluation]:
    """The evaluations of ``run``, newest first, without those whose description is damaged."""
    found = []
    for path in (run.path / FOLDER).glob(f"*/{ABOUT}"):
        with suppress(InputError):
            found.append(_read_about(path))
    return sorted(found, key=lambda each: each.created, reverse=True)


def stored_evaluation(run: Run, label: str) -> StoredEvaluation:
    """The evaluation with that name. Raises InputError if there is none, or if its description is damaged."""
    path = folder_of(run, require_label(label)) / ABOUT
    if not path.is_file():
        names = ", ".join(sorted(each.label for each in stored_evaluations(run))) or "none"
        raise InputError(f"run {run.name} has no evaluation {label!r}; it has {names}")
    return _read_about(path)


def _read_about(path: Path) -> StoredEvaluation:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = [field.name for field in fields(StoredEvaluation)]
        found = StoredEvaluation(**{name: content[name] for name in names})
        if found.label != path.parent.name or not isinstance(found.source, dict) or found.n < 0:
            raise ValueError("its content does not fit")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: the evaluation cannot be read ({error}); evaluate again") from None
    return found


def evaluation_predictions(run: Run, label: str, *, labels_required: bool = True) -> Predictions:
    """The predictions of a stored evaluation, in the order of evaluation; those of the last epoch for ``validation``.

    Raises InputError if there are none, if they are damaged, or if the reviews have no labels. Without
    ``labels_required`` the labels are then -1.
    """
    if label == VALIDATION:
        return validation_predictions(run)
    return predictions_of(run, stored_evaluation(run, label), labels_required=labels_required)


def predictions_of(run: Run, stored: StoredEvaluation, *, labels_required: bool = True) -> Predictions:
    """The predictions of ``stored``. Raises InputError as :func:`evaluation_predictions`."""
    path = folder_of(run, stored.label) / PREDICTIONS
    if labels_required and not stored.labelled:
        raise InputError(f"{stored.source['name']} has no labels, so there are only predictions; see {path}")
    try:
        with path.open("rb") as file:
            content = file.read(stored.bytes)
    except OSError as error:
        raise InputError(f"{path}: the predictions cannot be read ({error.strerror}); evaluate again") from None
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise InputError(f"{path}: the predictions are damaged or incomplete; evaluate again")
    ids, labels, logits = _parse(content.decode(), path)
    return Predictions(run.name, stored.checkpoint, stored.label, ids, labels, logits, dict(stored.source))


def store(run: Run, about: StoredEvaluation, ids: Sequence[int], labels: Sequence[int], logits: Sequence[float]) -> (
    StoredEvaluation
):  # fmt: skip
    """Write the predictions, and then ``about`` with their size and hash, each at once; return what was written.

    A process that is killed in between leaves the former description, which fits the beginning of the new predictions.
    """
    folder = folder_of(run, about.label)
    text = _csv(ids, labels, logits)
    content = text.encode()
    written = {**asdict(about), "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomically(folder / PREDICTIONS, text)
        write_text_atomically(folder / ABOUT, json.dumps(written, indent=2) + "\n")
    except OSError as error:
        raise InputError(f"{folder}: the evaluation cannot be stored ({error.strerror})") from None
    return StoredEvaluation(**written)


def discard(run: Run, label: str) -> None:
    """Remove a stored evaluation and its baseline, whose reviews are not those of the next one."""
    for name in (ABOUT, BASELINE, PREDICTIONS):
        (folder_of(run, label) / name).unlink(missing_ok=True)


@contextmanager
def only_evaluation(run: Run) -> Iterator[None]:
    """Hold the lock on the evaluations of ``run``. Raises InputError if another process evaluates it."""
    from filelock import FileLock, Timeout

    path = run.path / FOLDER / ".lock"
    try:
        path.parent.mkdir(exist_ok=True)
        lock = FileLock(path, timeout=0, thread_local=False)
        lock.acquire()
    except Timeout:
        raise InputError(f"run {run.name} is being evaluated already; wait until that has finished") from None
    except OSError as error:
        raise InputError(f"{path.parent} cannot be written ({error.strerror}); evaluations are stored there") from None
    try:
        yield
    finally:
        lock.release()


def texts_of(run: Run, predictions: Predictions) -> list[str]:
    """The text of each review of ``predictions``, of the run's own source or of the data of an evaluation.

    Raises InputError if the reviews are not available any more, or if they have changed since.
    """
    from core.analysis.evaluation_data import REST, read_data
    from core.analysis.run_reviews import reviews_of_run

    path = folder_of(run, predictions.label) / ABOUT
    stored = _read_about(path) if predictions.label != VALIDATION and path.is_file() else None
    if stored is None or stored.data == REST:
        return reviews_of_run(run).texts(predictions.ids.tolist())
    _, texts, _, origin = read_data(run, stored.data)
    if not same_reviews(origin, predictions.origin):
        raise InputError(f"{stored.data} has changed since the evaluation {stored.label!r}; evaluate again")
    return [texts[row] for row in predictions.ids]


def same_reviews(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two origins are of the same reviews: by their hashes, or by their names where there are none."""
    keys = ("sha256",) if one.get("sha256") else ("kind", "name", "sha256", "available")
    return all(one.get(key) == other.get(key) for key in keys)


def baseline_predictions(run: Run, label: str) -> Predictions | None:
    """The bag of words' predictions of the reviews of an evaluation or of ``validation``, in the same order.

    None if they are not stored, damaged, or of fewer reviews. Raises InputError as :func:`evaluation_predictions`.
    """
    return baseline_of(run, evaluation_predictions(run, label))


def baseline_of(run: Run, predictions: Predictions) -> Predictions | None:
    """The bag of words' predictions of the reviews of ``predictions``; None as in baseline_predictions."""
    path = folder_of(run, predictions.label) / BASELINE
    try:
        ids, labels, logits = _parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError, InputError):
        return None
    row_of = {id_: row for row, id_ in enumerate(ids.tolist())}
    if not row_of.keys() >= set(predictions.ids.tolist()):
        return None
    whole = Predictions(run.name, BASELINE_NAME, predictions.label, ids, labels, logits, dict(predictions.origin))
    chosen = whole.take([row_of[id_] for id_ in predictions.ids.tolist()])
    return chosen if np.array_equal(chosen.labels, predictions.labels) else None


def store_baseline(run: Run, label: str) -> Predictions:
    """Fit the bag of words on the training reviews of ``run``, and store its predictions of an evaluation's reviews.

    ``label`` is the name of the evaluation, or ``validation``. Takes about a second per 2,000 training reviews and per
    5,000 others. Raises InputError as :func:`evaluation_predictions` and
    :func:`core.analysis.bag_of_words.bag_of_words_of`.
    """
    from core.analysis.bag_of_words import bag_of_words_of

    predictions = evaluation_predictions(run, label)
    logits = bag_of_words_of(run).decision(texts_of(run, predictions))
    path = folder_of(run, label) / BASELINE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, _csv(predictions.ids.tolist(), predictions.labels.tolist(), logits.tolist()))
    except OSError as error:
        raise InputError(f"{path}: the baseline cannot be stored ({error.strerror})") from None
    return Predictions(
        run.name, BASELINE_NAME, label, predictions.ids, predictions.labels, logits, dict(predictions.origin)
    )


def _csv(ids: Iterable[int], labels: Iterable[int], logits: Iterable[float]) -> str:
    rows = zip(ids, labels, logits, strict=True)
    return "id,label,logit\n" + "".join(
        f"{id_},{'' if label == UNLABELLED else label},{logit!r}\n" for id_, label, logit in rows
    )


def _parse(text: str, path: Path) -> tuple[Any, Any, Any]:
    """int64 ids, int64 labels and float64 logits. Raises InputError for a file that is damaged or cut."""
    try:
        if not text.endswith("\n"):
            raise ValueError("the last line is cut")
        rows = list(csv.DictReader(io.StringIO(text)))
        ids = np.array([int(row["id"]) for row in rows], dtype=np.int64)
        labels = np.array([int(row["label"] or UNLABELLED) for row in rows], dtype=np.int64)
        return ids, labels, np.array([float(row["logit"]) for row in rows], dtype=np.float64)
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path}: the predictions cannot be read ({error}); evaluate again") from None
