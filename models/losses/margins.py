"""Losses of the margin between the true class's score and the others'.

Shapes: N examples, K classes.
"""

from torch import Tensor, nn


class PerceptronCriterion(nn.Module):
    """The mean over the batch of max_k z_k - z_t for the true class t.

    At a tie the gradient is shared among the highest scores, so that it moves even from weights of zero.
    """

    def forward(self, scores_NK: Tensor, targets_N: Tensor) -> Tensor:
        """The loss () of scores and class indices."""
        true_N = scores_NK.gather(1, targets_N[:, None]).squeeze(1)
        return (scores_NK.amax(dim=1) - true_N).mean()
