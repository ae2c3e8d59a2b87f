"""Losses of how far soft masks overlap with the true ones.

Shapes: N images, K classes, height H, width W.
"""

import torch
from torch import Tensor, nn


class SoftDice(nn.Module):
    """1 - (2 Σ p t + 1) / (Σ p + Σ t + 1), sums over the pixels, mean over images and classes.

    p are the probabilities by softmax and t is 1 in a class's own pixels. The ones give a class that is neither in
    the image nor predicted a loss of 0.
    """

    def forward(self, logits_NKHW: Tensor, classes_NHW: Tensor) -> Tensor:
        """The loss () of logits and class indices of int64."""
        p_NKHW = logits_NKHW.softmax(dim=1)
        t_NKHW = torch.zeros_like(p_NKHW).scatter_(1, classes_NHW[:, None], 1.0)
        both_NK, all_NK = (p_NKHW * t_NKHW).sum(dim=(2, 3)), (p_NKHW + t_NKHW).sum(dim=(2, 3))
        return 1 - ((2 * both_NK + 1) / (all_NK + 1)).mean()
