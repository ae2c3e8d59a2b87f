"""Corruption of inputs, of which a denoising autoencoder has to make the clean ones.

Source: Vincent et al. 2010, Stacked denoising autoencoders. Shapes: N examples, of images (N, C, H, W), of features
(N, G); images keep to values from 0 to 1.
"""

from typing import Literal

import torch
from torch import Tensor

Noise = Literal["none", "gaussian", "masking", "salt_and_pepper"]


def corrupted(x: Tensor, noise: Noise, amount: float, generator: torch.Generator | None = None) -> Tensor:
    """The values with noise of this kind; the generator, None for the global one, is of their device.

    `gaussian` adds normal noise of standard deviation `amount`; `masking` puts each value to 0 with probability
    `amount`; `salt_and_pepper` puts it, with that probability, to its least or its greatest possible value: of
    images 0 or 1, of features the least or greatest in the batch.
    """
    is_image = x.ndim == 4
    if noise == "none":
        return x
    if noise == "gaussian":
        noisy = x + amount * torch.randn(x.shape, device=x.device, generator=generator)
        return noisy.clamp(0, 1) if is_image else noisy
    drawn = torch.rand(x.shape, device=x.device, generator=generator)
    if noise == "masking":
        return torch.where(drawn < amount, torch.zeros_like(x), x)
    low, high = (torch.zeros_like(x), torch.ones_like(x)) if is_image else (x.amin(0), x.amax(0))
    return torch.where(drawn < amount / 2, low, torch.where(drawn < amount, high, x))
