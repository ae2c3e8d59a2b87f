"""Output heads: the distribution of the target that a network's outputs are the parameter of.

A loss chooses the head whose negative log-likelihood, or a robust relative of it, it is. The head gives the loss
what it compares, and as the end of the exported graph it turns outputs into answers.
Shapes: N rows, K classes; H steps of a forecast, Q quantiles; a classification's outputs are (N, K), a
regression's (N, 1), a forecast's (N, H, 1) or (N, H, Q).
Source: McCullagh and Nelder 1989, Generalized linear models.
"""

from abc import ABC, abstractmethod
from math import log

import torch
from torch import Tensor, nn

from shapes.tokens import NO_TARGET


class Head(nn.Module, ABC):
    """A head fitted to the training targets, for a network of `num_outputs` outputs."""

    tolerance: float
    """The largest difference of two answers that counts as agreement."""

    @abstractmethod
    def __init__(self, targets: Tensor, num_outputs: int) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, outputs: Tensor) -> Tensor:
        """The answers: what is served."""

    @abstractmethod
    def natural(self, outputs: Tensor) -> Tensor:
        """The distribution's natural parameter, in float32, which the loss takes."""

    def scaled(self, targets: Tensor) -> Tensor:
        """The targets in the units and of the type that the loss takes."""
        return targets

    @abstractmethod
    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """Targets spoilt at random, as a regulariser: `training.label_noise` says how much."""


class _OfClasses(Head):
    """One of K classes; targets are their indices (N,)."""

    tolerance = 1e-4

    def __init__(self, targets: Tensor, num_outputs: int) -> None:
        super().__init__(targets, num_outputs)
        self.num_classes = num_outputs

    def natural(self, logits: Tensor) -> Tensor:
        """The logits."""
        return logits.float()

    def scaled(self, targets: Tensor) -> Tensor:
        """The classes as int64, which a mask's are not."""
        return targets.long()

    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """Each class replaced, with probability `amount`, by one drawn from all K alike; padding stays."""
        replaced = (torch.rand(targets.shape, device=targets.device) < amount) & (targets != NO_TARGET)
        return torch.where(replaced, torch.randint_like(targets, self.num_classes), targets)


class Categorical(_OfClasses):
    """p_k = exp(z_k) / Σ_j exp(z_j): exactly one of the classes."""

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities of the classes, by softmax."""
        return logits.softmax(dim=1)


class Bernoulli(_OfClasses):
    """σ(z_k) for each class against the rest; the answers are these K probabilities over their sum."""

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities of the classes: σ(z_k) / Σ_j σ(z_j), from the logarithms, so that no sum vanishes."""
        return (-nn.functional.softplus(-logits)).softmax(dim=1)


class _OfNumbers(Head):
    """A number, of which the training rows' mean and standard deviation give the scale."""

    def __init__(self, targets: Tensor, num_outputs: int) -> None:
        super().__init__(targets, num_outputs)
        self.mean = float(targets.double().mean())
        self.std = float(targets.double().std(correction=0))
        self.tolerance = 1e-4 * self.std

    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """Normal noise added, of `amount` standard deviations of the target."""
        return targets + amount * self.std * torch.randn_like(targets)


class Gaussian(_OfNumbers):
    """y = mean + std · z: the mean of a normal distribution of fixed variance.

    The loss takes standardised targets, (t - mean) / std over the training rows, so that learning rates and
    losses mean the same for house prices and for grams.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Values (N,) or (N, H) in the target's units."""
        return z.squeeze(-1) * self.std + self.mean

    def natural(self, z: Tensor) -> Tensor:
        """The standardised mean (N,) or (N, H)."""
        return z.squeeze(-1).float()

    def scaled(self, targets: Tensor) -> Tensor:
        """Standardised targets."""
        return (targets - self.mean) / self.std


class Quantiles(_OfNumbers):
    """Quantiles of a number, y_q = mean + std · z_q, put in order where they cross (Chernozhukov et al. 2010)."""

    def forward(self, z: Tensor) -> Tensor:
        """Quantiles (N, H, Q) in the target's units."""
        return z.sort(dim=-1)[0] * self.std + self.mean

    def natural(self, z: Tensor) -> Tensor:
        """Standardised quantiles (N, H, Q)."""
        return z.float()

    def scaled(self, targets: Tensor) -> Tensor:
        """Standardised targets (N, H)."""
        return (targets - self.mean) / self.std


class Poisson(_OfNumbers):
    """λ = mean · exp(z): the rate of a count, by a logarithmic link; at z = 0 it is the mean of the training rows."""

    def forward(self, z_N1: Tensor) -> Tensor:
        """Expected counts (N,)."""
        return z_N1.squeeze(1).exp() * self.mean

    def natural(self, z_N1: Tensor) -> Tensor:
        """log λ (N,)."""
        return z_N1.squeeze(1).float() + log(self.mean)

    def noised(self, targets: Tensor, amount: float) -> Tensor:
        """Normal noise added, but no count falls below 0."""
        return super().noised(targets, amount).clamp(min=0)
