"""The progress of a run after a step, an epoch and a change."""

from __future__ import annotations

import pytest

from core.checkpoints.progress import Progress


def stepped(progress: Progress, loss: float = 0.5, micro_batch_size: int = 0) -> Progress:
    return progress.after_step(
        loss=loss, accuracy=0.75, examples=8, seconds=0.1, epoch_seconds=1.0, micro_batch_size=micro_batch_size
    )


def test_a_step_adds_to_the_sums_of_its_epoch_and_of_the_run() -> None:
    progress = stepped(stepped(Progress(3, 1e-3), loss=0.25), loss=0.5, micro_batch_size=4)
    assert (progress.step, progress.steps_in_epoch, progress.examples_trained) == (2, 2, 16)
    assert (progress.loss_sum, progress.accuracy_sum, progress.epoch_seconds) == (0.75, 1.5, 1.0)
    assert progress.seconds_trained == pytest.approx(0.2)
    assert progress.micro_batch_size == 4


@pytest.mark.parametrize(("metric", "best_step"), [("val/loss", 1), ("val/accuracy", 2)])
def test_an_epoch_resets_its_sums_and_compares_the_chosen_metric_with_the_best(metric: str, best_step: int) -> None:
    first = stepped(Progress(3, 1e-3)).after_epoch(metric=metric, val_loss=0.4, val_accuracy=0.5)
    assert (first.epochs_done, first.steps_in_epoch, first.loss_sum, first.best_step) == (1, 0, 0.0, 1)
    second = stepped(first).after_epoch(metric=metric, val_loss=0.6, val_accuracy=0.9)
    assert (second.best_step, second.epochs_since_best) == (best_step, 2 - best_step)


def test_an_equal_metric_is_not_better() -> None:
    first = stepped(Progress(3, 1e-3)).after_epoch(metric="val/loss", val_loss=0.4, val_accuracy=0.5)
    second = stepped(first).after_epoch(metric="val/loss", val_loss=0.4, val_accuracy=0.5)
    assert (second.best_step, second.epochs_since_best) == (1, 1)


def test_changes_are_counted_and_added_epochs_reset_the_patience() -> None:
    progress = Progress(3, 1e-3, epochs_since_best=2).with_learning_rate(1e-4).with_added_epochs(2)
    assert (progress.learning_rate, progress.num_epochs) == (1e-4, 5)
    assert (progress.changes_made, progress.epochs_since_best) == (2, 0)
