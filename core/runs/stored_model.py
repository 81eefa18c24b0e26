"""The tokenizer and the encoder's configuration that are stored with a run, so that it can be resumed anywhere."""

from __future__ import annotations

from core.runs.directory import MODEL, Run
from core.sources.files import read_model_config, read_tokenizer
from core.sources.origin import Origin
from core.sources.resolve import ModelSource


def stored_model(run: Run) -> ModelSource:
    """Tokenizer and configuration from the run directory, without weights; the directory may have been moved.

    Raises InputError if one of them is missing or damaged.
    """
    folder, origins = run.path / MODEL, run.environment().get("origins", {})
    known = {thing: {key: origins.get(thing, {}).get(key, "") for key in ("name", "note", "sha256")}
             for thing in ("tokenizer", "weights")}  # fmt: skip
    kinds = {thing: origins.get(thing, {}).get("kind", "folder") for thing in known}
    return ModelSource(
        read_tokenizer(folder / "tokenizer.json"),
        Origin(kinds["tokenizer"], **known["tokenizer"]),
        read_model_config(folder / "config.json"),
        Origin(kinds["weights"], **known["weights"]),
        dict,
    )
