"""The set-up of training: reviews, model, optimizer and step, new or restored from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from core.checkpoints.format import Checkpoint, restore_optimizer
from core.checkpoints.progress import Progress
from core.config.schema import RunConfig, TrainConfig
from core.data.batches import Examples, encode_examples
from core.data.corrections import Correction, apply_corrections, format_corrections, read_corrections, text_sha256
from core.data.reviews import Review
from core.data.splits import split_reviews
from core.engine.device import Engine
from core.engine.distributed import Ranks
from core.errors import InputError
from core.model.classifier import Classifier, build_classifier, encoder_config, require_fit
from core.model.unpadded import UnpaddedClassifier, forward_of
from core.runs.directory import APPLIED_CORRECTIONS, Run
from core.runs.events import RunStarted
from core.runs.stored_model import stored_model
from core.sources.hub import OnDownload
from core.sources.origin import Origin
from core.sources.resolve import ModelSource, open_checkpoint, open_reviews
from core.training.cuda_graphs import CudaGraphs, CudaGraphStep
from core.training.step import EagerStep, TrainingStep
from core.user_path import user_path

EQUAL_TEXTS, TOGETHER = "equal_texts", "on one side of the split"
"""The entry of the reviews' origin by which a run keeps its split when it is resumed or read again."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything the loop works on."""

    engine: Engine
    model: Classifier
    forward: torch.nn.Module
    """Computes the logits of a batch with the parameters of ``model``, padded or unpadded."""
    optimizer: torch.optim.Optimizer
    train_set: Examples
    validation_set: Examples
    origins: dict[str, Any]
    """Where the tokenizer, the weights and the reviews come from."""
    source: ModelSource
    warnings: list[str]
    corrections: str
    """The corrections of labels that were applied, as CSV; empty without data.corrections."""


def set_up(
    config: RunConfig,
    engine: Engine,
    run: Run,
    saved: Checkpoint | None,
    progress: Callable[[str], None],
    on_download: OnDownload,
) -> Setup:
    """Read, split and encode the reviews, and build the model and its optimizer.

    With ``saved``, tokenizer and configuration are those stored in the run, and model and optimizer are restored from
    the checkpoint. Raises InputError for input that cannot be used, also if reviews, tokenizer or weights are not those
    with which the run started before.
    """
    # Data: reviews, split, encoded.
    progress("loading tokenizer and weights")
    if saved is None:
        pretrained = config.model.init == "pretrained"
        source = open_checkpoint(config.model.checkpoint, pretrained=pretrained, on_download=on_download)
    else:
        source = stored_model(run)
    if saved is None:
        require_same_model(source, run)
    progress("reading reviews")
    reviews, reviews_origin = open_reviews(config.data.source, config.data.dataset, on_download)
    if saved is not None or run.environment():
        require_same_reviews(reviews_origin, run)
    corrections = read_run_corrections(config, run, is_new=saved is None)
    corrected = apply_corrections(reviews, reviews_origin.sha256, corrections, config.data.corrections)
    reviews, drop = corrected.reviews, corrected.dropped
    together = saved is None or keeps_equal_texts_together(run)
    split = split_reviews(
        reviews,
        config.data,
        seed=config.train.seed,
        batch_size=config.train.batch_size,
        drop=drop,
        equal_texts_together=together,
    )
    warnings = split.warnings
    if corrections:
        used = (*split.train, *split.validation)
        warnings = [corrected.describe(Path(config.data.corrections).name, used, split.dropped), *warnings]
    progress("tokenizing")
    train_set, validation_set = (
        encode_examples(reviews, indices, source.tokenizer, config.data) for indices in (split.train, split.validation)
    )
    origins = {
        "tokenizer": source.tokenizer_origin.as_dict(),
        "weights": source.weights_origin.as_dict(),
        "reviews": _with_counts(reviews_origin, reviews, len(train_set) + len(validation_set)),
    }
    if together:
        origins["reviews"][EQUAL_TEXTS] = TOGETHER
    stored = format_corrections(corrections) if config.data.corrections else ""
    if stored:
        origins["reviews"]["corrections"] = {
            "name": Path(config.data.corrections).name,
            "sha256": text_sha256(stored),
            "flipped": len(corrected.flipped),
            "dropped": len(corrected.dropped),
            "not_found": corrected.not_found,
        }

    # Model: initialised or loaded, then moved to the device.
    progress("building the model")
    fresh = saved is None and config.model.init == "pretrained"
    weights = source.load_weights() if fresh else None
    encoder = encoder_config(source.config, config.model.encoder)
    require_fit(encoder, source.tokenizer.get_vocab_size(), config.data.max_length)
    model = build_classifier(encoder, config.model, weights)
    if saved is not None:
        model.load_state_dict(saved.model)
    torch.nn.Module.to(model, engine.device)

    # Optimizer: AdamW; each step sets its learning rate.
    optimizer = build_optimizer(model, config.train, engine)
    if saved is not None:
        restore_optimizer(model, optimizer, saved.training)
    forward = forward_of(model, engine)
    return Setup(engine, model, forward, optimizer, train_set, validation_set, origins, source, warnings, stored)


def build_optimizer(model: Classifier, config: TrainConfig, engine: Engine) -> torch.optim.AdamW:
    """AdamW over the trainable parameters of ``model``; a CUDA graph needs the learning rate on the device."""
    graph = engine.launch == "graph"
    return torch.optim.AdamW(
        [parameter for parameter in model.parameters() if parameter.requires_grad],
        lr=torch.tensor(config.learning_rate, device=engine.device) if graph else config.learning_rate,
        eps=config.adam_epsilon,
        weight_decay=config.weight_decay,
        fused=engine.optimizer == "fused",
        capturable=graph,
    )


def choose_step(
    setup: Setup, config: TrainConfig, ranks: Ranks, warn: Callable[[str], None], *, micro_batch_size: int
) -> TrainingStep:
    """CUDA graphs where the engine launches them and one GPU trains alone; eager steps otherwise."""
    eager = EagerStep(
        setup.model,
        setup.forward,
        setup.optimizer,
        config,
        setup.engine,
        ranks,
        warn,
        micro_batch_size=micro_batch_size,
    )
    if setup.engine.launch != "graph" or ranks.world_size > 1 or not isinstance(setup.forward, UnpaddedClassifier):
        return eager
    graphs, max_seqlen = CudaGraphs(setup.engine.device), max(map(len, setup.train_set.input_ids))
    return CudaGraphStep(eager, setup.forward, graphs, warn, batch_size=config.batch_size, max_seqlen=max_seqlen)


@dataclass(frozen=True, slots=True)
class Start:
    """How a run starts: new, from a checkpoint, or again at step 0; the fields are those of RunStarted."""

    checkpoint: str
    inexact: str
    restarted: bool


def run_started(
    setup: Setup,
    config: RunConfig,
    run: Run,
    progress: Progress,
    ranks: Ranks,
    start: Start,
    moment: dict[str, Any],
) -> RunStarted:
    """The first event of a run; ``moment`` is the recorder's time."""
    engine = setup.engine
    return RunStarted(
        **moment,
        run=run.name,
        preset=config.preset,
        num_epochs=progress.num_epochs,
        steps_per_epoch=-(-len(setup.train_set) // config.train.batch_size),
        train_examples=len(setup.train_set),
        validation_examples=len(setup.validation_set),
        parameters=sum(parameter.numel() for parameter in setup.model.parameters()),
        device=str(engine.device),
        device_reason=engine.reasons["device"],
        dtype=engine.dtype_name,
        dtype_reason=engine.reasons["dtype"],
        engine=engine.describe(),
        threads=engine.threads,
        origins=setup.origins,
        world_size=ranks.world_size,
        step=progress.step,
        epochs_done=progress.epochs_done,
        **asdict(start),
        changes_made=progress.changes_made,
        probe_sentences=list(config.train.probe_sentences),
    )


def _with_counts(origin: Origin, reviews: list[Review], taken: int) -> dict[str, Any]:
    return {**origin.as_dict(), "taken": taken, "available": len(reviews)}


def read_run_corrections(config: RunConfig, run: Run, *, is_new: bool) -> list[Correction]:
    """The corrections of labels for a new run, or those that an existing one stored when it started.

    A run that ended before it stored them is new. Raises InputError if the file is missing or invalid, or if the stored
    one was changed.
    """
    if not config.data.corrections:
        return []
    if is_new and not (run.path / APPLIED_CORRECTIONS).exists():
        return read_corrections(user_path(config.data.corrections))
    found = read_corrections(run.path / APPLIED_CORRECTIONS)
    about = run.environment().get("origins", {}).get("reviews", {}).get("corrections", {})
    if text_sha256(format_corrections(found)) != about.get("sha256"):
        raise InputError(f"{run.path / APPLIED_CORRECTIONS} was changed after the run started; restore the file")
    return found


def require_same_model(found: ModelSource, run: Run) -> None:
    """Raise InputError if ``run`` started before with a tokenizer or with weights of another hash."""
    origins = run.environment().get("origins", {})
    for thing, origin in (("tokenizer", found.tokenizer_origin), ("weights", found.weights_origin)):
        before = origins.get(thing, {})
        if origin.sha256 and before.get("sha256", "") not in ("", origin.sha256):
            raise InputError(
                f"run {run.name} started with {thing} from {before.get('name', 'unknown')}, not {origin.describe()}; "
                "restore what model.checkpoint names, or start a new run"
            )


def keeps_equal_texts_together(run: Run) -> bool:
    """Whether the split of ``run`` has equal texts on one side; environment.json of older runs does not say so."""
    reviews = run.environment().get("origins", {}).get("reviews", {})
    return isinstance(reviews, dict) and reviews.get(EQUAL_TEXTS) == TOGETHER


def require_same_reviews(found: Origin, run: Run) -> None:
    """Raise InputError unless ``found`` is where ``run`` took its reviews from, with the same content."""
    before = run.environment().get("origins", {}).get("reviews", {})
    same = found.sha256 == before.get("sha256") if found.sha256 else found.kind == before.get("kind")
    if not same:
        raise InputError(
            f"run {run.name} was trained on other reviews: {before.get('name', 'unknown')}, not {found.describe()}; "
            "pass the original file with --data"
        )
