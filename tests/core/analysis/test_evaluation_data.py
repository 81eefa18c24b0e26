"""Which reviews an evaluation uses, and in which order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.analysis.evaluation_data import evaluation_order, open_data
from core.analysis.run_reviews import reviews_of_run
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import Run
from tests.core.support.training import configured, run


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    return run(configured(config, data__n_samples=24, train__num_epochs=1), tmp_path / "runs")[0]


def csv_of(path: Path, rows: list[tuple[str, str]], header: str = "review,sentiment") -> Path:
    path.write_text(header + "\n" + "".join(f'"{text}",{label}\n' for text, label in rows), encoding="utf-8")
    return path


def test_rest_is_what_the_run_neither_trained_nor_validated_on(done: Run) -> None:
    found = open_data(done, "rest")
    assert sorted(found.order) == reviews_of_run(done).rest
    assert len(found.order) == 16
    assert (found.left_out, found.unchecked) == (0, "")
    assert found.origin["available"] == 40


def test_a_run_that_used_all_its_reviews_has_no_rest(config: RunConfig, tmp_path: Path) -> None:
    everything = run(configured(config, train__num_epochs=1), tmp_path / "runs")[0]
    with pytest.raises(InputError, match="all 40 reviews of its source; give other reviews"):
        open_data(everything, "rest")


def test_reviews_with_the_text_of_a_training_review_are_left_out_and_counted(done: Run, tmp_path: Path) -> None:
    own = reviews_of_run(done)
    trained, validated = own.texts(own.train[:3]), own.texts(own.validation[:1])
    rows = [(text, "positive") for text in [*trained[:2], f"  {trained[2]}\n", *validated, "new", "new ", "other"]]
    found = open_data(done, str(csv_of(tmp_path / "test.csv", rows)))
    assert sorted(found.order) == [3, 4, 6]
    assert (found.left_out_training, found.left_out_duplicates, found.left_out) == (3, 1, 4)
    with pytest.raises(InputError, match=r"no review of leaks.csv is left: run"):
        open_data(done, str(csv_of(tmp_path / "leaks.csv", rows[:2])))


def test_a_leak_that_cannot_be_checked_is_said(done: Run, tmp_path: Path, reviews_csv: Path) -> None:
    path = csv_of(tmp_path / "test.csv", [("new", "positive")])
    reviews_csv.unlink()
    assert "file not found" in open_data(done, str(path)).unchecked
    with pytest.raises(InputError, match="file not found"):
        open_data(done, "rest")


def test_the_order_depends_on_the_texts_and_not_on_the_other_reviews() -> None:
    texts = [f"review {i}" for i in range(200)]
    order, _, _ = evaluation_order(texts, range(200), [])
    assert sorted(order) == list(range(200))
    fewer, _, _ = evaluation_order(texts, range(50, 200), [texts[60]])
    assert fewer == [i for i in order if i >= 50 and i != 60]
    moved, _, _ = evaluation_order(texts[::-1], range(200), [])
    assert [199 - i for i in moved] == order


def test_the_order_is_unrelated_to_the_length_of_the_texts() -> None:
    from scipy.stats import spearmanr

    order, _, _ = evaluation_order(["x" * (i + 1) for i in range(2000)], range(2000), [])
    assert spearmanr(np.arange(2000), order).pvalue > 0.01


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        ("review\na\nb\n", None),
        ("text,label\na,\nb,\n", None),
        ("text,stars\na,3\n", None),
        ("review,sentiment\na,positive\n", [1]),
        ("review,sentiment\na,0\nb,pos\n", [0, 1]),
    ],
)
def test_labels_are_optional_and_one_class_is_enough(
    done: Run, tmp_path: Path, content: str, labels: list[int] | None
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(content, encoding="utf-8")
    assert open_data(done, str(path)).labels == labels


def test_a_parquet_file_without_labels_is_read(done: Run, tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"text": ["a", "b"]}), tmp_path / "plain.parquet")
    found = open_data(done, str(tmp_path / "plain.parquet"))
    assert (found.texts, found.labels) == (["a", "b"], None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("review,sentiment\na,positive\nb,\n", r"odd.csv line 3: the label '' is not positive or negative"),
        ("review,label\na,1\n", "The file needs the columns review and sentiment"),
        ("review,sentiment\n", "odd.csv has no reviews"),
        ("stars\n3\n", "the columns are 'stars'"),
    ],
)
def test_a_file_that_cannot_be_evaluated_is_refused(done: Run, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        open_data(done, str(path))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (" ", "the name of the data is empty"),
        ("stanfordnlp/imdb:test", "a split cannot be chosen; give stanfordnlp/imdb"),
        ("stanfordnlp/imdb", "data set 'stanfordnlp/imdb' is not available: HF_HUB_OFFLINE is set"),
        ("missing.csv", "missing.csv: file not found"),
    ],
)
def test_data_that_is_not_available_is_refused(done: Run, data: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_data(done, data)


def test_the_synthetic_reviews_can_be_evaluated(done: Run) -> None:
    found = open_data(done, "embedded")
    assert (found.data, found.origin["kind"]) == ("embedded", "synthetic")
    assert len(found.order) + found.left_out == found.origin["available"]
