"""A convolutional network from a list of layers, so that its parts can be studied one by one.

    h_0 = x,   h_i = layer_i(h_{i-1})   or   h_i = h_{i-1} + h_j, [h_{i-1}, h_j] with j < i,   y = W h_L + b

The list says everything but the affine output layer, which is appended. `shapes.layers` describes the kinds
of layers, `shapes.network` how they fit. As a list, LeNet-5 is LeNet-5: see the references.

The default list is a small network for images of any size: three stages of 32, 48 and 64 channels, the last
two with a residual convolution (the last one in two groups), then the mean of each channel.

Shapes: N images, C channels, height H, width W, K classes.
"""

from math import prod
from typing import Any

from pydantic import Field
from torch import Tensor, nn

from models.errors import UnsuitableInput
from models.initializations import Initialization, initialize
from models.layers import module
from models.registry import ArchitectureConfig, Reference, Shape, register, search
from shapes.fitting import Misfit
from shapes.layers import AnyLayer, Layer
from shapes.network import FORMAT, MAX_LAYERS, Step, walk

_NORM_AND_RELU = [{"type": "batch_norm"}, {"type": "activation", "function": "relu"}]
_HALVE = {"type": "pooling", "kernel": 3, "stride": 2, "padding": 1}


def _convolution(channels: int, **fields: Any) -> list[dict[str, Any]]:
    """A 3×3 convolution that keeps the size, normalisation and ReLU."""
    convolution = {"type": "convolution", "channels": channels, "kernel": 3, "padding": 1, "bias": False}
    norm, relu = _NORM_AND_RELU
    return [convolution | fields, norm, relu]


def _stage(channels: int, name: str, **residual: Any) -> list[dict[str, Any]]:
    """Half the size, a convolution to `channels`, and a residual one."""
    first = _convolution(channels)
    first[-1] = first[-1] | {"name": name}
    return [_HALVE, *first, *_convolution(channels, **residual), {"type": "addition", "source": name}]


_END = [{"type": "global_pooling"}, {"type": "dropout", "probability": 0.2}]
RESIDUAL = [*_convolution(32), *_stage(48, "middle"), *_stage(64, "small", groups=2), *_END]
PLAIN = [*_convolution(32), _HALVE, *_convolution(64), _HALVE, *_convolution(64), *_END]
LENET: list[dict[str, Any]] = [
    {"type": "convolution", "channels": 6, "kernel": 5},
    {"type": "activation"},
    {"type": "pooling"},
    {"type": "convolution", "channels": 16, "kernel": 5},
    {"type": "activation"},
    {"type": "pooling"},
    {"type": "dense", "units": 120},
    {"type": "activation"},
    {"type": "dense", "units": 84},
    {"type": "activation"},
]


@register(
    title="Network from a list of layers",
    paper="Goodfellow, Bengio and Courville 2016, Deep Learning, chapter 9",
    unit="II",
    tasks=("classification",),
    modality=("image",),
    references=(
        Reference("convnet-small", {}, input=(1, 28, 28), classes=10, parameters=82090),
        Reference("convnet-lenet-5", {"layers": LENET}, input=(1, 32, 32), classes=10, parameters=61706),
    ),
)
class ConvNet(nn.Module):
    """The listed layers, and a linear layer to the classes."""

    class Config(ArchitectureConfig):
        """Hyperparameters of a network from a list of layers."""

        layers: tuple[AnyLayer, ...] = Field(
            RESIDUAL,
            validate_default=True,
            min_length=1,
            max_length=MAX_LAYERS,
            description="The layers from the input on, each an object with a type; the output layer is appended.",
            json_schema_extra={"format": FORMAT} | search(choices=[RESIDUAL, PLAIN]),
        )
        initialization: Initialization = Field(
            "default",
            description="How the weights of convolutions and dense layers are drawn.",
            json_schema_extra=search(choices=["default", "xavier", "he", "orthogonal"]),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        steps = _steps(config.layers, input_shape, num_outputs)
        last = steps[-1].output
        self.layers = nn.ModuleList(module(step.layer, step) for step in steps)
        self.output = nn.Sequential(nn.Flatten(), nn.Linear(prod(last), num_outputs))
        self._sources = [step.source for step in steps]
        initialize(self, config.initialization)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Logits (N, K) of images (N, C, H, W)."""
        h = x_NCHW
        joined_later: dict[int, Tensor] = {}
        for place, (layer, source) in enumerate(zip(self.layers, self._sources, strict=True)):
            h = layer(h) if source is None else layer(h, joined_later[source])
            if place in self._sources:
                joined_later[place] = h
        logits_NK: Tensor = self.output(h)
        return logits_NK


def _steps(listed: tuple[Layer, ...], input_shape: Shape, num_outputs: int) -> list[Step]:
    try:
        return walk(listed, input_shape, num_outputs)
    except Misfit as misfit:
        place = "hyperparameters.layers" + ("" if misfit.layer is None else f".{misfit.layer}")
        raise UnsuitableInput(f"{place}: {misfit}.") from misfit
