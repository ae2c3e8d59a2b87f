"""Watching how far gradients reach back in time, of recurrent networks that answer at the end of a row."""

from math import inf
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from models.examples import Examples
from models.metrics.gradients import judge
from models.recurrent import Reader
from models.run import Reporter
from models.training.callbacks.base import Callback

if TYPE_CHECKING:
    from models.training.trainer import Trainer

ROWS = 64
"""Training rows, always the same, whose slopes are measured after each epoch."""
END_SHARE = 0.1
"""Of a row's steps, those that count as the first and as the last; at least one."""


class WatchGradients(Callback):
    """Keeps each epoch's norms: of the loss's slope at the first and last steps, and of the whole gradient."""

    def __init__(self, report: Reporter, train: Examples) -> None:
        self.report = report
        self.epochs: list[dict[str, float]] = []
        self.norms: list[Tensor] = []
        self.batch = train.gather(torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:ROWS])

    def on_step(self, trainer: "Trainer") -> None:
        """Keep the norm of the step's gradient."""
        self.norms.append(trainer.latest["train_gradient_norm"])

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Measure the slopes."""
        first, last = self._slopes(trainer)
        self.epochs.append({"first": first, "last": last, **self._lengths()})
        for name, value in (("gradient_first_steps", first), ("gradient_last_steps", last)):
            self.report.metric(name, trainer.step, value)

    def _lengths(self) -> dict[str, float]:
        """The median and the largest norm of the steps since the last epoch; what is not finite is endless."""
        norms = torch.stack(self.norms).nan_to_num(torch.inf, torch.inf)
        self.norms = []
        return {"norm": float(norms.median()), "largest": float(norms.max())}

    def _slopes(self, trainer: "Trainer") -> tuple[float, float]:
        """Means over the rows of the norms of the loss's slopes at the inputs of the first steps, and of the last."""
        trainer.network.eval()
        reader = next(module for module in trainer.network.modules() if isinstance(module, Reader))
        given: list[tuple[Tensor, Tensor]] = []

        def taken(layer: nn.Module, arguments: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            given.append((arguments[0].detach().requires_grad_(), arguments[1]))
            return given[-1]

        hook = reader.layers[0].register_forward_pre_hook(taken)
        try:
            with torch.backends.cudnn.flags(enabled=False):  # which has no gradients of a network that does not train
                loss = trainer.phases[0].step(self.batch)["loss"]
                ((x_NTE, length_N),) = given
                (slope_NTE,) = torch.autograd.grad(loss, [x_NTE])
        finally:
            hook.remove()
        norm_NT, place_NT = slope_NTE.norm(dim=2), torch.ones_like(slope_NTE[:, :, 0]).cumsum(dim=1) - 1
        count_N1, length_N1 = (length_N * END_SHARE).ceil()[:, None], length_N[:, None]
        first_NT = place_NT < count_N1
        last_NT = (place_NT >= length_N1 - count_N1) & (place_NT < length_N1)
        return float(norm_NT[first_NT].mean()), float(norm_NT[last_NT].mean())

    def findings(self, metrics: dict[str, Any]) -> dict[str, Any]:
        """The verdict as `gradients`, unless nothing was measured.

        A training that diverged, which has no metrics, is judged by its steps up to there, and by a last one beyond all
        bounds.
        """
        if not (self.epochs or self.norms):
            return {}
        if not metrics:
            lengths = self._lengths() if self.norms else self.epochs[-1]
            self.epochs.append({**lengths, "first": inf, "last": 1.0, "largest": inf})
        gradients = judge(self.epochs)
        level = "info" if gradients["verdict"] == "healthy" else "warning"
        self.report.log(f"gradients: {gradients['verdict']}. {gradients['detail']}", level=level)
        return {"gradients": gradients}

    def state_dict(self) -> dict[str, Any]:
        """What the epochs came to, and the one under way."""
        return {"epochs": self.epochs, "norms": self.norms}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""
        self.epochs = list(state["epochs"])
        self.norms = [norm.to(self.batch.targets.device) for norm in state["norms"]]
