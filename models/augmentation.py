"""Random changes to a batch of training images, on their device, by that device's random generator.

They apply to the raw images, before preprocessing. Shapes: N images, C channels, height H, width W.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad


def flip(images_NCHW: Tensor) -> Tensor:
    """Mirror each image left to right with probability 1/2."""
    chosen = torch.rand(len(images_NCHW), 1, 1, 1, device=images_NCHW.device) < 0.5
    return torch.where(chosen, images_NCHW.flip(-1), images_NCHW)


def crop(images_NCHW: Tensor) -> Tensor:
    """Shift each image by up to an eighth of its height and width, filling with zeros.

    This is the crop of a padded image of He et al. 2016, section 4.2: 4 pixels at 32×32.
    """
    num, _, height, width = images_NCHW.shape
    device = images_NCHW.device
    margin_y, margin_x = max(1, height // 8), max(1, width // 8)
    padded = pad(images_NCHW, (margin_x, margin_x, margin_y, margin_y))
    top_N = torch.randint(0, 2 * margin_y + 1, (num, 1, 1), device=device)
    left_N = torch.randint(0, 2 * margin_x + 1, (num, 1, 1), device=device)
    y_NH1 = top_N + torch.arange(height, device=device).view(1, -1, 1)
    x_N1W = left_N + torch.arange(width, device=device).view(1, 1, -1)
    image_N11 = torch.arange(num, device=device).view(-1, 1, 1)
    return padded.permute(0, 2, 3, 1)[image_N11, y_NH1, x_N1W].permute(0, 3, 1, 2)


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {"flip": flip, "crop": crop}
