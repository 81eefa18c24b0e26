"""Find tokenizer, weights and reviews: on the Hub, else in the local cache, else embedded in a package.

Each has an ``Origin``, which is on screen, in ``environment.json`` and in JSON answers. All files of one checkpoint
come from the same place, so that token ids and embeddings match. torch is imported only when weights are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.atomic_write import sha256_of
from core.config.schema import RunConfig
from core.data.reviews import Review, read_reviews
from core.errors import InputError
from core.sources import embedded, hub
from core.sources.files import read_model_config, read_tokenizer, read_weights
from core.sources.origin import Kind, Origin
from core.user_path import names_file, user_path

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

TOKENIZER_FILES = ("tokenizer.json", "vocab.txt")
CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
EMBEDDED_CHECKPOINT = "distilbert-base-uncased"
"""The only checkpoint that the embedded tokenizer and weights may replace."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A tokenizer, the configuration of an encoder, and the function that loads its weights."""

    tokenizer: Tokenizer
    tokenizer_origin: Origin
    config: dict[str, Any]
    """Keyword arguments of DistilBertConfig."""
    weights_origin: Origin
    load_weights: Callable[[], dict[str, torch.Tensor]]
    """Returns the state dict of the DistilBertModel, float32. Raises InputError for a damaged file."""


@dataclass(frozen=True, slots=True)
class _Place:
    kind: Kind
    files: dict[str, Path]
    note: str


def open_checkpoint(name: str, *, pretrained: bool, on_download: hub.OnDownload = lambda _: None) -> ModelSource:
    """Find tokenizer, configuration and, with ``pretrained``, weights of one checkpoint.

    Raises InputError if they are not available, or if a file is damaged.
    """
    place, reason = _find_model(name, _wanted(pretrained), lambda file: hub.fetch(name, file, on_download=on_download))
    if place is None:
        return _embedded_checkpoint(name, reason, pretrained)
    for path in place.files.values():
        _check_hash(path)
    tokenizer_path = next(place.files[file] for file in TOKENIZER_FILES if file in place.files)
    tokenizer = read_tokenizer(tokenizer_path)
    origin = Origin(place.kind, name, place.note, sha256_of(tokenizer_path))
    weights = Origin("random", "DistilBertModel", "")
    if pretrained:
        weights = Origin(place.kind, name, place.note, sha256_of(place.files[WEIGHTS_FILE]))
    return ModelSource(
        tokenizer,
        origin,
        read_model_config(place.files[CONFIG_FILE]),
        weights,
        lambda: read_weights(place.files[WEIGHTS_FILE]),
    )


def _embedded_checkpoint(name: str, reason: str, pretrained: bool) -> ModelSource:
    if names_file(name):
        raise InputError(f"checkpoint {name!r} is a file; give its folder, or the name of a model on the Hub")
    if name != EMBEDDED_CHECKPOINT:
        raise InputError(f"checkpoint {name!r} is not available: {reason}; give a folder, or {EMBEDDED_CHECKPOINT}")
    is_installed = embedded.minilm_folder() is not None
    if pretrained and not is_installed:
        raise InputError(
            f"pretrained weights are not available: {reason}, and none are embedded; {embedded.HOW_TO_INSTALL}"
        )
    if is_installed:
        tokenizer = embedded.minilm_tokenizer()
        tokenizer_origin = Origin("embedded", f"vocabulary of {name}", reason, embedded.VOCAB_SHA256)
    else:
        tokenizer = embedded.trained_tokenizer()
        tokenizer_origin = Origin("embedded", "WordPiece trained on synthetic reviews", reason)
    if not pretrained:
        config = {"vocab_size": tokenizer.get_vocab_size()}
        return ModelSource(tokenizer, tokenizer_origin, config, Origin("random", "DistilBertModel"), dict)
    weights = Origin("embedded", "all-MiniLM-L6-v2", reason, embedded.WEIGHTS_SHA256)
    return ModelSource(tokenizer, tokenizer_origin, embedded.MINILM_CONFIG, weights, embedded.minilm_weights)


def open_tokenizer(name: str, on_download: hub.OnDownload = lambda _: None) -> tuple[Tokenizer, Origin]:
    """Find only the tokenizer of a checkpoint. Raises InputError as :func:`open_checkpoint` does."""
    checkpoint = open_checkpoint(name, pretrained=False, on_download=on_download)
    return checkpoint.tokenizer, checkpoint.tokenizer_origin


def open_any_tokenizer(name: str) -> tuple[Tokenizer, Origin]:
    """Find the tokenizer of any model: a name on the Hub, a folder, a tokenizer.json or a vocab.txt.

    Raises InputError if it is not available.
    """
    if names_file(name):
        path = user_path(name)
        return read_tokenizer(path), Origin("file", path.name, sha256=sha256_of(path))
    place, reason = _find_model(name, [TOKENIZER_FILES], lambda file: hub.fetch(name, file))
    if place is not None:
        path = next(iter(place.files.values()))
        return read_tokenizer(path, "-cased" not in name), Origin(place.kind, name, place.note, sha256_of(path))
    if name == EMBEDDED_CHECKPOINT:
        return open_tokenizer(name)
    raise InputError(f"tokenizer {name!r} is not available: {reason}; give a folder, or a tokenizer.json")


def open_reviews(
    source: str, dataset: str, on_download: hub.OnDownload = lambda _: None
) -> tuple[list[Review], Origin]:
    """Read the reviews of ``source``: auto, hub, embedded, or a CSV or parquet file.

    Raises InputError for a file that cannot be used, and for ``hub`` if neither the Hub nor the cache has the data set.
    """
    if source == "embedded":
        return _synthetic("")
    if source not in ("auto", "hub"):
        path = user_path(source)
        return read_reviews(path), Origin("file", path.name, sha256=sha256_of(path))
    try:
        file = _choose_data_file(hub.list_files(dataset, repo_type="dataset"), dataset)
        path = hub.fetch(dataset, file, repo_type="dataset", on_download=on_download)
        kind, note = "hub", ""
    except hub.HubError as error:
        found = _cached_data_file(dataset)
        if found is None:
            if source == "hub":
                raise InputError(f"data set {dataset!r} is not available: {error}; give a file with --data") from None
            return _synthetic(str(error))
        path, kind, note = found, "cache", str(error)
    _check_hash(path)
    return read_reviews(path), Origin("hub" if kind == "hub" else "cache", dataset, note, sha256_of(path))


def _synthetic(reason: str) -> tuple[list[Review], Origin]:
    from core.data.synthetic import synthetic_reviews

    return [Review(*pair) for pair in synthetic_reviews()], Origin("synthetic", "synthetic reviews", reason)


def plan(config: RunConfig) -> dict[str, str]:
    """Describe where tokenizer, weights and reviews of a run would come from, without downloading anything.

    May wait three seconds for the Hub, once per process, so do not call it in the UI thread.
    """
    name = config.model.checkpoint
    pretrained = config.model.init == "pretrained"
    try:
        tokenizer, weights = _plan_checkpoint(name, pretrained)
    except InputError as error:
        tokenizer = weights = str(error)
    return {"tokenizer": tokenizer, "weights": weights, "reviews": _plan_reviews(config)}


def _plan_checkpoint(name: str, pretrained: bool) -> tuple[str, str]:
    """Describe tokenizer and weights, found as :func:`open_checkpoint` finds them."""
    sizes: dict[str, int] = {}

    def look(file: str) -> Path:
        size = hub.size_on_hub(name, file)
        path = hub.cached(name, file)
        sizes[file] = 0 if path else size
        return path or Path(file)

    place, reason = _find_model(name, _wanted(pretrained), look)
    if place is None:
        checkpoint = _embedded_checkpoint(name, reason, pretrained)
        return checkpoint.tokenizer_origin.describe(), checkpoint.weights_origin.describe()

    def describe(group: tuple[str, ...]) -> str:
        file = next(file for file in group if file in place.files)
        return Origin(place.kind, name, place.note).describe() + _to_download(sizes.get(file))

    return describe(TOKENIZER_FILES), describe((WEIGHTS_FILE,)) if pretrained else Origin(
        "random", "DistilBertModel"
    ).describe()


def _to_download(size: int | None) -> str:
    """Describe the download of a file of this size: 0 if it is cached, None if it is not on the Hub."""
    if size is None:
        return ""
    return f", {size / 1e6:.1f} MB to download" if size else ", already downloaded"


def _plan_reviews(config: RunConfig) -> str:
    source, dataset = config.data.source, config.data.dataset
    if source == "embedded":
        return "synthetic reviews"
    if source not in ("auto", "hub"):
        path = user_path(source)
        return Origin("file", path.name).describe() if path.is_file() else f"{path}: file not found"
    try:
        file = _choose_data_file(hub.list_files(dataset, repo_type="dataset"), dataset)
        size = hub.size_on_hub(dataset, file, repo_type="dataset")
    except hub.HubError as error:
        if _cached_data_file(dataset) is not None:
            return Origin("cache", dataset, str(error)).describe()
        if source == "auto":
            return Origin("synthetic", "synthetic reviews", str(error)).describe()
        return f"{dataset} is not available: {error}"
    missing = 0 if hub.cached(dataset, file, repo_type="dataset") else size
    return Origin("hub", dataset).describe() + _to_download(missing)


def _wanted(pretrained: bool) -> list[tuple[str, ...]]:
    """The files that a checkpoint must have: at least one of each group."""
    return [TOKENIZER_FILES, (CONFIG_FILE,), *([(WEIGHTS_FILE,)] if pretrained else [])]


def _find_model(
    name: str, wanted: Sequence[tuple[str, ...]], fetch: Callable[[str], Path]
) -> tuple[_Place | None, str]:
    """Find the first place that has one of each group of ``wanted`` files, or return None and the reason of the Hub.

    ``fetch`` downloads a file from the Hub, or only checks that it exists; it raises HubError if it does not.
    """
    folder = user_path(name)
    if folder.is_dir():
        files = {file: folder / file for group in wanted for file in group if (folder / file).is_file()}
        if (WEIGHTS_FILE,) in wanted and WEIGHTS_FILE not in files and (folder / WEIGHTS_INDEX).is_file():
            files[WEIGHTS_FILE] = folder / WEIGHTS_INDEX
        for group in wanted:
            if not any(file in files for file in group):
                _refuse_pickled_weights(folder, group)
                raise InputError(f"{folder} has no {' or '.join(group)}; give a folder that save_pretrained wrote")
        return _Place("folder", files, ""), ""
    try:
        files = dict(_fetch_one(group, fetch) for group in wanted)
        return _Place("hub", files, ""), ""
    except hub.HubError as error:
        reason = str(error)
    files = {file: found for group in wanted for file in group if (found := hub.cached(name, file)) is not None}
    if all(any(file in files for file in group) for group in wanted):
        return _Place("cache", files, reason), reason
    return None, reason


def _refuse_pickled_weights(folder: Path, group: Sequence[str]) -> None:
    """Raise InputError if ``folder`` has its weights only as a pickle, which is never read."""
    if WEIGHTS_FILE not in group:
        return
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in (".bin", ".pt", ".pth", ".ckpt"))
    if pickled:
        raise InputError(
            f"{folder} has {pickled[0]} but no {WEIGHTS_FILE}; a pickle can run any code, so it is not read. If you "
            "trust it, convert it: AutoModel.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)"
        )


def with_absolute_checkpoint(config: RunConfig) -> RunConfig:
    """The configuration with the path of a checkpoint folder made absolute, so that it is valid in every directory."""
    folder = user_path(config.model.checkpoint)
    if not folder.is_dir():
        return config
    return replace(config, model=replace(config.model, checkpoint=str(folder.absolute())))


def _fetch_one(group: Sequence[str], fetch: Callable[[str], Path]) -> tuple[str, Path]:
    """Fetch the first file of ``group`` that the repository has."""
    for file in group[:-1]:
        try:
            return file, fetch(file)
        except hub.FileMissingError:
            continue
    return group[-1], fetch(group[-1])


def _cached_data_file(dataset: str) -> Path | None:
    """Return the file of labelled reviews of a data set in the local cache, if there is one."""
    cached = hub.cached_files(dataset, repo_type="dataset")
    try:
        return cached[_choose_data_file(list(cached), dataset)]
    except hub.HubError:
        return None


def _choose_data_file(files: Sequence[str], dataset: str) -> str:
    """Choose the file with labelled reviews: the first with ``train`` in its name, else the first."""
    tables = sorted(file for file in files if file.lower().endswith((".csv", ".parquet")))
    if not tables:
        raise hub.HubError(f"{dataset} has no CSV or parquet file")
    return next((file for file in tables if "train" in file.lower()), tables[0])


def _check_hash(path: Path) -> None:
    if not hub.matches_hash(path):
        # The names in the cache are links to this file; deleting a link would not help.
        raise InputError(
            f"{path.name} is damaged: its sha256 is not the one that the Hub announced; delete {path.resolve()}"
        )
