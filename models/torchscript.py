"""Loops for exported graphs: tracing a module unrolls its loops, scripting keeps them.

Torch has declared both deprecated, without another way to a graph that loops as often as its inputs need.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class Looping(nn.Module):
    """A module whose loop goes on for as long as its inputs say: for exported graphs it is scripted."""


def scripted(loop: Any) -> Any:
    """A module or a function, compiled as it is written."""
    with _undisturbed():
        return torch.jit.script(loop)


def traced(module: nn.Module, examples: tuple[Tensor, ...]) -> nn.Module:
    """A module as the operators that run on these examples, with whatever was scripted in it as it is."""
    with _undisturbed(), torch.inference_mode():
        found: nn.Module = torch.jit.trace(module, examples, check_trace=False)  # type: ignore[no-untyped-call]
        return found


@contextmanager
def _undisturbed() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.* (is|are) deprecated", DeprecationWarning)
        # Of recurrent layers, which check the width of what they get, and make their first state for any batch.
        warnings.filterwarnings("ignore", module="torch.nn.modules.rnn")
        yield
