"""What may happen around training steps without the loop knowing of it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.training.trainer import Trainer


class Callback:
    """Called by the trainer, in the order of its list. Each method may do nothing."""

    def on_step(self, trainer: "Trainer") -> None:
        """After an optimiser step; between the batches of a validation, `on_validation_batch` instead."""

    def on_validation_batch(self, trainer: "Trainer") -> None:
        """After a batch of a validation, which changes no state: a checkpoint resumes before it."""

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """After an epoch's validation, with its metrics in `trainer.validation`."""

    def on_end(self, trainer: "Trainer") -> None:
        """After the last epoch."""

    def findings(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """What the job's result and the version's record say of the training, whose `metrics` the version has.

        Of a training that diverged there are none.
        """
        return {}

    def state_dict(self) -> dict[str, Any]:
        """What has to be in a checkpoint for a resumed run to be the same."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""
