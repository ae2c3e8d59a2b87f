"""What a model version's ONNX files are made of: a module, and what it takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Described = dict[str, Any]
"""A tensor's `name`, `dtype` and `shape`, the axis of the batch left out; of a table's rows also `columns`."""


@dataclass(frozen=True)
class Graph:
    """A module on the CPU, to be exported: tensors (N, ...) in, tensors (N, ...) out, in these orders."""

    module: nn.Module
    inputs: list[Described]
    outputs: list[Described]
    examples: tuple[Tensor, ...]
    """At least one row of each input, as they come when it is used."""
    tolerance: dict[str, float]
    """By output the largest difference from torch's that counts as agreement."""
    following: Callable[[tuple[Tensor, ...], tuple[Tensor, ...]], tuple[Tensor, ...]] | None = None
    """From inputs and the graph's answers to torch's, where a choice between near equals decides what comes after it:
    then torch goes on from what the graph has chosen."""

    def expected(self, inputs: tuple[Tensor, ...], answered: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What torch answers."""
        if self.following is not None:
            return self.following(inputs, answered)
        outputs = self.module(*inputs)
        return outputs if isinstance(outputs, tuple) else (outputs,)

    @property
    def described(self) -> dict[str, list[Described]]:
        """What a version's record says of it."""
        return {"inputs": self.inputs, "outputs": self.outputs}


def on_cpu(network: nn.Module) -> nn.Module:
    """The network for evaluation, on the CPU and in the memory format of exported graphs."""
    return network.to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload, no-any-return]


def served(network: nn.Module, postprocess: nn.Module) -> nn.Module:
    """What is exported of a network with one output: preprocessing included, and the task's end."""
    return on_cpu(nn.Sequential(network, postprocess))
