"""What the two networks of a generative adversarial network make small.

A discriminator's score s(x) is a logit, a critic's any number; x is real and G(z) drawn by the generator.

    non-saturating    L_D = -E log σ(s(x)) - E log(1 - σ(s(G(z)))),   L_G = -E log σ(s(G(z)))
    Wasserstein       L_D = E s(G(z)) - E s(x) + λ E (‖∇s(x̂)‖ - 1)²,   L_G = -E s(G(z))

with x̂ at a random place of the line from x to G(z). Sources: Goodfellow et al. 2014, Generative adversarial nets,
section 3; Salimans et al. 2016, Improved techniques for training GANs, section 3.4, of one-sided label smoothing;
Gulrajani et al. 2017, Improved training of Wasserstein GANs.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

Score = Callable[[Tensor], Tensor]
"""Examples (N, ...) to their scores (N,)."""


class AdversarialLoss(ABC):
    """Losses of a discriminator or critic and of the generator it teaches."""

    @abstractmethod
    def discriminator(self, score: Score, real: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        """`loss` () of the scores of as many real as drawn examples, and what is to be watched beside it."""

    @abstractmethod
    def generator(self, scores_N: Tensor) -> Tensor:
        """The loss () of a generator whose examples have these scores."""


@dataclass(frozen=True)
class NonSaturating(AdversarialLoss):
    """The generator makes its examples likely to be taken for real, which has a gradient even where none is.

    With smoothing s, the discriminator is to take real examples for real with probability 1 - s only.
    """

    smoothing: float = 0.0

    def discriminator(self, score: Score, real: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        """With the share of each kind that is told rightly, as `real_accuracy` and `drawn_accuracy`."""
        real_N, drawn_N = score(real), score(drawn)
        as_real = (1 - self.smoothing) * softplus(-real_N) + self.smoothing * softplus(real_N)
        return {
            "loss": as_real.mean() + softplus(drawn_N).mean(),
            "real_accuracy": (real_N > 0).float().mean(),
            "drawn_accuracy": (drawn_N < 0).float().mean(),
        }

    def generator(self, scores_N: Tensor) -> Tensor:
        """-E log σ(s(G(z)))."""
        return softplus(-scores_N).mean()


@dataclass(frozen=True)
class Wasserstein(AdversarialLoss):
    """The critic estimates how far the drawn examples are from the real ones, in the 1-Wasserstein distance."""

    penalty: float

    def discriminator(self, score: Score, real: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        """With the estimated `distance` and the `gradient_penalty` before λ."""
        distance = score(real).mean() - score(drawn).mean()
        penalty = gradient_penalty(score, real, drawn)
        return {"loss": self.penalty * penalty - distance, "distance": distance, "gradient_penalty": penalty}

    def generator(self, scores_N: Tensor) -> Tensor:
        """-E s(G(z))."""
        return -scores_N.mean()


def gradient_penalty(score: Score, real: Tensor, drawn: Tensor) -> Tensor:
    """E (‖∇s(x̂)‖ - 1)² (), one place x̂ between each real example (N, ...) and a drawn one.

    It is computed in float32: a square of a gradient is beyond what half precision resolves.
    """
    with torch.autocast(real.device.type, enabled=False):
        share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
        between = torch.lerp(drawn.float(), real.float(), share).requires_grad_()
        (gradient,) = torch.autograd.grad(score(between).sum(), between, create_graph=True)
        penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        return penalty
