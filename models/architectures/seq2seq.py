"""Sequence to sequence: an encoder reads, a decoder writes (Sutskever et al. 2014; Cho et al. 2014).

Without attention all that is read has to go through one state. With it the decoder looks at the state of every token
that was read, each time it writes one (Bahdanau et al. 2015; Luong et al. 2015).
Shapes: N rows, T tokens read, L tokens written, H numbers in a state, D layers, S numbers carried by a layer.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from models.cells import LAYERS, Name
from models.recurrent import Reader, ReaderConfig
from models.registry import Reference, Shape, TokenOptions, register, search
from models.translation.attention import Score
from models.translation.decoder import Decoder
from models.translation.forcing import Forcing, share
from models.translation.network import Encoded, SequenceToSequence, beginnings, has_step
from shapes.tokens import UNKNOWN


@register(
    title="Sequence to sequence",
    paper="Sutskever et al. 2014; Bahdanau et al. 2015",
    unit="III",
    tasks=("translation",),
    modality=("text",),
    references=(
        Reference(
            "GRU 8-16 without attention",
            {"cell": "gru", "attention": "none", "embedding_dim": 8, "hidden_dim": 16, "bidirectional": False},
            input=(30,),
            classes=20,
            parameters=(30 + 20) * 8 + 2 * 3 * (8 + 16 + 2) * 16 + (16 + 1) * 16 + (16 + 1) * 20,
        ),
        Reference(
            "BiLSTM 8-16 with additive attention",
            {"cell": "lstm", "attention": "additive", "embedding_dim": 8, "hidden_dim": 16},
            input=(30,),
            classes=20,
            parameters=(30 + 20) * 8
            + 3 * 4 * (8 + 16 + 2) * 16  # two directions and the decoder
            + (32 + 1) * 32  # from the last states to the first
            + 32 * 16  # from the encoder's states to the memory
            + 16 * 16
            + 16  # the score
            + (32 + 1) * 16
            + (16 + 1) * 20,
        ),
    ),
)
class Seq2Seq(Reader, SequenceToSequence):
    """A recurrent encoder and a recurrent decoder."""

    class Config(ReaderConfig):
        """Hyperparameters. `unit` and `vocabulary` are those of either side."""

        cell: Name = Field(
            "gru",
            description="The recurrent cell of the encoder and of the decoder.",
            json_schema_extra=search(choices=["lstm", "gru"]),
        )
        attention: Score = Field(
            "dot",
            description="How the decoder finds what to look at; `none`: it has nothing but the encoder's last state.",
            json_schema_extra=search(choices=["additive", "dot"]),
        )
        bidirectional: bool = Field(
            True,
            description="Read from the end as well, with weights of its own.",
            json_schema_extra=search(choices=[False, True]),
        )
        max_written: int = Field(
            256,
            ge=1,
            le=2_000,
            description="Units that an answer may have; no training target may have more.",
            json_schema_extra=search(choices=[256]),
        )
        teacher_forcing: Forcing = Field(
            "constant",
            description="How the share of right tokens falls that the decoder is told in training; the others are its "
            "own answers.",
            json_schema_extra=search(choices=["constant", "inverse_sigmoid"]),
        )
        teacher_forcing_least: float = Field(
            1.0,
            ge=0.0,
            le=1.0,
            description="The least share of right tokens; where it is constant, the share.",
            json_schema_extra=search(low=0.5, high=1.0),
        )
        teacher_forcing_half: int = Field(
            1_000,
            ge=1,
            le=1_000_000,
            description="The batch at which the share is half-way between 1 and its least.",
            json_schema_extra=search(low=100, high=10_000, log=True),
        )

        @property
        def written(self) -> TokenOptions:
            """How a target is made tokens."""
            return TokenOptions(self.unit, self.vocabulary, self.max_written)

    batches: Tensor
    """Batches trained on, (): a buffer, so that a resumed run goes on with the schedule."""

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(LAYERS[config.cell], config, input_shape)
        hidden_dim = config.hidden_dim
        self.config = config
        self.attends = config.attention != "none"
        self.num_written, self.max_written = num_outputs, config.max_written
        self.decoder = Decoder(
            config.cell,
            config.attention,
            num_outputs,
            embedding_dim=config.embedding_dim,
            hidden_dim=hidden_dim,
            num_layers=config.num_layers,
            dropout=config.dropout,
        )
        self.first = nn.Linear(self.width, config.num_layers * self.decoder.carried)
        self.memory = nn.Linear(self.width, hidden_dim, bias=False) if self.attends else nn.Identity()
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def sample(self) -> Tensor:
        """Tokens that are not known."""
        shape = (2, 2) if self.spelling is None else (2, 2, 1 + self.config.spelling)
        return torch.full(shape, UNKNOWN, device=self.batches.device)

    def encode(self, tokens_NT: Tensor) -> Encoded:
        """The decoder's first state is made of the states after the whole row, its memory of those at every token."""
        states_NTH, last_NH = self.read(tokens_NT)
        first_NDS = self.first(last_NH).tanh().unflatten(1, (self.config.num_layers, self.decoder.carried))
        return Encoded(first_NDS, self.memory(states_NTH), has_step(tokens_NT))

    def step(
        self, previous_N: Tensor, state_NDS: Tensor, memory_NTH: Tensor, is_token_NT: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The decoder's."""
        return self.decoder.step(previous_N, state_NDS, memory_NTH, is_token_NT)

    def forward(self, tokens_NT: Tensor, previous_NL: Tensor | None = None) -> Tensor:
        """See `SequenceToSequence`; how often it is told the right token in training is the schedule's affair."""
        encoded = self.encode(tokens_NT)
        previous_NL = beginnings(tokens_NT)[:, None] if previous_NL is None else previous_NL
        told = self._share() if self.training else 1.0
        if told == 1:
            return self.decoder(previous_NL, *encoded)  # type: ignore[no-any-return]
        return self.decoder.sampled(previous_NL, *encoded, told)

    def _share(self) -> float:
        config = self.config
        told = share(
            config.teacher_forcing,
            int(self.batches),
            least=config.teacher_forcing_least,
            half=config.teacher_forcing_half,
        )
        self.batches += 1
        return told
