"""Watching whether adversaries keep their balance: diversity, accuracy and gradients of every epoch."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from models.examples import Examples
from models.generative.network import parts_of
from models.metrics.generation import diversity
from models.metrics.stability import judge
from models.run import Reporter
from models.training.callbacks.base import Callback
from models.training.means import Means

if TYPE_CHECKING:
    from models.training.trainer import Trainer

EXAMPLES = 256
"""Real and drawn examples that are compared after each epoch, always of the same rows and codes."""


class WatchStability(Callback):
    """Keeps each epoch's means of what the phases measured, and the diversity of what the generator draws."""

    def __init__(self, report: Reporter, train: Examples) -> None:
        self.report = report
        self.epochs: list[dict[str, float]] = []
        self.means = Means()
        generator = torch.Generator().manual_seed(0)
        self.real = train.gather(torch.randperm(len(train), generator=generator)[:EXAMPLES])

    def on_step(self, trainer: "Trainer") -> None:
        """Take in what the step measured."""
        if len(trainer.phases) > 1:
            self.means.add(trainer.latest)

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Compare drawn with real examples. A single network has no other to keep in balance with."""
        if len(trainer.phases) < 2:
            return
        value = self._diversity(trainer)
        self.report.metric("diversity", trainer.step, value)
        self.epochs.append({"diversity": value, **self.means.take()})

    @torch.inference_mode()
    def _diversity(self, trainer: "Trainer") -> float:
        preprocess, generative = parts_of(trainer.evaluated.eval())
        codes = torch.randn(len(self.real.inputs), generative.code_dim, generator=torch.Generator().manual_seed(0))
        labels = self.real.targets if generative.num_classes else None
        drawn = generative.decode(codes.to(self.real.inputs.device), labels)
        real, pair = preprocess(self.real.inputs), None
        if labels is not None:
            pair = _array(labels), _array(labels)
        return diversity(_array(drawn), _array(real), pair)

    def findings(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """The verdict as `stability`; nothing of a single network."""
        if not self.epochs:
            return {}
        quality = metrics.get("generation", {})
        # One in whose eyes all real examples are of one class cannot tell whether others are missing.
        tells = quality.get("classes", 0) > 1
        classes = (quality["classes_found"], quality["classes"]) if tells else None
        stability = judge(self.epochs, classes)
        level = "info" if stability["verdict"] == "healthy" else "warning"
        self.report.log(f"stability: {stability['verdict']}. {stability['detail']}", level=level)
        return {"stability": stability}

    def state_dict(self) -> dict[str, Any]:
        """What the epochs came to, and the one under way."""
        return {"epochs": self.epochs, "means": self.means.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""
        self.epochs = list(state["epochs"])
        self.means.load_state_dict(state["means"], self.real.inputs.device)


def _array(values: Tensor) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = values.cpu().numpy()
    return array
