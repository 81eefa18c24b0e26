"""The reviews that a model is evaluated on: read, cleared of the reviews it was trained on, in a random order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.reviews import read_texts_and_labels
from core.data.splits import normalized_text
from core.errors import InputError
from core.runs.directory import Run
from core.user_path import user_path

REST = "rest"
"""The data of an evaluation on the reviews of the run's own source that it neither trained nor validated on."""


@dataclass(frozen=True, slots=True)
class EvaluationData:
    """All reviews of a source, and the order in which those that can be used are evaluated."""

    data: str
    """What to open again: ``rest``, the absolute path of a file, or the name of a data set on the Hub."""
    origin: dict[str, Any]
    """Where the reviews come from, as in environment.json: kind, name, note, sha256, available."""
    texts: list[str]
    labels: list[int] | None
    """1 for positive, 0 for negative; None for reviews without labels."""
    order: list[int]
    """Positions of the reviews to evaluate, in a random order that is the same for every run."""
    left_out_training: int
    """Number of reviews that are not evaluated because their text is that of a training review."""
    left_out_duplicates: int
    """Number of reviews that are not evaluated because an earlier review has the same text."""
    unchecked: str = ""
    """Why the reviews could not be compared with the training reviews; empty if they were."""

    @property
    def left_out(self) -> int:
        return self.left_out_training + self.left_out_duplicates


def file_of(data: str) -> Path | None:
    """The path of the file that ``data`` names; None for ``rest`` and for the name of a data set."""
    path = user_path(data)
    return path if path.suffix.lower() in (".csv", ".parquet") or path.exists() else None


def open_data(run: Run, data: str) -> EvaluationData:
    """Read the reviews to evaluate ``run`` on, and leave out those that it was trained on.

    ``data`` is ``rest``, a CSV or parquet file, ``embedded``, ``hub``, or the name of a data set on the Hub. Raises
    InputError if the reviews cannot be read, or if none of them can be used.
    """
    from core.analysis.run_reviews import reviews_of_run

    if data == REST:
        own = reviews_of_run(run)
        texts, labels = [review.text for review in own.reviews], [review.label for review in own.reviews]
        origin = {**own.origin.as_dict(), "available": len(texts)}
        order, leaks, duplicates = evaluation_order(texts, own.rest, own.texts(own.train))
        if not own.rest:
            raise InputError(
                f"run {run.name} trained or validated on all {len(texts):,} reviews of its source; "
                "give other reviews with --data FILE"
            )
        return _usable(run, EvaluationData(REST, origin, texts, labels, order, leaks, duplicates))
    opened, texts, given_labels, origin = read_data(run, data)
    unchecked, trained = "", []
    try:
        own = reviews_of_run(run)
        trained = own.texts(own.train)
    except InputError as error:
        unchecked = str(error)
    order, leaks, duplicates = evaluation_order(texts, range(len(texts)), trained)
    return _usable(run, EvaluationData(opened, origin, texts, given_labels, order, leaks, duplicates, unchecked))


def _usable(run: Run, found: EvaluationData) -> EvaluationData:
    if not found.order:
        raise InputError(
            f"no review of {found.origin['name']} is left: run {run.name} was trained on the text of each; "
            "give other reviews with --data FILE"
        )
    return found


def read_data(run: Run, data: str) -> tuple[str, list[str], list[int] | None, dict[str, Any]]:
    """The resolved name, texts, labels and origin of reviews other than ``rest``. Raises InputError as open_data."""
    from core.atomic_write import sha256_of
    from core.config.schema import NAMED_SOURCES
    from core.sources.origin import Origin
    from core.sources.resolve import open_reviews

    if not data.strip():
        raise InputError("the name of the data is empty; give rest, a CSV or parquet file, or a data set on the Hub")
    if data not in NAMED_SOURCES and (path := file_of(data)) is not None:
        texts, labels = read_texts_and_labels(path)
        origin = Origin("file", path.name, sha256=sha256_of(path))
        return str(path.absolute()), texts, labels, {**origin.as_dict(), "available": len(texts)}
    if ":" in data:
        name = data.partition(":")[0]
        raise InputError(f"{data}: a split cannot be chosen; give {name}, or a CSV or parquet file of the split")
    source = data if data in NAMED_SOURCES else "hub"
    reviews, origin = open_reviews(source, run.config().data.dataset if data in NAMED_SOURCES else data)
    texts, labels = [review.text for review in reviews], [review.label for review in reviews]
    return data, texts, labels, {**origin.as_dict(), "available": len(texts)}


def evaluation_order(
    texts: Sequence[str], candidates: Sequence[int], training_texts: Sequence[str]
) -> tuple[list[int], int, int]:
    """The positions of the reviews to evaluate, and the numbers of leaks and of duplicates among ``candidates``.

    A review is a leak if its text is that of a training review, and a duplicate if it is that of an earlier candidate;
    white space does not count. The order is that of a hash of the text. It is as good as random, and it does not depend
    on the run: the first 5,000 reviews of two runs are nearly the same, so their predictions can be compared.
    """
    trained = {_hash(text) for text in training_texts}
    found: dict[bytes, int] = {}
    leaks = 0
    for position in candidates:
        key = _hash(texts[position])
        if key in trained:
            leaks += 1
        else:
            found.setdefault(key, position)
    return [found[key] for key in sorted(found)], leaks, len(candidates) - leaks - len(found)


def _hash(text: str) -> bytes:
    return hashlib.sha256(normalized_text(text).encode(errors="surrogatepass")).digest()
