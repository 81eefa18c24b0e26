"""What a run begins with: device, reviews, model and optimizer, as new or as a checkpoint left them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from core.checkpoints.format import Checkpoint, restore_optimizer
from core.config.schema import RunConfig, TrainConfig
from core.data.reviews import Review
from core.data.splits import Examples, encode_examples, split_reviews
from core.engine.device import Engine
from core.errors import InputError
from core.model.classifier import Classifier, build_classifier, encoder_config, require_fit
from core.model.unpadded import laid_out
from core.runs.directory import Run
from core.runs.stored_model import stored_model
from core.sources.hub import OnDownload
from core.sources.origin import Origin
from core.sources.resolve import Checkpoint as Source
from core.sources.resolve import open_checkpoint, open_reviews


@dataclass(frozen=True, slots=True)
class Beginning:
    """Everything the loop works on. ``origins`` has an entry a thing: tokenizer, weights, reviews."""

    model: Classifier
    laid_out: torch.nn.Module
    """The same model as the loop calls it: a list of reviews' ids to logits."""
    optimizer: torch.optim.Optimizer
    train_set: Examples
    validation_set: Examples
    origins: dict[str, Any]
    source: Source
    warnings: list[str]


def begin(
    config: RunConfig,
    engine: Engine,
    run: Run,
    saved: Checkpoint | None,
    progress: Callable[[str], None],
    on_download: OnDownload,
) -> Beginning:
    """Reads, splits and encodes the reviews, builds the model and its optimizer.

    With ``saved``, tokenizer and configuration are those that the run kept, and model and optimizer stand where the
    checkpoint left them. Raises InputError for what cannot be used, also for other reviews than the run's own.
    """
    # Data: reviews, split, encoded.
    progress("looking for tokenizer and weights")
    if saved is None:
        pretrained = config.model.init == "pretrained"
        source = open_checkpoint(config.model.checkpoint, pretrained=pretrained, on_download=on_download)
    else:
        source = stored_model(run)
    progress("reading reviews")
    reviews, reviews_origin = open_reviews(config.data.source, config.data.dataset, on_download)
    if saved is not None:
        _require_same(reviews_origin, run)
    split = split_reviews(reviews, config.data, seed=config.train.seed, batch_size=config.train.batch_size)
    progress("tokenizing")
    train_set, validation_set = (
        encode_examples(reviews, indices, source.tokenizer, config.data) for indices in (split.train, split.validation)
    )
    origins = {
        "tokenizer": source.tokenizer_origin.as_dict(),
        "weights": source.weights_origin.as_dict(),
        "reviews": _taken(reviews_origin, reviews, len(train_set) + len(validation_set)),
    }

    # Model: drawn or loaded, then moved to the device.
    progress("building the model")
    fresh = saved is None and config.model.init == "pretrained"
    weights = source.load_weights() if fresh else None
    encoder = encoder_config(source.config, config.model.architecture)
    require_fit(encoder, source.tokenizer.get_vocab_size(), config.data.max_length)
    model = build_classifier(encoder, config.model, weights)
    if saved is not None:
        model.load_state_dict(saved.model)
    torch.nn.Module.to(model, engine.device)

    # Optimizer: AdamW; its learning rate is set anew before each step.
    optimizer = build_optimizer(model, config.train, engine)
    if saved is not None:
        restore_optimizer(model, optimizer, saved.training)
    return Beginning(
        model, laid_out(model, engine), optimizer, train_set, validation_set, origins, source, split.warnings
    )


def build_optimizer(model: Classifier, config: TrainConfig, engine: Engine) -> torch.optim.AdamW:
    """AdamW over what of ``model`` is trained; a graph needs a learning rate that is on the device."""
    graph = engine.launch == "graph"
    return torch.optim.AdamW(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=torch.tensor(config.learning_rate, device=engine.device) if graph else config.learning_rate,
        eps=config.adam_epsilon,
        weight_decay=config.weight_decay,
        fused=engine.optimizer == "fused",
        capturable=graph,
    )


def _taken(origin: Origin, reviews: list[Review], taken: int) -> dict[str, Any]:
    return {**origin.as_dict(), "taken": taken, "available": len(reviews)}


def _require_same(found: Origin, run: Run) -> None:
    before = run.environment().get("origins", {}).get("reviews", {})
    same = found.sha256 == before.get("sha256") if found.sha256 else found.kind == before.get("kind")
    if not same:
        raise InputError(
            f"the reviews of run {run.name} are not those it began with: they were {before.get('name', 'unknown')}, "
            f"found is {found.words()}; give the same file with --data"
        )
