"""Negative log-likelihoods that torch has not, or not exactly, as modules of (natural parameters, targets)."""

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
