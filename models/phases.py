"""What a training step consists of."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from models.examples import Batch

Step = Callable[[Batch], dict[str, Tensor]]


@dataclass(frozen=True)
class Phase:
    """One kind of optimiser step. Most tasks have one phase, a GAN one for each of its two networks.

    `step` turns a batch into a dict with `loss`, a scalar to minimise over `parameters`, and other scalars to be
    reported. The series are called after the phase: `train_loss`.
    """

    parameters: list[nn.Parameter]
    step: Step
    name: str = "train"
    every: int = 1
    """The step is taken at every so-manieth batch: a critic that learns from each, beside a generator at each fifth."""
    learning_rate_factor: float = 1.0
    """What the settings' learning rate is multiplied by."""
    watch_gradient: bool = False
    """Whether the Euclidean norm of its gradient, before clipping, is reported as `gradient_norm`."""
