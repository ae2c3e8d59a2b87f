"""Recurrent networks that read a text and answer at its end: what `rnn`, `lstm` and `gru` share.

A row of tokens is followed by 0 up to the longest of its batch, and what follows never changes an answer: the state is
read at the true last token, and the reverse direction begins there.
Shapes: N rows, T tokens, E numbers in an embedding, H in a state, K outputs.
"""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from models.registry import ArchitectureConfig, Shape, TokenOptions, search
from shapes.tokens import PADDING, Unit


class RecurrentConfig(ArchitectureConfig):
    """Hyperparameters of every recurrent network."""

    unit: Unit = Field(
        "characters",
        description="What a text is read by.",
        json_schema_extra=search(choices=["characters", "words"]),
    )
    vocabulary: int = Field(
        10_000,
        ge=1,
        le=200_000,
        description="The most frequent units of the training texts that are told apart; all others are one.",
        json_schema_extra=search(low=1_000, high=50_000, log=True),
    )
    max_length: int = Field(
        256,
        ge=1,
        le=10_000,
        description="Units of a text that are read; what comes behind them is not.",
        json_schema_extra=search(choices=[128, 256, 512]),
    )
    embedding_dim: int = Field(
        64,
        ge=1,
        le=4096,
        description="Numbers that stand for a unit.",
        json_schema_extra=search(low=16, high=256, log=True),
    )
    hidden_dim: int = Field(
        128,
        ge=1,
        le=4096,
        description="Numbers in a state, of each direction.",
        json_schema_extra=search(low=32, high=512, log=True),
    )
    num_layers: int = Field(
        1,
        ge=1,
        le=8,
        description="Layers, each of which reads the states of the one below.",
        json_schema_extra=search(low=1, high=3),
    )
    bidirectional: bool = Field(
        False,
        description="Read from the end as well, with weights of its own.",
        json_schema_extra=search(choices=[False, True]),
    )
    dropout: float = Field(
        0.0,
        ge=0.0,
        le=0.9,
        description="Share of the embeddings and of every layer's states that is set to 0 in training.",
        json_schema_extra=search(low=0.0, high=0.5),
    )
    layer_norm: bool = Field(
        False,
        description="Normalise every layer's states (Ba et al. 2016).",
        json_schema_extra=search(choices=[False, True]),
    )

    @property
    def tokens(self) -> TokenOptions:
        """How a text is made tokens."""
        return TokenOptions(self.unit, self.vocabulary, self.max_length)


class RecurrentNetwork(nn.Module):
    """Embeddings, layers of a recurrent cell, and a linear map of the last state."""

    cell: ClassVar[type[nn.RNN | nn.LSTM | nn.GRU]]

    def __init__(self, config: RecurrentConfig, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        (num_tokens,) = input_shape
        directions = 2 if config.bidirectional else 1
        self.embedding = nn.Embedding(num_tokens, config.embedding_dim, padding_idx=PADDING)
        self.layers = nn.ModuleList()
        width = config.embedding_dim
        for _ in range(config.num_layers):
            self.layers.append(_Layer(self.cell, width, config.hidden_dim, directions, normalise=config.layer_norm))
            width = directions * config.hidden_dim
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(width, num_outputs)

    def forward(self, tokens_NT: Tensor) -> Tensor:
        """Outputs (N, K)."""
        tokens_NT = tokens_NT.long()
        length_N = (tokens_NT != PADDING).long().sum(dim=1).clamp(min=1)
        x_NTE = self.embedding(tokens_NT)
        last_NH = x_NTE[:, 0]
        for layer in self.layers:
            x_NTE, last_NH = layer(self.dropout(x_NTE), length_N)
        y_NK: Tensor = self.output(self.dropout(last_NH))
        return y_NK


class _Layer(nn.Module):
    """One layer in one or both directions.

    The directions are networks of their own: exporters were seen to freeze the length of a bidirectional one.
    """

    def __init__(
        self, cell: type[nn.RNN | nn.LSTM | nn.GRU], width: int, hidden_dim: int, directions: int, *, normalise: bool
    ) -> None:
        super().__init__()
        self.directions = nn.ModuleList(cell(width, hidden_dim, batch_first=True) for _ in range(directions))
        self.norm = nn.LayerNorm(directions * hidden_dim) if normalise else nn.Identity()

    def forward(self, x_NTE: Tensor, length_N: Tensor) -> tuple[Tensor, Tensor]:
        """The states (N, T, H) at every token, and those (N, H) after the whole text."""
        place_NT = torch.ones_like(x_NTE[:, :, 0]).cumsum(dim=1).long() - 1
        end_N1 = length_N[:, None] - 1
        reversed_NT = torch.where(place_NT <= end_N1, end_N1 - place_NT, place_NT)
        states, lasts = [], []
        for number, direction in enumerate(self.directions):
            read_NTH, _ = direction(_picked(x_NTE, reversed_NT) if number else x_NTE)
            lasts.append(_picked(read_NTH, end_N1)[:, 0])
            states.append(_picked(read_NTH, reversed_NT) if number else read_NTH)
        return self.norm(torch.cat(states, dim=2)), self.norm(torch.cat(lasts, dim=1))


def _picked(x_NTH: Tensor, places_NS: Tensor) -> Tensor:
    """(N, S, H): of each row the vectors at its places."""
    return x_NTH.gather(1, places_NS[:, :, None].expand(-1, -1, x_NTH.shape[2]))
