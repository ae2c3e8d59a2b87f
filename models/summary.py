"""What a network is made of: its layers with output shapes, parameters and multiply-adds."""

from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.hooks import watched
from models.registry import Shape


class Layer(NamedTuple):
    """One layer as it ran on a single input."""

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    multiply_adds: int


def layers(network: nn.Module, input_shape: Shape) -> list[Layer]:
    """The network's innermost layers, in the order in which they run on one input, of one step where its length varies.

    A network on the device `meta` has shapes and no values, and takes no time, whatever its size.
    """
    rows: list[Layer] = []

    def note(name: str, module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor | tuple[Tensor, ...]) -> None:
        output = outputs if isinstance(outputs, Tensor) else outputs[0]  # behind it, a recurrent layer gives its state
        parameters = sum(parameter.numel() for parameter in module.parameters())
        multiply_adds = _multiply_adds(module, inputs[0].shape[1:], output.shape[1:])
        rows.append(Layer(name, type(module).__name__, tuple(output.shape[1:]), parameters, multiply_adds))

    innermost = [(name, module) for name, module in network.named_modules() if not list(module.children())]
    device = next((parameter.device for parameter in network.parameters()), None)
    with torch.inference_mode(), watched(innermost, note):
        network.eval()(torch.zeros(1, *(size or 1 for size in input_shape), device=device))
    return rows


def written(network: nn.Module, input_shape: Shape) -> str:
    """The layers as a table, with totals."""
    rows = layers(network, input_shape)
    total = sum(parameter.numel() for parameter in network.parameters())
    table = [("layer", "kind", "output", "parameters", "multiply-adds")]
    table += [
        (row.name, row.kind, "×".join(map(str, row.output_shape)), f"{row.parameters:,}", f"{row.multiply_adds:,}")
        for row in rows
    ]
    table.append(("total", "", "", f"{total:,}", f"{sum(row.multiply_adds for row in rows):,}"))
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place >= 3 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    )


def _multiply_adds(module: nn.Module, input_shape: Shape, output_shape: Shape) -> int:
    """Products that are summed into the outputs of a convolution, linear or recurrent layer; 0 for any other.

    A transposed convolution is counted from its inputs, each of which reaches a whole kernel of outputs; some
    of those fall outside where it pads.
    """
    if isinstance(module, nn.Conv2d):
        return prod(output_shape) * module.in_channels // module.groups * prod(module.kernel_size)
    if isinstance(module, nn.ConvTranspose2d):
        return prod(input_shape) * module.out_channels // module.groups * prod(module.kernel_size)
    if isinstance(module, nn.RNNBase):
        return prod(output_shape[:-1]) * sum(weight.numel() for weight in module.parameters() if weight.dim() > 1)
    if isinstance(module, nn.Linear):
        return prod(output_shape) * module.in_features
    return 0
