"""The exponential moving average of a network's weights, which is steadier than the weights themselves.

    a_t = d a_{t-1} + (1 - d) w_t   with   d = min(decay, (1 + t) / (10 + t)),   a_0 = w_0

after step t, so that a short training does not average its own beginning. Buffers, such as the statistics of batch
normalisation, are those of the network. Sources: Polyak and Juditsky 1992, Acceleration of stochastic approximation
by averaging; for generators Yazıcı et al. 2019, The unusual effectiveness of averaging in GAN training.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def average_of(network: nn.Module, decay: float) -> AveragedModel:
    """The average, at first the network as it is now; `update_parameters(network)` takes a step into it."""
    average = AveragedModel(network, multi_avg_fn=partial(_approach, decay))
    average.update_parameters(network)
    return average.eval().requires_grad_(False)


@torch.no_grad()
def _approach(decay: float, averages: list[Tensor], weights: list[Tensor], steps: Tensor | int) -> None:
    step = int(steps)
    torch._foreach_lerp_(averages, weights, 1 - min(decay, (1 + step) / (10 + step)))
