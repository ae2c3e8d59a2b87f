"""What a layer makes of an image, and the kernels by which it does."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import JobError
from models.explanation.colours import Pixels, diverging, sequential
from models.explanation.subject import Layer, Subject
from models.hooks import watched

MAX_TILES = 64
MAX_LAYERS = 8


def shown_layers(subject: Subject, name: str | None) -> list[Layer]:
    """The named layer, or at most 8 convolutions spread from the first to the last. Raises `JobError`."""
    if name is not None:
        return [subject.layer(name)]
    convolutions = subject.convolutions
    places = np.unique(np.linspace(0, len(convolutions) - 1, min(MAX_LAYERS, len(convolutions))).round().astype(int))
    return [convolutions[place] for place in places]


def feature_maps(subject: Subject, input: Tensor, layers: list[Layer]) -> list[NDArray[Any]]:
    """For one input (1, C, H, W), the first 64 maps (at most) of each layer, (maps, H, W)."""
    seen: dict[str, NDArray[Any]] = {}

    def note(name: str, module: nn.Module, inputs: Any, output: Tensor) -> None:
        seen[name] = output[0, :MAX_TILES].numpy(force=True)

    with torch.inference_mode(), watched([(layer.name, layer.module) for layer in layers], note):
        subject.network(input)
    return [seen[layer.name] for layer in layers]


def map_tiles(maps: NDArray[Any]) -> list[Pixels]:
    """A tile a map, all of them by one scale, from the smallest to the largest value among them."""
    low, high = float(maps.min()), float(maps.max())
    return [sequential(each, low, high) for each in maps]


def kernels(layer: Layer) -> NDArray[Any]:
    """A convolution's kernels: the first 64 of (kernels, 3, H, W) over colours, or of (slices, 1, H, W) otherwise.

    Raises:
        JobError: `no_kernels`, the layer is no convolution.
    """
    if not layer.is_convolution:
        raise JobError("no_kernels", f"The layer {layer.name!r} is no convolution, so that it has no kernels to show.")
    weight: Tensor = layer.module.weight  # type: ignore[assignment]
    slices = weight if weight.shape[1] == 3 else weight.flatten(0, 1).unsqueeze(1)
    return slices[:MAX_TILES].numpy(force=True)


def kernel_tiles(slices: NDArray[Any]) -> list[Pixels]:
    """A tile a kernel, all by one scale: over colours grey is 0, otherwise white, red positive and blue negative."""
    largest = float(np.abs(slices).max()) or 1.0
    if slices.shape[1] == 3:
        levels = ((slices / largest + 1) / 2 * 255).round().astype(np.uint8)
        return list(levels.transpose(0, 2, 3, 1))
    return [diverging(each[0], largest) for each in slices]
