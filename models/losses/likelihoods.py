"""Negative log-likelihoods that torch has not, or not exactly, as modules of (natural parameters, targets)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class BinaryCrossEntropy(nn.Module):
    """Σ_k softplus(z_k) - z_t for the true class t: minus the logarithm of the likelihood of K coins.

    That is -log σ(z_t) - Σ_{k≠t} log(1 - σ(z_k)), without the overflow.
    """

    def forward(self, logits: Tensor, classes: Tensor) -> Tensor:
        """The mean over all but the axis of the classes, which is the second of logits (N, K, ...)."""
        true = logits.gather(1, classes.unsqueeze(1)).squeeze(1)
        return (nn.functional.softplus(logits).sum(dim=1) - true).mean()


class PoissonNLL(nn.Module):
    """λ - t · log λ + log t!, with log λ given; torch's own replaces log t! by Stirling's formula."""

    def forward(self, log_rate_N: Tensor, counts_N: Tensor) -> Tensor:
        """The mean over the rows, in nats."""
        return (log_rate_N.exp() - counts_N * log_rate_N + torch.lgamma(counts_N + 1)).mean()


class Pinball(nn.Module):
    """The mean of max(τ (t - y), (τ - 1) (t - y)) over values t (N, ...) and quantiles y (N, ..., Q) at levels τ."""

    levels: Tensor

    def __init__(self, levels: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels))

    def forward(self, quantiles: Tensor, values: Tensor) -> Tensor:
        """The loss ()."""
        errors, levels = values.unsqueeze(-1) - quantiles, self.levels.to(quantiles.device)
        return torch.maximum(levels * errors, (levels - 1) * errors).mean()
