"""Each epoch stores the logit of every training review, as its step computed it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import binary_cross_entropy_with_logits

from core.atomic_write import sha256_of
from core.checkpoints.format import MANIFEST, TRAINING, checkpoints
from core.config.schema import RunConfig
from core.engine.distributed import Ranks
from core.errors import InputError
from core.runs.events import Event, StepLogged, Warned
from core.training import step as step_module
from core.training.control import Control
from core.training.train_logits import NAME, TrainLogits
from tests.core.support.resuming import assert_same, resumed, stateful
from tests.core.support.training import configured, on_step, run

CPU = torch.device("cpu")


def test_each_epoch_stores_the_logits_of_all_training_reviews_in_the_same_order(
    config: RunConfig, tmp_path: Path
) -> None:
    done, recorder = run(stateful(config), tmp_path)
    ids = [[id_ for id_, _, _ in done.predictions(epoch, "train")] for epoch in (1, 2, 3)]
    assert ids[0] == ids[1] == ids[2]
    assert sorted(ids[0] + [id_ for id_, _, _ in done.predictions(1)]) == list(range(40))
    for epoch in (1, 2, 3):
        rows = done.predictions(epoch, "train")
        logits, labels = (torch.tensor([float(row[i]) for row in rows]) for i in (2, 1))
        losses = [step.loss for step in recorder.of(StepLogged) if step.epoch == epoch]
        assert binary_cross_entropy_with_logits(logits, labels).item() == pytest.approx(sum(losses) / 4, abs=1e-6)
        right = ((logits > 0).float() == labels).float().mean().item()
        assert right == pytest.approx([e.train_accuracy for e in done.state().epochs][epoch - 1])


def test_the_logits_of_a_batch_are_those_of_its_loss(config: RunConfig, tmp_path: Path) -> None:
    done, recorder = run(config, tmp_path)  # the reviews are not reshuffled, so each batch is eight rows
    rows = done.predictions(2, "train")
    for number, step in enumerate(recorder.of(StepLogged)[4:]):
        part = rows[8 * number : 8 * number + 8]
        logits, labels = (torch.tensor([float(row[i]) for row in part]) for i in (2, 1))
        assert binary_cross_entropy_with_logits(logits, labels).item() == pytest.approx(step.loss, abs=1e-6)


def test_micro_batches_store_the_same_logits(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss_of, sizes = step_module.classification_loss, []

    def with_little_memory(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        sizes.append(len(logits))
        if len(logits) > 3:
            raise torch.OutOfMemoryError("no memory")
        return loss_of(logits, labels)

    plain, _ = run(config, tmp_path / "plain")
    monkeypatch.setattr(step_module, "classification_loss", with_little_memory)
    small, _ = run(config, tmp_path / "small")
    assert max(sizes[2:]) == 2
    for epoch in (1, 2):
        one, other = (each.predictions(epoch, "train") for each in (plain, small))
        assert [row[:2] for row in one] == [row[:2] for row in other]
        assert [row[2] for row in one] == pytest.approx([row[2] for row in other], abs=1e-5)


def test_the_logits_of_an_unfinished_epoch_are_in_its_checkpoint(config: RunConfig, tmp_path: Path) -> None:
    config = stateful(config)
    plain, _ = run(config, tmp_path / "plain")
    done, _ = run(config, tmp_path / "stopped", on_step(6, lambda control: control.stop("enough")))
    stored = load_file(checkpoints(done.path / "checkpoints")[0] / TRAINING)[NAME]
    assert stored.isnan().tolist() == [False] * 16 + [True] * 16
    with pytest.raises(InputError, match=r"train-epoch-2\.csv"):
        done.predictions(2, "train")
    assert resumed(done).of(Warned) == []
    assert_same(done, plain)


def test_a_checkpoint_without_logits_resumes_and_the_incomplete_epoch_is_not_stored(
    config: RunConfig, tmp_path: Path
) -> None:
    done, _ = run(config, tmp_path, on_step(2, lambda control: control.stop("enough")))
    path = checkpoints(done.path / "checkpoints")[0]
    tensors = load_file(path / TRAINING)
    del tensors[NAME]
    save_file(tensors, path / TRAINING)
    manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"][TRAINING]["sha256"] = sha256_of(path / TRAINING)
    (path / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    recorder = resumed(done)
    assert recorder.end.status == "completed"
    (warning,) = recorder.of(Warned)
    assert warning.message.startswith("epoch 1: the predictions of the training reviews are not stored")
    assert len(done.predictions(1)) == 8
    assert not (done.path / "predictions" / "train-epoch-1.csv").exists()
    assert len(done.predictions(2, "train")) == 32


def test_a_discarded_epoch_leaves_no_file(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 5:
            control.discard("never mind")

    done, _ = run(configured(config, train__save_seconds=0), tmp_path, act)
    assert sorted(path.name for path in (done.path / "predictions").iterdir()) == ["epoch-1.csv", "train-epoch-1.csv"]


def test_several_ranks_together_have_each_logit_once(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = [[4, 0, 3], [1, 2]]
    ranks = [TrainLogits(5, CPU, Ranks(rank=rank, world_size=2)) for rank in (0, 1)]
    for number, batch in enumerate(batches):
        for rank, logits in enumerate(ranks):
            logits.start_epoch(batches)
            logits.record(number, torch.tensor([float(position) for position in batch[rank::2]]))
    values = [logits._values.clone() for logits in ranks]
    monkeypatch.setattr(Ranks, "gather", lambda self, mine, total: list(values))
    assert ranks[0].all_ranks().tolist() == [4.0, 0.0, 3.0, 1.0, 2.0]
    assert ranks[1].finish_epoch() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert all(map(math.isnan, ranks[1]._values.tolist()))
