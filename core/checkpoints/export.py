"""Export a checkpoint of a run as a folder that transformers can load."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from core.atomic_write import temporary_beside
from core.checkpoints.format import WEIGHTS, checkpoints, load_weights, read_manifest
from core.errors import InputError
from core.model.classifier import build_classifier, encoder_config, with_two_labels
from core.runs.directory import MODEL, Run
from core.sources.files import read_model_config, read_tokenizer


def choose_checkpoint(run: Run, which: str) -> Path:
    """The run's checkpoint ``which``: last, best, or a name such as step-300.

    ``best`` is the one with the best metric_for_best_model so far. Raises InputError if it does not exist.
    """
    found = checkpoints(run.path / "checkpoints")
    if not found:
        raise InputError(f"run {run.name} has no checkpoint")
    if which == "last":
        return found[0]
    if which == "best":
        step = read_manifest(found[0]).get("progress", {}).get("best_step")
        which = f"step-{step}"
        hint = "; the best one is always saved only with train.keep_best = true"
    else:
        hint = ""
    for path in found:
        if path.name == which:
            return path
    raise InputError(f"run {run.name} has no checkpoint {which}, only {', '.join(p.name for p in found)}{hint}")


def export(run: Run, destination: Path, *, which: str = "last") -> Path:
    """Write configuration, weights and tokenizer of one checkpoint to the new folder ``destination``.

    It loads in ``pipeline("text-classification")``, in AutoModelForSequenceClassification and, without the head, in
    DistilBertModel. A linear head is written as transformers' head that computes the same, see
    :func:`core.model.classifier.with_two_labels`. Raises InputError if there is no such checkpoint or the folder cannot
    be written.
    """
    config = run.config()
    checkpoint = choose_checkpoint(run, which)
    if destination.exists():
        raise InputError(f"{destination} already exists; choose a new folder")
    weights = load_weights(checkpoint)
    fields = read_model_config(run.path / MODEL / "config.json")
    tokenizer = read_tokenizer(run.path / MODEL / "tokenizer.json")
    model = build_classifier(encoder_config(fields), config.model, None)
    model.load_state_dict(weights)
    temporary = temporary_beside(destination)
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with_two_labels(model, config.model).save_pretrained(temporary)
        pieces = json.loads(tokenizer.to_str())
        if not config.data.add_special_tokens:
            pieces["post_processor"] = None  # the model was trained without [CLS] and [SEP]
        # safetensors makes files that only their owner can read; give them the same mode as the others.
        (temporary / WEIGHTS).chmod((temporary / "config.json").stat().st_mode)
        (temporary / "tokenizer.json").write_text(json.dumps(pieces, ensure_ascii=False), encoding="utf-8")
        about = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": config.data.max_length,
            **{f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")},
        }
        (temporary / "tokenizer_config.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        os.rename(temporary, destination)
    except OSError as error:
        raise InputError(f"{destination} cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return destination
