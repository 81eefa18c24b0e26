"""Where tokenizer, weights and reviews come from: the Hub, then the local cache, then what is embedded.

Every answer carries its :class:`Origin`, which goes on screen, into ``environment.json`` and into every JSON
answer. All files of one checkpoint come from one place, so that ids and embeddings always belong together.
Nothing heavy is imported until it is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core import embedded, hub
from core.config import RunConfig
from core.errors import InputError
from core.reviews import Review, read_reviews

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

Kind = Literal["hub", "cache", "folder", "file", "embedded", "synthetic", "random"]
TOKENIZER_FILES = ("tokenizer.json", "vocab.txt")
CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
EMBEDDED_STANDS_FOR = "distilbert-base-uncased"
"""The one checkpoint whose tokenizer and weights the embedded ones may stand in for."""

_KIND_WORDS = {
    "hub": "from the Hub",
    "cache": "from the local cache",
    "folder": "from a local folder",
    "file": "from a local file",
    "embedded": "embedded",
    "synthetic": "synthetic",
    "random": "drawn at random",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one thing came from. ``note`` says why it is not what was asked for first; empty where it is."""

    kind: Kind
    name: str
    note: str = ""
    sha256: str = ""

    def words(self) -> str:
        """One line for a person."""
        return f"{self.name}, {_KIND_WORDS[self.kind]}" + (f" ({self.note})" if self.note else "")

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint gives: tokenizer, configuration of the encoder, and where its weights are."""

    tokenizer: Tokenizer
    tokenizer_origin: Origin
    config: dict[str, Any]
    """Keyword arguments of DistilBertConfig."""
    weights_origin: Origin
    load_weights: Callable[[], dict[str, torch.Tensor]]
    """Reads the encoder's state, float32, named as in DistilBertModel. Raises InputError for a damaged file."""


@dataclass(frozen=True, slots=True)
class _Place:
    kind: Kind
    files: dict[str, Path]
    note: str


def open_checkpoint(name: str, *, pretrained: bool, on_download: hub.OnDownload = lambda _: None) -> Checkpoint:
    """Finds tokenizer, configuration and, with ``pretrained``, weights of one checkpoint.

    Raises InputError where they are nowhere, or where a file of them is damaged.
    """
    wanted: list[tuple[str, ...]] = [TOKENIZER_FILES, (CONFIG_FILE,)]
    if pretrained:
        wanted.append((WEIGHTS_FILE,))
    place, reason = _find_model(name, wanted, on_download)
    if place is None:
        return _embedded_checkpoint(name, reason, pretrained)
    tokenizer_path = next(place.files[file] for file in TOKENIZER_FILES if file in place.files)
    tokenizer = _read_tokenizer(tokenizer_path)
    origin = Origin(place.kind, name, place.note, _sha256(tokenizer_path))
    weights = Origin("random", "DistilBertModel", "")
    if pretrained:
        weights = Origin(place.kind, name, place.note, _sha256(place.files[WEIGHTS_FILE]))
    return Checkpoint(
        tokenizer,
        origin,
        _read_model_config(place.files[CONFIG_FILE]),
        weights,
        lambda: _read_weights(place.files[WEIGHTS_FILE]),
    )


def _embedded_checkpoint(name: str, reason: str, pretrained: bool) -> Checkpoint:
    if name != EMBEDDED_STANDS_FOR:
        raise InputError(f"checkpoint {name!r} is not to be had: {reason}; name a folder, or {EMBEDDED_STANDS_FOR}")
    have = embedded.minilm_folder() is not None
    if pretrained and not have:
        raise InputError(
            f"pretrained weights are not to be had: {reason}, and none are embedded; {embedded.HOW_TO_INSTALL}"
        )
    if have:
        tokenizer = embedded.minilm_tokenizer()
        tokenizer_origin = Origin("embedded", f"vocabulary of {name}", reason, embedded.VOCAB_SHA256)
    else:
        tokenizer = embedded.trained_tokenizer()
        tokenizer_origin = Origin("embedded", "WordPiece trained on synthetic reviews", reason)
    if not pretrained:
        config = {"vocab_size": tokenizer.get_vocab_size()}
        return Checkpoint(tokenizer, tokenizer_origin, config, Origin("random", "DistilBertModel"), dict)
    weights = Origin("embedded", "all-MiniLM-L6-v2", reason, embedded.WEIGHTS_SHA256)
    return Checkpoint(tokenizer, tokenizer_origin, embedded.MINILM_CONFIG, weights, embedded.minilm_weights)


def open_tokenizer(name: str, on_download: hub.OnDownload = lambda _: None) -> tuple[Tokenizer, Origin]:
    """Only the tokenizer of a checkpoint. Raises InputError as :func:`open_checkpoint` does."""
    checkpoint = open_checkpoint(name, pretrained=False, on_download=on_download)
    return checkpoint.tokenizer, checkpoint.tokenizer_origin


def open_reviews(
    source: str, dataset: str, on_download: hub.OnDownload = lambda _: None
) -> tuple[list[Review], Origin]:
    """The reviews of ``source``: auto, hub, embedded, or a CSV or parquet file.

    Raises InputError for a file that cannot be used, and for ``hub`` where the Hub and its cache have nothing.
    """
    if source == "embedded":
        return _synthetic("")
    if source not in ("auto", "hub"):
        path = Path(source).expanduser()
        return read_reviews(path), Origin("file", path.name, sha256=_sha256(path))
    try:
        file = _choose_data_file(hub.list_files(dataset, repo_type="dataset"), dataset)
        path = hub.fetch(dataset, file, repo_type="dataset", on_download=on_download)
        kind, note = "hub", ""
    except hub.HubError as error:
        cached = hub.cached_files(dataset, repo_type="dataset")
        file = _choose_data_file(list(cached), dataset) if cached else ""
        if not cached:
            if source == "hub":
                raise InputError(f"data set {dataset!r} is not to be had: {error}; give a file with --data") from None
            return _synthetic(str(error))
        path, kind, note = cached[file], "cache", str(error)
    _check_whole(path)
    origin = Origin("hub" if kind == "hub" else "cache", dataset, note, _sha256(path))
    return read_reviews(path), origin


def _synthetic(reason: str) -> tuple[list[Review], Origin]:
    from core.synthetic import synthetic_reviews

    return [Review(*pair) for pair in synthetic_reviews()], Origin("synthetic", "synthetic reviews", reason)


def plan(config: RunConfig) -> dict[str, str]:
    """In words, where tokenizer, weights and reviews of a run would come from right now; nothing is downloaded.

    A Hub that does not answer is waited for up to three seconds, once a process; call it off the UI thread.
    """
    name = config.model.checkpoint
    pretrained = config.model.init == "pretrained"
    words = {"tokenizer": _plan_file(name, "tokenizer.json", "model")}
    if pretrained:
        words["weights"] = _plan_file(name, WEIGHTS_FILE, "model")
        if not words["weights"]:
            words["tokenizer"] = ""
    else:
        words["weights"] = "drawn at random"
    if not words["tokenizer"] or not words["weights"]:
        try:
            checkpoint = _embedded_checkpoint(name, _why_not(name), pretrained)
            words["tokenizer"] = checkpoint.tokenizer_origin.words()
            words["weights"] = checkpoint.weights_origin.words()
        except InputError as error:
            words["weights"] = str(error)
    words["reviews"] = _plan_reviews(config)
    return words


def _plan_reviews(config: RunConfig) -> str:
    source, dataset = config.data.source, config.data.dataset
    if source == "embedded":
        return "synthetic reviews"
    if source not in ("auto", "hub"):
        path = Path(source).expanduser()
        return f"{path}, a local file" if path.is_file() else f"{path}: there is no such file"
    try:
        file = _choose_data_file(hub.list_files(dataset, repo_type="dataset"), dataset)
        return _plan_file(dataset, file, "dataset")
    except hub.HubError as error:
        if hub.cached_files(dataset, repo_type="dataset"):
            return f"{dataset}, from the local cache ({error})"
        return f"synthetic reviews ({error})" if source == "auto" else f"{dataset} is not to be had: {error}"


def _plan_file(name: str, file: str, repo_type: str) -> str:
    """In words where one file would come from; empty where it would not."""
    if repo_type == "model" and Path(name).expanduser().is_dir():
        return f"{name}, from a local folder"
    there = hub.cached(name, file, repo_type=repo_type)
    try:
        size = hub.size_on_hub(name, file, repo_type=repo_type)
    except hub.HubError as error:
        return f"{name}, from the local cache ({error})" if there else ""
    return f"{name}, from the Hub" + (", already here" if there else f", {size / 1e6:.0f} MB to download")


def _why_not(name: str) -> str:
    try:
        hub.size_on_hub(name, CONFIG_FILE)
    except hub.HubError as error:
        return str(error)
    return f"{name} has no weights in safetensors"


def _find_model(name: str, wanted: Sequence[tuple[str, ...]], on_download: hub.OnDownload) -> tuple[_Place | None, str]:
    """The first place that has one of each group of ``wanted`` files, or None and why the Hub had not."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        files = {file: folder / file for group in wanted for file in group if (folder / file).is_file()}
        for group in wanted:
            if not any(file in files for file in group):
                raise InputError(f"{folder} has no {' or '.join(group)}; give a folder that save_pretrained wrote")
        return _Place("folder", files, ""), ""
    try:
        files = dict(_fetch_one(name, group, on_download) for group in wanted)
        for path in files.values():
            _check_whole(path)
        return _Place("hub", files, ""), ""
    except hub.HubError as error:
        reason = str(error)
    files = {file: found for group in wanted for file in group if (found := hub.cached(name, file)) is not None}
    if all(any(file in files for file in group) for group in wanted):
        for path in files.values():
            _check_whole(path)
        return _Place("cache", files, reason), reason
    return None, reason


def _fetch_one(name: str, group: Sequence[str], on_download: hub.OnDownload) -> tuple[str, Path]:
    """The first file of ``group`` that the repository has."""
    for file in group[:-1]:
        try:
            return file, hub.fetch(name, file, on_download=on_download)
        except hub.FileMissingError:
            continue
    return group[-1], hub.fetch(name, group[-1], on_download=on_download)


def _choose_data_file(files: Sequence[str], dataset: str) -> str:
    """The file of a data set's repository that holds labelled reviews: the first that names train, else the first."""
    tables = sorted(file for file in files if file.lower().endswith((".csv", ".parquet")))
    if not tables:
        raise hub.HubError(f"{dataset} has no CSV or parquet file")
    return next((file for file in tables if "train" in file.lower()), tables[0])


def _check_whole(path: Path) -> None:
    if not hub.is_whole(path):
        raise InputError(f"{path} is not what the Hub announced (sha256 differs); delete it and try again")


def _read_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        if path.suffix == ".txt":
            return embedded.wordpiece_tokenizer(embedded.read_vocab(path))
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises bare Exception for a damaged file
        raise InputError(f"{path}: no tokenizer can be read from it ({error})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _read_model_config(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no configuration can be read from it ({error})") from None
    if not isinstance(content, dict) or content.get("model_type") != "distilbert":
        kind = content.get("model_type") if isinstance(content, dict) else None
        raise InputError(f"{path}: the model type is {kind!r}; only distilbert can be trained here")
    bookkeeping = {"model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "tie_weights_"}
    return {key: value for key, value in content.items() if key not in bookkeeping and not key.startswith("_")}


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: the weights cannot be read ({error}); fetch the file anew") from None
    return {
        name.removeprefix("distilbert.").removeprefix("bert."): tensor.float()
        for name, tensor in state.items()
        if not name.startswith(("vocab_", "classifier", "pre_classifier", "qa_outputs", "linear"))
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
