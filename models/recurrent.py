"""Recurrent networks that read a text or a series and answer at its end or at each step.

It is what `rnn`, `lstm` and `gru` share. A row of tokens is followed by 0 up to the longest of its batch, a series by
steps of nothing but NaN, and what follows never changes an answer: the state is read at the true last step, and the
reverse direction begins there.
Shapes: N rows, T steps (tokens of a text), S characters of a token, E numbers that stand for a step, H in a state, K
outputs.
"""

from typing import ClassVar, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from models.errors import JobError
from models.forecasting import Forecasts
from models.recurrence import Cell, states
from models.registry import ArchitectureConfig, Shape, TokenOptions, search
from models.transduction import Transducer, is_step, words_of
from shapes.tokens import PADDING, Unit


class ReaderConfig(ArchitectureConfig):
    """Hyperparameters of every recurrent reader."""

    unit: Unit = Field(
        "characters",
        description="What a text is read by. Words that are tagged are read as they are given.",
        json_schema_extra=search(choices=["characters", "words"], about="whole texts"),
    )
    vocabulary: int = Field(
        10_000,
        ge=1,
        le=200_000,
        description="The most frequent units of the training texts that are told apart; all others are one.",
        json_schema_extra=search(low=1_000, high=50_000, log=True, about="texts"),
    )
    max_length: int = Field(
        256,
        ge=1,
        le=10_000,
        description="Units of a text that are read; what comes behind them is not.",
        json_schema_extra=search(choices=[128, 256, 512], about="texts"),
    )
    spelling: int = Field(
        0,
        ge=0,
        le=64,
        description="Characters of each unit that are read as well, by a convolution over them (Ma and Hovy 2016); 0 "
        "for none.",
        json_schema_extra={"requires": {"whole": True}} | search(choices=[0, 16], about="texts"),
    )
    embedding_dim: int = Field(
        64,
        ge=1,
        le=4096,
        description="Numbers that stand for a unit, and as many for what its characters say.",
        json_schema_extra=search(low=16, high=256, log=True, about="texts"),
    )
    embedding_scale: float = Field(
        1.0,
        gt=0.0,
        le=10.0,
        description="Standard deviation of these numbers at first: the less it is, the less rare units say by chance.",
        json_schema_extra=search(low=0.05, high=1.0, log=True, about="texts"),
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
    skip: int = Field(
        1,
        ge=1,
        le=64,
        description="Layer i, counted from 0, takes its state from skip^i steps before (Chang et al. 2017).",
        json_schema_extra=search(choices=[1, 2, 4]),
    )
    leak: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        description="Share of a state that is new at every step; the rest is the state before (Jaeger et al. 2007).",
        json_schema_extra=search(low=0.1, high=1.0),
    )
    bidirectional: bool = Field(
        False,
        description="Read from the end as well, with weights of its own.",
        json_schema_extra={"requires": {"whole": True}} | search(choices=[False, True]),
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
        return TokenOptions(self.unit, self.vocabulary, self.max_length, self.spelling)


class RecurrentConfig(ReaderConfig, Forecasts):
    """Hyperparameters of every recurrent network that answers by itself."""

    conditional: bool | None = Field(
        None,
        description="Of texts to be written: whether the class is told first, and so can be asked for; null: where "
        "there are classes.",
        json_schema_extra={"requires": {"classes": True}} | search(choices=[None], about="texts"),
    )


class Reader(nn.Module):
    """Embeddings of tokens, or the steps of a series, and layers of a recurrent cell."""

    def __init__(self, cell: type[Cell], config: ReaderConfig, input_shape: Shape) -> None:
        super().__init__()
        self.embedding = None
        self.spelling = None
        width = input_shape[-1]
        if len(input_shape) == 1:
            self.embedding = nn.Embedding(width, config.embedding_dim, padding_idx=PADDING)
            self.embedding.weight.data.mul_(config.embedding_scale)
            self.spelling = Spelling(config.embedding_dim) if config.spelling else None
            width = config.embedding_dim * (2 if config.spelling else 1)
        self.layers = nn.ModuleList()
        for number in range(config.num_layers):
            layer = Layer(cell, width, config, skip=config.skip**number)
            self.layers.append(layer)
            width = len(layer.directions) * config.hidden_dim
        self.width = width
        """Numbers in the uppermost states."""
        self.dropout = nn.Dropout(config.dropout)

    def read(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The uppermost states (N, T, H), and those (N, H) after the whole row.

        Inputs are tokens (N, T) or (N, T, 1 + S), or series (N, T, E).
        """
        x_NTE, length_N = self.steps(inputs)
        last_NH = x_NTE[:, 0]
        for layer in self.layers:
            x_NTE, last_NH = layer(self.dropout(x_NTE), length_N)
        return x_NTE, last_NH

    @property
    def recurrent_layers(self) -> "list[Layer]":
        """From the lowest to the highest."""
        return cast(list[Layer], list(self.layers))

    def embedded(self, tokens: Tensor) -> Tensor:
        """The numbers (..., E) that stand for tokens."""
        x: Tensor = cast(nn.Embedding, self.embedding)(tokens.long())
        return x

    def steps(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The steps (N, T, E) of tokens or series, what is missing being 0, and each row's number (N,), at least 1."""
        length_N = _lengths(is_step(inputs))
        if self.embedding is None:
            return torch.where(inputs.isnan(), torch.zeros_like(inputs), inputs), length_N
        x_NTE = self.embedded(words_of(inputs))
        if self.spelling is not None:
            x_NTE = torch.cat([x_NTE, self.spelling(self.embedding(inputs[:, :, 1:].long()))], dim=2)
        return x_NTE, length_N


class RecurrentNetwork(Reader, Transducer):
    """A reader, and a linear map of states."""

    cell: ClassVar[type[Cell]]

    def __init__(self, config: RecurrentConfig, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(self.cell, config, input_shape)
        self.output = nn.Linear(self.width, num_outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs (N, K) after the last step."""
        _, last_NH = self.read(inputs)
        y_NK: Tensor = self.output(self.dropout(last_NH))
        return y_NK

    def transduce(self, inputs: Tensor) -> Tensor:
        """Outputs (N, T, K) at each step."""
        x_NTH, _ = self.read(inputs)
        y_NTK: Tensor = self.output(self.dropout(x_NTH))
        return y_NTK


class Spelling(nn.Module):
    """What the characters of a token say together: a convolution over them, and of each of its E numbers the largest.

    Source: Ma and Hovy 2016, End-to-end sequence labeling via bi-directional LSTM-CNNs-CRF; without the last.
    """

    def __init__(self, embedding_dim: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(embedding_dim, embedding_dim, kernel_size=3, padding=1)

    def forward(self, x_NTSE: Tensor) -> Tensor:
        """(N, T, E)."""
        maps_BES = self.convolution(x_NTSE.flatten(0, 1).transpose(1, 2)).relu()
        y_NTE: Tensor = maps_BES.amax(dim=2).view(x_NTSE.shape[0], x_NTSE.shape[1], -1)
        return y_NTE


class Layer(nn.Module):
    """One layer in one or both directions.

    The directions are networks of their own: exporters were seen to freeze the length of a bidirectional one.
    """

    def __init__(self, cell: type[Cell], width: int, config: ReaderConfig, *, skip: int) -> None:
        super().__init__()
        directions = 2 if config.bidirectional else 1
        self.leak, self.skip = config.leak, skip
        self.cut: int | None = None
        """After how many steps gradients end, in training."""
        self.directions = nn.ModuleList(cell(width, config.hidden_dim, batch_first=True) for _ in range(directions))
        self.norm = nn.LayerNorm(directions * config.hidden_dim) if config.layer_norm else nn.Identity()

    @property
    def forwards(self) -> Cell:
        """The cell that reads from the beginning."""
        return cast(Cell, self.directions[0])

    def forward(self, x_NTE: Tensor, length_N: Tensor) -> tuple[Tensor, Tensor]:
        """The states (N, T, H) at every step, and those (N, H) after the last."""
        place_NT = torch.ones_like(x_NTE[:, :, 0]).cumsum(dim=1).long() - 1
        end_N1 = length_N[:, None] - 1
        reversed_NT = torch.where(place_NT <= end_N1, end_N1 - place_NT, place_NT)
        cut = self.cut if self.training else None
        read, lasts = [], []
        for number, direction in enumerate(self.directions):
            each_NTE = _picked(x_NTE, reversed_NT) if number else x_NTE
            each_NTH = states(cast(Cell, direction), each_NTE, leak=self.leak, skip=self.skip, cut=cut)
            lasts.append(_picked(each_NTH, end_N1)[:, 0])
            read.append(_picked(each_NTH, reversed_NT) if number else each_NTH)
        return self.norm(torch.cat(read, dim=2)), self.norm(torch.cat(lasts, dim=1))


def truncate(network: nn.Module, steps: int) -> None:
    """Have gradients of the recurrent layers end at every so-manieth step, in training (Williams and Peng 1990).

    Raises:
        JobError: `unsuitable_truncation`, there are no such layers, or they are leaky.
    """
    layers = [module for module in network.modules() if isinstance(module, Layer)]
    if not layers:
        raise JobError("unsuitable_truncation", "`training.truncate_steps` is for recurrent networks; leave it out.")
    if any(layer.leak < 1 for layer in layers):
        msg = "`training.truncate_steps` is not for leaky networks: leave it out, or `hyperparameters.leak`."
        raise JobError("unsuitable_truncation", msg)
    for layer in layers:
        layer.cut = steps


def _lengths(known_NT: Tensor) -> Tensor:
    """(N,): up to the last place that is known, at least 1."""
    known_NT = known_NT.long()
    return (known_NT * torch.ones_like(known_NT).cumsum(dim=1)).amax(dim=1).clamp(min=1)


def _picked(x_NTH: Tensor, places_NS: Tensor) -> Tensor:
    """(N, S, H): of each row the vectors at its places."""
    return x_NTH.gather(1, places_NS[:, :, None].expand(-1, -1, x_NTH.shape[2]))
