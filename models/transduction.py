"""Networks that answer at each step of a row, beside or instead of once at its end: the transducers of tagging.

Shapes: N rows, T steps (tokens of a text), S characters of a token, E numbers in a step of a series, K outputs.
"""

from abc import abstractmethod
from typing import cast

from torch import Tensor, nn

from shapes.tokens import PADDING


class Transducer(nn.Module):
    """A network whose rows are of steps."""

    @abstractmethod
    def transduce(self, inputs: Tensor) -> Tensor:
        """Outputs (N, T, K) of preprocessed inputs (see `is_step`); padding has any outputs, and changes none."""


def transducer_of(network: nn.Module) -> tuple[nn.Module, Transducer]:
    """The preprocessing of a network, and what stands behind it."""
    preprocess, transducer = cast(nn.Sequential, network)
    return preprocess, cast(Transducer, transducer)


def words_of(tokens: Tensor) -> Tensor:
    """(N, T), the numbers of the tokens themselves, which those of their characters may follow (N, T, 1 + S).

    Of the nodes of trees (N, T, 4), the numbers of the leaves' words.
    """
    return tokens if tokens.ndim == 2 else tokens[:, :, 0]


def is_step(inputs: Tensor) -> Tensor:
    """(N, T), what is no padding: of (N, T) or (N, T, ...) a token or node, of series (N, T, E) what is not all NaN."""
    if inputs.ndim == 2:
        return inputs != PADDING
    return (~inputs.isnan() if inputs.is_floating_point() else inputs != PADDING).any(dim=2)
