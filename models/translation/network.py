"""What the task `translation` asks of a network: to encode what it reads, and to write token by token.

Shapes: N rows, T tokens read, L tokens written, K different tokens to write; the memory (N, T, H) and the state
(N, D, S) are the network's own.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from models.preprocess import TokenPreprocess
from models.transduction import is_step
from shapes.tokens import BEGIN


class Encoded(NamedTuple):
    """What a decoder begins with: its first state, a memory of each token, and which tokens are none but padding."""

    state: Tensor
    memory: Tensor
    is_token_NT: Tensor


class SequenceToSequence(nn.Module, ABC):
    """A network with an encoder and a decoder that goes step by step."""

    attends: bool
    """Whether a step looks at the memory."""
    num_written: int
    """K."""
    max_written: int
    """Tokens that an answer may have."""

    @abstractmethod
    def sample(self) -> Tensor:
        """Any preprocessed input of two rows of two steps."""

    @abstractmethod
    def encode(self, tokens_NT: Tensor) -> Encoded:
        """What is made of what is read."""

    @abstractmethod
    def step(self, previous_N: Tensor, state: Tensor, memory: Tensor, is_token_NT: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, K) of the token behind one, and the state to go on with."""

    @abstractmethod
    def forward(self, tokens_NT: Tensor, previous_NL: Tensor | None = None) -> Tensor:
        """Logits (N, L, K) of each token, told those before it; in training perhaps told what it wrote itself.

        Without `previous_NL` those of the first.
        """


def has_step(inputs: Tensor) -> Tensor:
    """(N, T), where there is no padding; of a row without any step the first counts as one."""
    is_step_NT = is_step(inputs)
    return is_step_NT | (torch.ones_like(is_step_NT, dtype=torch.int64).cumsum(dim=1) == 1)


def shifted(targets_NL: Tensor) -> Tensor:
    """The tokens before each of these: the mark of the beginning first. What follows a row's end is any token."""
    previous_NL = targets_NL.clamp(min=0).roll(1, dims=1)
    previous_NL[:, 0] = BEGIN
    return previous_NL


def beginnings(inputs: Tensor) -> Tensor:
    """The mark of the beginning (N,) for each row."""
    return torch.full((len(inputs),), BEGIN, device=inputs.device)


def parts_of(network: nn.Module) -> tuple[TokenPreprocess, SequenceToSequence]:
    """A network's preprocessing, and what is behind it."""
    preprocess, translator = cast(nn.Sequential, network)
    return cast(TokenPreprocess, preprocess), cast(SequenceToSequence, translator)
