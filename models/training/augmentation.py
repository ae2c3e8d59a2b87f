"""Random changes to a batch of training images, on their device, by that device's random generator.

They apply to the raw images, uint8 from 0 to 255, before preprocessing. Each image is changed by itself.
Shapes: N images, C channels, height H, width W.
"""

from collections.abc import Callable
from functools import partial
from math import log, pi

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

from models.examples import Batch

MAX_ANGLE = pi / 12
"""15 degrees: what stands upright stays so."""
ERASED_SHARE = (0.02, 0.25)
ERASED_ASPECT = 0.3
NOISE_STD = 12.75
"""A twentieth of the range."""
MAX_CHANGE = 0.3


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


def rotate(images_NCHW: Tensor, mode: str = "bilinear") -> Tensor:
    """Turn each image about its centre by up to `MAX_ANGLE` either way, filling with zeros; `mode` of `grid_sample`."""
    num, channels, height, width = images_NCHW.shape
    angle_N = _uniform(images_NCHW, -MAX_ANGLE, MAX_ANGLE).flatten()
    cos_N, sin_N, zero_N = angle_N.cos(), angle_N.sin(), torch.zeros_like(angle_N)
    # The grid's coordinates go from -1 to 1 along either axis, whatever the proportions of the image.
    matrix_N23 = torch.stack(
        [cos_N, -sin_N * height / width, zero_N, sin_N * width / height, cos_N, zero_N], dim=1
    ).view(num, 2, 3)
    grid_NHW2 = affine_grid(matrix_N23, [num, channels, height, width], align_corners=False)
    return _pixels(grid_sample(images_NCHW.float(), grid_NHW2, mode, align_corners=False))


def erase(images_NCHW: Tensor) -> Tensor:
    """Overwrite a rectangle of half of the images with random pixels (Zhong et al. 2020, Random erasing).

    Its share of the area and its proportions are drawn, its corner lies anywhere in the image, and what
    would stand out of the image is cut off.
    """
    num, _, height, width = images_NCHW.shape
    device = images_NCHW.device
    area = _uniform(images_NCHW, *ERASED_SHARE) * height * width
    aspect = _uniform(images_NCHW, log(ERASED_ASPECT), -log(ERASED_ASPECT)).exp()
    top, left = _uniform(images_NCHW, 0, height).floor(), _uniform(images_NCHW, 0, width).floor()
    y_H1 = torch.arange(height, device=device).view(-1, 1)
    x_1W = torch.arange(width, device=device).view(1, -1)
    inside = (
        (y_H1 >= top) & (y_H1 < top + (area * aspect).sqrt()) & (x_1W >= left) & (x_1W < left + (area / aspect).sqrt())
    )
    chosen = torch.rand(num, 1, 1, 1, device=device) < 0.5
    return torch.where(inside & chosen, torch.randint_like(images_NCHW, 256), images_NCHW)


def noise(images_NCHW: Tensor) -> Tensor:
    """Add normal noise of standard deviation `NOISE_STD` to each pixel."""
    pixels = images_NCHW.float()
    return _pixels(pixels + NOISE_STD * torch.randn_like(pixels))


def brightness(images_NCHW: Tensor) -> Tensor:
    """Multiply each image by a factor within `MAX_CHANGE` of 1."""
    return _pixels(images_NCHW * _uniform(images_NCHW, 1 - MAX_CHANGE, 1 + MAX_CHANGE))


def contrast(images_NCHW: Tensor) -> Tensor:
    """Multiply each image's differences from its mean by a factor within `MAX_CHANGE` of 1."""
    mean_N111 = images_NCHW.float().mean(dim=(1, 2, 3), keepdim=True)
    factor_N111 = _uniform(images_NCHW, 1 - MAX_CHANGE, 1 + MAX_CHANGE)
    return _pixels(mean_N111 + (images_NCHW - mean_N111) * factor_N111)


def _uniform(images_NCHW: Tensor, low: float, high: float) -> Tensor:
    """A number for each image, (N, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(images_NCHW), 1, 1, 1, device=images_NCHW.device)


def _pixels(values: Tensor) -> Tensor:
    return values.round().clamp(0, 255).to(torch.uint8)


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    augment.__name__: augment for augment in (flip, crop, rotate, erase, noise, brightness, contrast)
}

_MOVING: dict[str, Callable[[Tensor], Tensor]] = {"flip": flip, "crop": crop, "rotate": partial(rotate, mode="nearest")}
"""Those that move pixels, so that they let each keep its value."""


def augmented(name: str, batch: Batch) -> Batch:
    """A batch with its images changed by one of `AUGMENTATIONS`; masks (N, H, W) are moved with their images."""
    if name not in _MOVING or batch.targets.ndim != 3:
        return batch._replace(inputs=AUGMENTATIONS[name](batch.inputs))
    moved_NCHW = _MOVING[name](torch.cat([batch.inputs, batch.targets.unsqueeze(1)], dim=1))
    return Batch(moved_NCHW[:, :-1], moved_NCHW[:, -1])
