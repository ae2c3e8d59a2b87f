"""Recursive networks over binary trees (Socher et al. 2011, 2013; Tai et al. 2015): nodes are made of their children.

`rnn`:     h = tanh(W [h_l; h_r] + b)
`tensor`:  h_k = tanh([h_l; h_r]ᵀ V_k [h_l; h_r] + (W [h_l; h_r] + b)_k)
`lstm`:    i, f_l, f_r, o = sigmoid(W [h_l; h_r] + b), each with weights of its own; the memory of a node is
           c = i tanh(W_u [h_l; h_r] + b_u) + f_l c_l + f_r c_r, and its state h = o tanh(c)

A leaf's state is its word's embedding (`lstm`: its memory is made of that as of no children). All nodes of a batch that
are equally high are composed at once, level by level, in the exported graph too.
Shapes: N trees, T nodes of the largest, P pairs of children, H numbers in h, C in both children's, S in a state
(`lstm`: h and c, so 2 H), K outputs. A node is four numbers (see `shapes.tokens.Tokenizer.encode`): its word, its
children's places, its height.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from models.registry import ArchitectureConfig, Reference, Shape, TokenOptions, register, search
from models.torchscript import Looping
from models.transduction import Transducer, is_step, words_of
from shapes.tokens import PADDING

NO_LIMIT = 2**31
EMBEDDING_SCALE = 0.1
"""Standard deviation of the words' first embeddings: what is said of a rare word comes from its surroundings."""


class Plain(nn.Module):
    """(P, H) of the children's (P, H)."""

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.affine = nn.Linear(2 * hidden_dim, hidden_dim)

    def forward(self, left_PS: Tensor, right_PS: Tensor) -> Tensor:
        """The parents' states."""
        return torch.tanh(self.affine(torch.cat([left_PS, right_PS], dim=1)))


class Tensorial(nn.Module):
    """The same with a product of every two numbers of the children."""

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.affine = nn.Linear(2 * hidden_dim, hidden_dim)
        self.products = nn.Linear(2 * hidden_dim, 2 * hidden_dim * hidden_dim, bias=False)
        nn.init.uniform_(self.products.weight, -1 / (4 * hidden_dim), 1 / (4 * hidden_dim))

    def forward(self, left_PS: Tensor, right_PS: Tensor) -> Tensor:
        """The parents' states."""
        both = torch.cat([left_PS, right_PS], dim=1)
        products_PHC = self.products(both).view(-1, left_PS.shape[1], both.shape[1]) * both.unsqueeze(1)
        return torch.tanh(self.affine(both) + products_PHC.sum(dim=2))


class Memory(nn.Module):
    """State and memory (P, 2 H) of the children's."""

    def __init__(self, hidden_dim: int) -> None:
        super().__init__()
        self.gates = nn.Linear(2 * hidden_dim, 5 * hidden_dim)
        nn.init.ones_(self.gates.bias[hidden_dim : 3 * hidden_dim])  # so that at first little is forgotten

    def forward(self, left_PS: Tensor, right_PS: Tensor) -> Tensor:
        """The parents' states."""
        left_h, left_c = left_PS.chunk(2, dim=1)
        right_h, right_c = right_PS.chunk(2, dim=1)
        i, f_l, f_r, o, u = self.gates(torch.cat([left_h, right_h], dim=1)).chunk(5, dim=1)
        c = i.sigmoid() * u.tanh() + f_l.sigmoid() * left_c + f_r.sigmoid() * right_c
        return torch.cat([o.sigmoid() * c.tanh(), c], dim=1)


class Climb(Looping):
    """The states of all nodes, from the leaves up: level by level, as many as there are in a batch."""

    def __init__(self, composition: nn.Module) -> None:
        super().__init__()
        self.composition = composition

    def forward(self, states_BS: Tensor, left_B: Tensor, right_B: Tensor, height_B: Tensor) -> Tensor:
        """(B, S) of all B nodes; those of the leaves are given, and the places of the children among all."""
        for height in range(1, int(height_B.max()) + 1):
            at_P = (height_B == height).nonzero().squeeze(1)
            left_PS = states_BS.index_select(0, left_B.index_select(0, at_P))
            right_PS = states_BS.index_select(0, right_B.index_select(0, at_P))
            states_BS = torch.index_put(states_BS, [at_P], self.composition(left_PS, right_PS))
        return states_BS


class RecursiveConfig(ArchitectureConfig):
    """Hyperparameters."""

    composition: Literal["rnn", "tensor", "lstm"] = Field(
        "lstm",
        description="What makes a node of its children: an affine map, one with products, or one with a memory.",
        json_schema_extra=search(choices=["rnn", "tensor", "lstm"]),
    )
    vocabulary: int = Field(
        20_000,
        ge=1,
        le=200_000,
        description="The most frequent words of the training trees that are told apart; all others are one.",
        json_schema_extra=search(low=1_000, high=50_000, log=True),
    )
    hidden_dim: int = Field(
        64,
        ge=1,
        le=1024,
        description="Numbers that stand for a node, a word included.",
        json_schema_extra=search(low=16, high=128, log=True),
    )
    dropout: float = Field(
        0.0,
        ge=0.0,
        le=0.9,
        description="Share of the words' embeddings and of the nodes' states that is set to 0 in training.",
        json_schema_extra=search(low=0.0, high=0.5),
    )

    @property
    def tokens(self) -> TokenOptions:
        """The words of the leaves, however many."""
        return TokenOptions("words", self.vocabulary, NO_LIMIT)


@register(
    title="Recursive network",
    paper="Socher et al. 2013; Tai et al. 2015",
    unit="III",
    tasks=("classification",),
    modality=("tree",),
    references=(
        Reference(
            "RNTN 25, five classes (Socher et al. 2013)",
            {"composition": "tensor", "hidden_dim": 25},
            input=(100,),
            classes=5,
            parameters=100 * 25 + 50 * 50 * 25 + 51 * 25 + 26 * 5,
        ),
        Reference(
            "binary tree LSTM 16",
            {"composition": "lstm", "hidden_dim": 16},
            input=(30,),
            classes=3,
            parameters=30 * 16 + 17 * 3 * 16 + 33 * 5 * 16 + 17 * 3,
        ),
    ),
)
class Recursive(Transducer):
    """A linear map of the state of the root, or of every node."""

    Config = RecursiveConfig

    def __init__(self, config: RecursiveConfig, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        (num_tokens,), self.hidden_dim = input_shape, config.hidden_dim
        self.embedding = nn.Embedding(num_tokens, config.hidden_dim, padding_idx=PADDING)
        self.embedding.weight.data.mul_(EMBEDDING_SCALE)
        compositions = {"rnn": Plain, "tensor": Tensorial, "lstm": Memory}
        self.climb = Climb(compositions[config.composition](config.hidden_dim))
        self.leaf = nn.Linear(config.hidden_dim, 3 * config.hidden_dim) if config.composition == "lstm" else None
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden_dim, num_outputs)

    def forward(self, nodes_NT4: Tensor) -> Tensor:
        """Outputs (N, K) at the roots, which are the last nodes."""
        states_NTH = self._states(nodes_NT4)
        last_N = (is_step(nodes_NT4).long().sum(dim=1) - 1).clamp(min=0)
        root_NH = states_NTH.gather(1, last_N[:, None, None].expand(-1, -1, self.hidden_dim))[:, 0]
        y_NK: Tensor = self.output(self.dropout(root_NH))
        return y_NK

    def transduce(self, nodes_NT4: Tensor) -> Tensor:
        """Outputs (N, T, K) at all nodes."""
        y_NTK: Tensor = self.output(self.dropout(self._states(nodes_NT4)))
        return y_NTK

    def _states(self, nodes_NT4: Tensor) -> Tensor:
        """(N, T, H)."""
        nodes_NT4 = nodes_NT4.long()
        leaves_NTS = self._leaves(self.dropout(self.embedding(words_of(nodes_NT4))))
        # The place of a node among those of all trees; of a leaf, which has no children, that of some node.
        ones_NT = torch.ones_like(nodes_NT4[:, :, 0])
        first_NT = (ones_NT.cumsum(dim=0) - 1) * nodes_NT4.shape[1]
        left_NT, right_NT = (first_NT + (nodes_NT4[:, :, child] - 1).clamp(min=0) for child in (1, 2))
        places = left_NT.flatten(), right_NT.flatten(), nodes_NT4[:, :, 3].flatten()
        states_BS: Tensor = self.climb(leaves_NTS.flatten(0, 1), *places)
        return states_BS.view_as(leaves_NTS)[:, :, : self.hidden_dim]

    def _leaves(self, x_NTH: Tensor) -> Tensor:
        """(N, T, S)."""
        if self.leaf is None:
            return x_NTH
        i, o, u = self.leaf(x_NTH).chunk(3, dim=2)
        c_NTH = i.sigmoid() * u.tanh()
        return torch.cat([o.sigmoid() * c_NTH.tanh(), c_NTH], dim=2)
