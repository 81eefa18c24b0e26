"""What the training loop computes, and the order of its events."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
import torch

from core.checkpoints.format import load_weights
from core.config.schema import RunConfig, TrainConfig
from core.runs.events import (
    CheckpointSaved,
    EpochFinished,
    Event,
    ProbesScored,
    Progressed,
    RunFinished,
    RunStarted,
    StepLogged,
)
from core.runs.reader import read_events
from core.training.control import Control
from core.training.loop import learning_rate
from tests.core.support.tiny import write_checkpoint
from tests.core.support.training import built_models, configured, run


def notebook_losses(config: RunConfig, folder: Path, reviews: Path) -> tuple[list[float], list[float]]:
    """The lab notebook's loop: the loss of each step, and the validation accuracy of each epoch."""
    from datasets import Dataset
    from transformers import DistilBertConfig, DistilBertModel, DistilBertTokenizerFast

    seed, size = config.train.seed, config.train.batch_size
    with reviews.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = Dataset.from_list(rows).shuffle(seed=seed).select(range(config.data.n_samples))
    parts = table.train_test_split(test_size=config.data.test_size, seed=seed)
    tokenizer = DistilBertTokenizerFast.from_pretrained(str(folder))

    def encoded(part: Dataset) -> list[tuple[list[int], float]]:
        return [
            (
                tokenizer.encode(
                    row["review"], add_special_tokens=False, truncation=True, max_length=config.data.max_length
                ),
                float(row["sentiment"] == "positive"),
            )
            for row in part
        ]

    def padded(rows: list[tuple[list[int], float]]) -> tuple[torch.Tensor, torch.Tensor]:
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(ids) for ids, _ in rows], batch_first=True)
        return ids, torch.tensor([label for _, label in rows])

    torch.manual_seed(seed)
    if config.model.init == "pretrained":
        body = DistilBertModel.from_pretrained(str(folder), dtype=torch.float32)
    else:
        body = DistilBertModel(DistilBertConfig.from_pretrained(str(folder)))
    head = torch.nn.Linear(16, 1)

    def logits_of(ids: torch.Tensor) -> torch.Tensor:
        hidden = body(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state
        return head(hidden[:, 0]).squeeze(-1)

    criterion = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW([*body.parameters(), *head.parameters()], lr=config.train.learning_rate, eps=1e-8)
    training, held_out = encoded(parts["train"]), encoded(parts["test"])
    losses, accuracies = [], []
    for _ in range(config.train.num_epochs):
        body.train()
        for start in range(0, len(training), size):
            ids, labels = padded(training[start : start + size])
            optimizer.zero_grad()
            loss = criterion(logits_of(ids), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        body.eval()
        with torch.no_grad():
            right = sum(
                ((logits_of(ids) > 0).float() == labels).sum().item()
                for ids, labels in (padded(held_out[i : i + size]) for i in range(0, len(held_out), size))
            )
        accuracies.append(right / len(held_out))
    return losses, accuracies


@pytest.mark.parametrize("init", ["pretrained", "scratch"])
def test_the_loop_computes_what_the_notebook_computes(
    config: RunConfig, folder: Path, reviews_csv: Path, tmp_path: Path, init: str
) -> None:
    config = configured(config, model__init=init)
    _, recorder = run(config, tmp_path)
    losses, accuracies = notebook_losses(config, folder, reviews_csv)
    assert len(losses) == 8
    assert recorder.losses == pytest.approx(losses, abs=1e-6)
    assert [event.val_accuracy for event in recorder.of(EpochFinished)] == pytest.approx(accuracies)


@pytest.mark.parametrize(
    ("part", "value", "exact"),
    [
        ("forward", "padded", False),
        ("optimizer", "plain", False),
        ("memory", "release", True),
    ],
)
def test_each_part_of_the_engine_trains_as_its_plain_version_does(
    config: RunConfig, tmp_path: Path, part: str, value: str, exact: bool
) -> None:
    fast = run(config, tmp_path)[1]
    plain = run(config.set(f"engine.{part}", value), tmp_path)[1]
    assert plain.of(RunStarted)[0].engine[part] == f"{value} (set in the configuration)"
    assert fast.of(RunStarted)[0].engine[part] != plain.of(RunStarted)[0].engine[part]
    if exact:
        assert fast.losses == plain.losses
    assert fast.losses == pytest.approx(plain.losses, abs=1e-6)
    assert [event.grad_norm for event in fast.of(StepLogged)] == pytest.approx(
        [event.grad_norm for event in plain.of(StepLogged)], rel=1e-4
    )


def test_events_are_emitted_in_order_and_stored(config: RunConfig, tmp_path: Path) -> None:
    done, recorder = run(config, tmp_path)
    stored = [event for event in recorder.events if event.stored]
    epoch = [StepLogged] * 4 + [EpochFinished]
    kinds = [type(event) for event in stored if not isinstance(event, CheckpointSaved)]
    assert kinds == [RunStarted, ProbesScored, *epoch, ProbesScored, *epoch, ProbesScored, RunFinished]
    assert [event.step for event in recorder.of(CheckpointSaved)] == [4, 8]  # each is written during later steps
    assert isinstance(stored[-1], RunFinished)
    assert recorder.end.status == "completed"
    assert [event.step for event in recorder.of(StepLogged)] == list(range(1, 9))
    assert [event.elapsed for event in stored] == sorted(event.elapsed for event in stored)
    assert isinstance(recorder.events[0], Progressed)
    assert read_events(done) == stored


def test_the_first_event_has_the_data_the_device_and_the_origins(
    config: RunConfig, folder: Path, tmp_path: Path
) -> None:
    done, recorder = run(config, tmp_path)
    (started,) = recorder.of(RunStarted)
    assert (started.train_examples, started.validation_examples, started.steps_per_epoch) == (32, 8, 4)
    assert (started.device, started.dtype, started.threads) == ("cpu", "float32", 1)
    assert started.origins["weights"]["kind"] == "folder"
    assert started.origins["reviews"]["taken"] == started.origins["reviews"]["available"] == 40
    environment = done.environment()
    assert environment["origins"] == started.origins
    assert environment["versions"]["torch"] == torch.__version__
    assert done.config() == config
    assert not done.is_live()


def test_the_training_metrics_of_an_epoch_are_the_means_of_its_steps(config: RunConfig, tmp_path: Path) -> None:
    _, recorder = run(config, tmp_path)
    for epoch in recorder.of(EpochFinished):
        steps = [step for step in recorder.of(StepLogged) if step.epoch == epoch.epoch]
        assert epoch.train_loss == pytest.approx(sum(step.loss for step in steps) / 4)
        assert epoch.train_accuracy == pytest.approx(sum(step.accuracy for step in steps) / 4)


def test_each_epoch_stores_one_prediction_per_validation_review(
    config: RunConfig, reviews_csv: Path, tmp_path: Path
) -> None:
    done, recorder = run(config, tmp_path)
    with reviews_csv.open(encoding="utf-8", newline="") as file:
        labels = [int(row["sentiment"] == "positive") for row in csv.DictReader(file)]
    for epoch in recorder.of(EpochFinished):
        rows = done.predictions(epoch.epoch)
        assert len({id_ for id_, _, _ in rows}) == len(rows) == 8
        assert all(labels[id_] == label for id_, label, _ in rows)
        right = sum((logit > 0) == bool(label) for _, label, logit in rows)
        assert right / 8 == epoch.val_accuracy
    first, second = ([id_ for id_, _, _ in done.predictions(epoch)] for epoch in (1, 2))
    assert first == second


def test_the_same_seed_gives_bit_identical_losses_and_another_seed_does_not(config: RunConfig, tmp_path: Path) -> None:
    stochastic = write_checkpoint(tmp_path / "model", dropout=0.3, attention_dropout=0.2)
    config = configured(
        config, model__checkpoint=str(stochastic), model__head_dropout=0.2, train__reshuffle_each_epoch=True
    )
    first, second = (run(config, tmp_path)[1].losses for _ in range(2))
    assert first == second
    assert run(configured(config, train__seed=1), tmp_path)[1].losses != first


def test_the_last_checkpoint_has_the_final_weights(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = built_models(monkeypatch)
    done, recorder = run(config, tmp_path)
    assert [event.path for event in recorder.of(CheckpointSaved)] == ["checkpoints/step-4", "checkpoints/step-8"]
    saved = load_weights(done.path / "checkpoints" / "step-8")
    assert all(torch.equal(saved[name], tensor) for name, tensor in models[0].state_dict().items())


def test_frozen_modules_keep_their_weights(config: RunConfig, folder: Path, tmp_path: Path) -> None:
    done, _ = run(configured(config, model__freeze=("distilbert.embeddings",)), tmp_path)
    from safetensors.torch import load_file

    before, after = load_file(folder / "model.safetensors"), load_weights(done.path / "checkpoints" / "step-8")
    for name, tensor in before.items():
        assert torch.equal(tensor, after[f"distilbert.{name}"]) is name.startswith("embeddings.")


def test_reshuffling_changes_the_batches_but_not_the_reviews_of_an_epoch(config: RunConfig, tmp_path: Path) -> None:
    config = configured(config, train__learning_rate=1e-12)  # each epoch sees the same weights
    plain = run(config, tmp_path)[1]
    shuffled = run(configured(config, train__reshuffle_each_epoch=True), tmp_path)[1]
    assert plain.losses[:4] == pytest.approx(plain.losses[4:], abs=1e-6)
    assert shuffled.losses[:4] != pytest.approx(shuffled.losses[4:], abs=1e-6)
    mean = plain.of(EpochFinished)[0].train_loss
    assert [epoch.train_loss for epoch in shuffled.of(EpochFinished)] == pytest.approx([mean] * 2, abs=1e-6)


def test_clipping_limits_the_update_and_reports_the_norm_before_it(config: RunConfig, tmp_path: Path) -> None:
    _, free = run(config, tmp_path)
    _, clipped = run(configured(config, train__max_grad_norm=1e-9), tmp_path)
    assert clipped.of(StepLogged)[0].grad_norm == free.of(StepLogged)[0].grad_norm > 1e-3
    assert clipped.losses[0] == free.losses[0]
    assert clipped.losses[1:] != free.losses[1:]


@pytest.mark.parametrize("total", [1, 7, 100])
@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("schedule", ["linear", "constant"])
def test_the_learning_rate_is_that_of_transformers_schedules(schedule: str, ratio: float, total: int) -> None:
    from transformers import get_constant_schedule_with_warmup, get_linear_schedule_with_warmup

    config = TrainConfig(learning_rate=3e-4, warmup_ratio=ratio, lr_schedule=schedule)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=3e-4)
    warmup = math.ceil(ratio * total)
    if schedule == "linear":
        theirs = get_linear_schedule_with_warmup(optimizer, warmup, total)
    else:
        theirs = get_constant_schedule_with_warmup(optimizer, warmup)
    for step in range(1, total + 1):
        assert learning_rate(config, step, total) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        theirs.step()


def test_each_step_uses_the_learning_rate_that_it_logs(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, heads = built_models(monkeypatch), []

    def act(event: Event, _: Control) -> None:
        if isinstance(event, (RunStarted, StepLogged)):
            heads.append(models[0].classifier.bias.item())

    config = configured(config, train__warmup_ratio=0.5, train__lr_schedule="linear")
    _, recorder = run(config, tmp_path, act)
    rates = [event.lr for event in recorder.of(StepLogged)]
    assert rates == pytest.approx([1e-3 * part for part in (0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25)])
    assert heads[1] == heads[0]  # a learning rate of 0 changes nothing
    assert heads[2] != heads[1]
