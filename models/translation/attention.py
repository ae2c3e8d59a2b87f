"""Attention: of what the encoder has read, the mean by how well each token fits the decoder's state.

Shapes: N rows, T tokens read, L tokens written, H numbers in a state and in a token's memory.
"""

from abc import ABC, abstractmethod
from math import sqrt
from typing import Literal

from torch import Tensor, nn

Score = Literal["none", "additive", "dot"]


class Attention(nn.Module, ABC):
    """Weights by the softmax of a score over the tokens, padding left out."""

    def forward(self, state_NLH: Tensor, memory_NTH: Tensor, is_token_NT: Tensor) -> Tensor:
        """The context (N, L, H) of each state."""
        score_NLT = self.score(state_NLH, memory_NTH).masked_fill(~is_token_NT[:, None], float("-inf"))
        return score_NLT.softmax(dim=2) @ memory_NTH

    @abstractmethod
    def score(self, state_NLH: Tensor, memory_NTH: Tensor) -> Tensor:
        """How well each token fits each state (N, L, T)."""


class Additive(Attention):
    """vᵀ tanh(W s + m) (Bahdanau et al. 2015): a layer of its own compares the two."""

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.query = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.value = nn.Linear(hidden_dim, 1, bias=False)

    def score(self, state_NLH: Tensor, memory_NTH: Tensor) -> Tensor:
        """The layer's output."""
        compared_NLTH = (self.query(state_NLH)[:, :, None] + memory_NTH[:, None]).tanh()
        score_NLT: Tensor = self.value(compared_NLTH).squeeze(3)
        return score_NLT


class Dot(Attention):
    """sᵀ m / √H (Luong et al. 2015; divided by √H, Vaswani et al. 2017, so that weights do not harden early)."""

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.scale = 1 / sqrt(hidden_dim)

    def score(self, state_NLH: Tensor, memory_NTH: Tensor) -> Tensor:
        """The product."""
        return state_NLH @ memory_NTH.transpose(1, 2) * self.scale


def attention(score: Score, hidden_dim: int) -> Attention | None:
    """The attention of this score, if any."""
    if score == "none":
        return None
    return Additive(hidden_dim) if score == "additive" else Dot(hidden_dim)
