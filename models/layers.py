"""The layers of `shapes.layers` as modules of torch."""

from functools import singledispatch
from math import prod

import torch
from torch import Tensor, nn

from models.activations import activation
from models.registry import Shape
from shapes.layers import (
    ActivationLayer,
    Addition,
    BatchNorm,
    Concatenation,
    Convolution,
    Dense,
    Dropout,
    GlobalPooling,
    GroupNorm,
    Layer,
    Pooling,
    TiledConvolution,
    TransposedConvolution,
)
from shapes.network import Step


class _Addition(nn.Module):
    def forward(self, h: Tensor, earlier: Tensor) -> Tensor:
        return h + earlier


class _Concatenation(nn.Module):
    def forward(self, h: Tensor, earlier: Tensor) -> Tensor:
        return torch.cat([h, earlier], dim=1)


class _GroupNorm(nn.GroupNorm):
    """Without torch's look at the size of the batch, which cannot be traced for ONNX; shapes are checked before."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class _TiledConvolution(nn.Module):
    """A convolution for each place (a, b) of a tile of t×t positions.

    The positions i with i mod t = a are those of a convolution with t times the stride that begins a strides
    later. Their results, t²·C maps, are interleaved to C maps of t times the size.
    """

    def __init__(self, layer: TiledConvolution, input_shape: Shape, output_shape: Shape) -> None:
        super().__init__()
        self.stride, self.tiles, self.size = layer.stride, layer.tiles, output_shape[1:]
        # Zeros at the end complete the last tile; what they give is cut off.
        after = []
        for side, positions in zip(input_shape[1:], self.size, strict=True):
            whole = -(-positions // self.tiles) * self.tiles
            after.append(max(layer.padding, (whole - 1) * self.stride + layer.kernel - side - layer.padding))
        self.pad = nn.ZeroPad2d((layer.padding, after[1], layer.padding, after[0]))
        self.kernels = nn.ModuleList(
            nn.Conv2d(input_shape[0], layer.channels, layer.kernel, self.stride * self.tiles, bias=layer.bias)
            for _ in range(self.tiles**2)
        )
        self.interleave = nn.PixelShuffle(self.tiles)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = self.pad(x_NCHW)
        tiles = [
            kernel(x_NCHW[:, :, place // self.tiles * self.stride :, place % self.tiles * self.stride :])
            for place, kernel in enumerate(self.kernels)
        ]
        height, width = self.size
        y_NCHW: Tensor = self.interleave(torch.stack(tiles, dim=2).flatten(1, 2))[:, :, :height, :width]
        return y_NCHW


@singledispatch
def module(layer: Layer, step: Step) -> nn.Module:
    """A layer's module, for the input at this step."""
    raise NotImplementedError(layer)


@module.register
def _(layer: Convolution, step: Step) -> nn.Module:
    return nn.Conv2d(
        step.input[0],
        layer.channels,
        layer.kernel,
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups,
        layer.bias,
    )


@module.register
def _(layer: TiledConvolution, step: Step) -> nn.Module:
    return _TiledConvolution(layer, step.input, step.output)


@module.register
def _(layer: TransposedConvolution, step: Step) -> nn.Module:
    return nn.ConvTranspose2d(
        step.input[0],
        layer.channels,
        layer.kernel,
        layer.stride,
        layer.padding,
        layer.output_padding,
        layer.groups,
        layer.bias,
        layer.dilation,
    )


@module.register
def _(layer: Pooling, step: Step) -> nn.Module:
    pool = nn.MaxPool2d if layer.mode == "max" else nn.AvgPool2d
    return pool(layer.kernel, layer.step, layer.padding)


@module.register
def _(layer: GlobalPooling, step: Step) -> nn.Module:
    return nn.AdaptiveMaxPool2d(1) if layer.mode == "max" else nn.AdaptiveAvgPool2d(1)


@module.register
def _(layer: BatchNorm, step: Step) -> nn.Module:
    return nn.BatchNorm2d(step.input[0]) if len(step.input) == 3 else nn.BatchNorm1d(step.input[0])


@module.register
def _(layer: GroupNorm, step: Step) -> nn.Module:
    return _GroupNorm(layer.groups, step.input[0])


@module.register
def _(layer: ActivationLayer, step: Step) -> nn.Module:
    return activation(layer.function)


@module.register
def _(layer: Dropout, step: Step) -> nn.Module:
    return nn.Dropout(layer.probability)


@module.register
def _(layer: Dense, step: Step) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(step.input), layer.units, bias=layer.bias))


@module.register
def _(layer: Addition, step: Step) -> nn.Module:
    return _Addition()


@module.register
def _(layer: Concatenation, step: Step) -> nn.Module:
    return _Concatenation()
