"""An exported model makes the same predictions as the run, with transformers alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from core.checkpoints.export import export
from core.checkpoints.format import MANIFEST, WEIGHTS, checkpoints, load_weights
from core.config.schema import ModelConfig, RunConfig
from core.data.reviews import read_reviews
from core.errors import InputError
from core.inspection.target import find_target, resolve
from core.inspection.weights import build_model
from core.model.classifier import SequenceClassifier, build_classifier, encoder_config, with_two_labels
from core.runs.directory import Run
from tests.core.support.commands import Call, refused
from tests.core.support.training import configured, run


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    return configured(config, data__add_special_tokens=True)


def predictions(done: Run) -> list[tuple[str, float]]:
    """Each validation review's text and the logit that the run gave it last."""
    reviews = read_reviews(Path(done.config().data.source))
    return [(reviews[i].text, logit) for i, _, logit in done.predictions(2)]


@pytest.mark.parametrize("special_tokens", [True, False])
@pytest.mark.parametrize("head", ["linear", "sequence-classification"])
def test_each_head_works_in_a_transformers_pipeline(
    config: RunConfig, tmp_path: Path, head: str, special_tokens: bool
) -> None:
    from transformers import pipeline

    config = configured(config, model__head=head, model__head_dropout=0.2)
    config = configured(config, data__add_special_tokens=special_tokens)
    done, recorder = run(config, tmp_path / "runs")
    assert recorder.end.status == "completed"
    folder = export(done, tmp_path / "exported")
    classify: Any = pipeline("text-classification", str(folder), device="cpu")
    for text, logit in predictions(done):
        (answer,) = classify([text], truncation=True)
        assert answer["label"] == ("POSITIVE" if logit > 0 else "NEGATIVE")
        probability = torch.sigmoid(torch.tensor(abs(logit))).item()
        assert answer["score"] == pytest.approx(probability, abs=1e-5)
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"] == {
        "0": "NEGATIVE",
        "1": "POSITIVE",
    }


def test_a_linear_head_loads_in_the_auto_classes_with_logits_zero_and_z(config: RunConfig, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, DistilBertModel

    done, _ = run(config, tmp_path / "runs")
    folder = export(done, tmp_path / "exported")
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = DistilBertModel.from_pretrained(folder, dtype=torch.float32).eval()
    for text, logit in predictions(done):
        ids = tokenizer(text, truncation=True, max_length=config.data.max_length, return_tensors="pt")
        with torch.inference_mode():
            negative, positive = model(**ids).logits[0].tolist()
            hidden = encoder(**ids).last_hidden_state
            assert torch.allclose(hidden, model.distilbert(**ids).last_hidden_state, atol=1e-6)
        assert (negative, positive) == (0.0, pytest.approx(logit, abs=1e-5))


def test_a_linear_head_written_with_two_labels_gives_the_same_logit_on_both_sides_of_zero() -> None:
    fields = {"vocab_size": 30, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
    linear = build_classifier(encoder_config(fields), ModelConfig(), None).eval()
    hidden = torch.randn(64, 16) * 10
    expected = linear.logits_of(hidden)
    assert expected.min() < 0 < expected.max()
    found = with_two_labels(linear, ModelConfig()).eval().logits_of(hidden)
    assert torch.allclose(found, expected, atol=1e-5)


def test_two_logits_and_their_difference_have_the_same_loss() -> None:
    logits, labels = torch.randn(16, 2), torch.randint(0, 2, (16,))
    one = binary_cross_entropy_with_logits(logits[:, 1] - logits[:, 0], labels.float())
    assert torch.allclose(one, cross_entropy(logits, labels), atol=1e-6)


def test_the_sequence_head_is_transformers_own_and_takes_the_head_dropout() -> None:
    fields = {"vocab_size": 30, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 32}
    head = ModelConfig(head="sequence-classification", head_dropout=0.4)
    model = build_classifier(encoder_config(fields), head, None)
    assert isinstance(model, SequenceClassifier)
    assert model.dropout.p == 0.4
    ids = torch.randint(5, 30, (3, 7))
    model.eval()
    two = super(SequenceClassifier, model).forward(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    assert torch.equal(model(ids, torch.ones_like(ids)), two[:, 1] - two[:, 0])


def test_the_best_the_last_or_a_named_checkpoint_can_be_exported(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(configured(config, train__keep_best=True, train__num_epochs=3), tmp_path / "runs")
    last, before = checkpoints(done.path / "checkpoints")[:2]
    best = json.loads((last / MANIFEST).read_text(encoding="utf-8"))["progress"]["best_step"]
    for which, name in (("last", last.name), ("best", f"step-{best}"), (before.name, before.name)):
        folder = export(done, tmp_path / which, which=which)
        exported = load_file(folder / "model.safetensors")
        saved = load_weights(done.path / "checkpoints" / name)
        assert all(torch.equal(exported[key], saved[key]) for key in saved if key.startswith("distilbert."))
        assert torch.equal(exported["pre_classifier.weight"][0], saved["classifier.weight"][0])


@pytest.mark.parametrize("what", ["there", "damaged", "none", "absent name", "no tokenizer", "unwritable"])
def test_a_failed_export_has_a_clear_message_and_leaves_no_files(config: RunConfig, tmp_path: Path, what: str) -> None:
    done, _ = run(config, tmp_path / "runs")
    destination, which = tmp_path / "exported", "last"
    newest = checkpoints(done.path / "checkpoints")[0]
    if what == "there":
        destination.mkdir()
    elif what == "damaged":
        (newest / WEIGHTS).write_bytes(b"x" + (newest / WEIGHTS).read_bytes()[1:])
    elif what == "none":
        for path in checkpoints(done.path / "checkpoints"):
            path.rename(path.with_name("." + path.name))
    elif what == "absent name":
        which = "step-5"
    elif what == "no tokenizer":
        (done.path / "model" / "tokenizer.json").unlink()
    else:
        destination = done.path / "config.toml" / "exported"
    message = {
        "there": "already exists",
        "damaged": "is damaged",
        "none": "has no checkpoint",
        "absent name": "has no checkpoint step-5, only step-8, step-4",
        "no tokenizer": "cannot be read as a tokenizer",
        "unwritable": "cannot be written",
    }[what]
    with pytest.raises(InputError, match=message):
        export(done, destination, which=which)
    assert what == "there" or not destination.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".exported")] == []


def test_the_command_prints_how_to_load_the_exported_model(call: Call, tiny: str, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    assert call("train", tiny, "--set", "model.head=sequence-classification", "--runs-dir", root)[0] == 0
    code, out, err = call("export", "last", tmp_path / "model", "--json", "--runs-dir", root)
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["load"] == f'pipeline("text-classification", "{tmp_path / "model"}")'
    assert (answer["head"], answer["checkpoint"]) == ("sequence-classification", "step-8")
    assert "already exists" in refused(call("export", "last", tmp_path / "model", "--runs-dir", root))


@pytest.mark.parametrize("special_tokens", [True, False])
@pytest.mark.parametrize("head", ["linear", "sequence-classification"])
def test_an_exported_model_is_inspected_as_transformers_head_with_its_own_special_tokens(
    config: RunConfig, tmp_path: Path, head: str, special_tokens: bool
) -> None:
    config = configured(config, model__head=head, data__add_special_tokens=special_tokens, train__num_epochs=1)
    done, _ = run(config, tmp_path / "runs")
    folder = export(done, tmp_path / "exported")
    of_run, of_export = (find_target(str(path), tmp_path) for path in (done.path, folder))
    config_there = of_export.config
    assert (config_there.model.head, config_there.data.add_special_tokens) == (
        "sequence-classification",
        special_tokens,
    )
    assert config_there.data.max_length == config.data.max_length
    assert find_target(str(folder / "model.safetensors"), tmp_path).config == of_export.config
    trained, of_same = (build_model(resolve(target)) for target in (of_run, of_export))
    ids = torch.randint(5, 50, (4, 7))
    mask = torch.ones_like(ids)
    assert torch.allclose(trained(ids, mask), of_same(ids, mask), atol=1e-6)
