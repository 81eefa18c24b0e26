"""Predictions of a trained model equal those of its validation; ``imdb-tui predict``."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.analysis.predict import predict
from core.analysis.scorer import BATCH_SIZE
from core.checkpoints.export import export
from core.config.schema import RunConfig
from core.data.reviews import read_reviews
from core.errors import InputError
from core.inspection.target import Resolved, find_target, resolve
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run


@pytest.fixture
def done(config: RunConfig, tmp_path: Path) -> Run:
    config = configured(config, train__num_epochs=1, data__add_special_tokens=True, data__max_length=12)
    return run(config, tmp_path / "runs")[0]


def found(name: object, root: Path) -> Resolved:
    return resolve(find_target(str(name), root))


def test_the_logits_match_those_of_validation_also_after_export(done: Run, tmp_path: Path) -> None:
    reviews = read_reviews(Path(done.config().data.source))
    of_run = done.predictions(1)
    texts = [reviews[i].text for i, _, _ in of_run]
    for name in (done.path, f"{done.name}@step-4", export(done, tmp_path / "exported")):
        answer = predict(found(name, done.path.parent), texts)
        assert [one.text for one in answer] == texts
        assert [one.logit for one in answer] == pytest.approx([logit for _, _, logit in of_run], abs=1e-5)


def test_a_prediction_has_label_probability_and_truncation(done: Run) -> None:
    short, long = predict(found(done.path, done.path.parent), ["a film", "film " * 40])
    assert (short.tokens, short.full_length) == (4, 4)
    assert (long.tokens, long.full_length) == (12, 42)
    for one in (short, long):
        assert (one.label == "positive") is (one.logit > 0) is (one.probability > 0.5)


def test_predictions_come_in_the_order_of_the_texts(done: Run) -> None:
    resolved = found(done.path, done.path.parent)
    texts = ["film " * (1 + i * 7 % 11) for i in range(2 * BATCH_SIZE + 3)]
    alone = {text: predict(resolved, [text])[0].logit for text in set(texts)}
    together = predict(resolved, texts)
    assert [one.logit for one in together] == pytest.approx([alone[text] for text in texts], abs=1e-5)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_text_is_refused(done: Run, text: str) -> None:
    with pytest.raises(InputError, match="text 2 is empty"):
        predict(found(done.path, done.path.parent), ["a film", text])


def test_an_untrained_model_is_refused(done: Run, folder: Path) -> None:
    for name in (folder, folder / "model.safetensors"):
        with pytest.raises(InputError, match="has no trained head; use a run"):
            predict(found(name, done.path.parent), ["a film"])


def test_a_run_whose_preset_is_named_checkpoint_can_predict(config: RunConfig, tmp_path: Path) -> None:
    config = replace(configured(config, train__num_epochs=1), preset="checkpoint")
    done, _ = run(config, tmp_path / "runs")
    assert len(predict(found(done.path, tmp_path), ["a film"])) == 1


def test_predict_answers_as_text_and_as_json(call: Call, done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    root = done.path.parent
    code, out, err = call("predict", "last", "a film", "film " * 40, "--runs-dir", root)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == [
        one.label for one in predict(found("last", root), ["a film", "film " * 40])
    ]
    assert "truncated: text 2 has 42 tokens; the model reads the first 12" in err
    code, out, _ = call("predict", "last", "a film", "--json", "--runs-dir", root)
    (one,) = json.loads(out)["predictions"]
    assert (one["text"], one["tokens"]) == ("a film", 4)
    assert "there is no run 'absent'" in refused(call("predict", "absent", "a film", "--runs-dir", root))


def piped(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode()), isatty=lambda: False))


def test_each_line_of_stdin_gets_one_answer_of_the_same_number(
    call: Call, done: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["a film", "a\u2028film\x0cwas \x85good", "film film\r"]
    piped(monkeypatch, "\n".join(lines) + "\n")
    _, out, _ = call("predict", "last", "--json", "--runs-dir", done.path.parent)
    assert [one["text"] for one in json.loads(out)["predictions"]] == [line.rstrip("\r") for line in lines]


@pytest.mark.parametrize(
    ("content", "message"), [("\n", "stdin is empty"), ("a film\n\nfilm film\n", "line 2 of stdin is empty")]
)
def test_an_empty_line_of_stdin_is_refused_with_its_number(
    call: Call, done: Run, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    piped(monkeypatch, content)
    assert message in refused(call("predict", "last", "--runs-dir", done.path.parent))


def test_the_name_of_a_file_is_not_taken_for_a_text(call: Call, done: Run, reviews_csv: Path) -> None:
    line = refused(call("predict", "last", str(reviews_csv), "--runs-dir", done.path.parent))
    assert f"imdb-tui evaluate last --data {reviews_csv}" in line


def edit_config(folder: Path, **fields: object) -> None:
    about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**about, **fields}), encoding="utf-8")


def test_the_class_names_of_a_checkpoint_decide_which_row_of_the_head_is_positive(done: Run, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    texts, folder = ["a film", "a fine film"], export(done, tmp_path / "exported")
    before = [one.logit for one in predict(found(folder, tmp_path), texts)]
    tensors = load_file(folder / "model.safetensors")
    rows = {name: tensors[name].flip(0).contiguous() for name in ("classifier.weight", "classifier.bias")}
    save_file({**tensors, **rows}, folder / "model.safetensors", {"format": "pt"})
    edit_config(folder, id2label={"0": "POSITIVE", "1": "NEGATIVE"}, label2id={"POSITIVE": 0, "NEGATIVE": 1})
    for name in (folder, folder / "model.safetensors"):
        assert [one.logit for one in predict(found(name, tmp_path), texts)] == pytest.approx(before, abs=1e-6)
    edit_config(folder, id2label={"0": "LABEL_0", "1": "LABEL_1"}, label2id={"LABEL_0": 0, "LABEL_1": 1})
    assert [one.logit for one in predict(found(folder, tmp_path), texts)] == pytest.approx([-x for x in before])


@pytest.mark.parametrize("names", [["spam", "ham"], ["positive", "pos"], ["NEGATIVE", "NEUTRAL", "POSITIVE"]])
def test_a_head_with_other_classes_is_refused_with_their_names(done: Run, tmp_path: Path, names: list[str]) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = export(done, tmp_path / "exported")
    tensors = load_file(folder / "model.safetensors")
    width = tensors["classifier.weight"].shape[1]
    rows = {"classifier.weight": torch.zeros(len(names), width), "classifier.bias": torch.zeros(len(names))}
    save_file({**tensors, **rows}, folder / "model.safetensors", {"format": "pt"})
    edit_config(folder, id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)})
    for name in (folder, folder / "model.safetensors"):
        with pytest.raises(InputError, match=names[0]):
            predict(found(name, tmp_path), ["a film"])
