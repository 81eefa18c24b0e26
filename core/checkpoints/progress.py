"""The progress of a run between two steps: counters, sums and the best metric so far.

A checkpoint stores it in its manifest. Together with the tensors of the checkpoint it is the whole state of the loop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of the training loop, without its tensors. Immutable: each method returns a changed copy."""

    num_epochs: int
    learning_rate: float
    """The peak learning rate, after all changes so far."""
    step: int = 0
    epochs_done: int = 0
    steps_in_epoch: int = 0
    loss_sum: float = 0.0
    """Sum of the step losses of this epoch, for its mean."""
    accuracy_sum: float = 0.0
    """Sum of the step accuracies of this epoch, for its mean."""
    epoch_seconds: float = 0.0
    micro_batch_size: int = 0
    """Reviews per forward pass; 0 if each batch is computed at once."""
    best_metric: float | None = None
    """The best validation metric so far; higher is better."""
    best_step: int = 0
    epochs_since_best: int = 0
    examples_trained: int = 0
    seconds_trained: float = 0.0
    changes_made: int = 0
    """How many changes of the learning rate or of the number of epochs were made."""

    def after_step(
        self,
        *,
        loss: float,
        accuracy: float,
        examples: int,
        seconds: float,
        epoch_seconds: float,
        micro_batch_size: int,
    ) -> Progress:
        """Count one step. ``loss`` and ``accuracy`` are means over its ``examples``."""
        return replace(
            self,
            step=self.step + 1,
            steps_in_epoch=self.steps_in_epoch + 1,
            loss_sum=self.loss_sum + loss,
            accuracy_sum=self.accuracy_sum + accuracy,
            examples_trained=self.examples_trained + examples,
            seconds_trained=self.seconds_trained + seconds,
            epoch_seconds=epoch_seconds,
            micro_batch_size=micro_batch_size,
        )

    def after_epoch(self, *, metric: str, val_loss: float, val_accuracy: float) -> Progress:
        """Count one epoch, and compare its ``metric`` (``val/loss`` or ``val/accuracy``) with the best so far."""
        done = replace(
            self,
            epochs_done=self.epochs_done + 1,
            steps_in_epoch=0,
            loss_sum=0.0,
            accuracy_sum=0.0,
            epoch_seconds=0.0,
            epochs_since_best=self.epochs_since_best + 1,
        )
        value = val_accuracy if metric == "val/accuracy" else -val_loss
        if self.best_metric is None or value > self.best_metric:
            return replace(done, best_metric=value, best_step=self.step, epochs_since_best=0)
        return done

    def with_learning_rate(self, peak: float) -> Progress:
        """Change the peak learning rate."""
        return replace(self, learning_rate=peak, changes_made=self.changes_made + 1)

    def with_added_epochs(self, epochs: int) -> Progress:
        """Add epochs. Early stopping starts counting again: whoever adds epochs wants them trained."""
        return replace(
            self, num_epochs=self.num_epochs + epochs, epochs_since_best=0, changes_made=self.changes_made + 1
        )

    def agreed_by_ranks(self, *, learning_rate: float, num_epochs: int) -> Progress:
        """Take over the values that all ranks have agreed on."""
        return replace(self, learning_rate=learning_rate, num_epochs=num_epochs)
