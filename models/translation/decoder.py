"""The decoder: writes a sequence token by token, from what an encoder has made of another.

Its cells read the token before; their last state and, with attention, its context are one layer's input, whose output
the logits are a linear map of (Luong et al. 2015, without feeding it to the next step, so that in training all steps
of a row can be computed at once).
Shapes: N rows, T tokens read, L tokens written, E numbers in an embedding, H in a state, S carried from step to step by
a layer, D layers, K different tokens.
"""

import torch
from torch import Tensor, nn

from models.cells import LAYERS, Name, carried, step, steps
from models.translation.attention import Score, attention


class Decoder(nn.Module):
    """Embeddings, layers of a recurrent cell, attention, and the logits of the next token."""

    def __init__(
        self,
        cell: Name,
        score: Score,
        num_tokens: int,
        *,
        embedding_dim: int,
        hidden_dim: int,
        num_layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_tokens, embedding_dim)
        self.layers = nn.ModuleList()
        width = embedding_dim
        for _ in range(num_layers):
            self.layers.append(LAYERS[cell](width, hidden_dim, batch_first=True))
            width = hidden_dim
        self.carried = carried(self.layers[0])  # type: ignore[arg-type]
        self.attention = attention(score, hidden_dim)
        self.joined = nn.Identity() if self.attention is None else nn.Linear(2 * hidden_dim, hidden_dim)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden_dim, num_tokens)

    def forward(self, previous_NL: Tensor, state_NDS: Tensor, memory_NTH: Tensor, is_token_NT: Tensor) -> Tensor:
        """Logits (N, L, K) of each token, told the ones before it."""
        x_NLE = self.embedding(previous_NL)
        for depth, layer in enumerate(self.layers):
            x_NLE = steps(layer, self.dropout(x_NLE), state_NDS[:, depth])  # type: ignore[arg-type]
        return self._logits(x_NLE, memory_NTH, is_token_NT)

    def step(
        self, previous_N: Tensor, state_NDS: Tensor, memory_NTH: Tensor, is_token_NT: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits (N, K) of the token behind one, and the state (N, D, S) to go on with."""
        x_NE, carried_on = self.embedding(previous_N), []
        for depth, layer in enumerate(self.layers):
            x_NE, carried_NS = step(layer, self.dropout(x_NE), state_NDS[:, depth])  # type: ignore[arg-type]
            carried_on.append(carried_NS)
        logits_N1K = self._logits(x_NE[:, None], memory_NTH, is_token_NT)
        return logits_N1K[:, 0], torch.stack(carried_on, dim=1)

    def sampled(
        self, previous_NL: Tensor, state_NDS: Tensor, memory_NTH: Tensor, is_token_NT: Tensor, share: float
    ) -> Tensor:
        """Logits as `forward`'s, but told the right token with the probability `share`, else what it would have
        written itself (scheduled sampling, Bengio et al. 2015)."""
        is_told_NL = torch.rand(previous_NL.shape, device=previous_NL.device) < share
        is_told_NL[:, 0] = True
        written_N, logits = previous_NL[:, 0], []
        for place in range(previous_NL.shape[1]):
            given_N = torch.where(is_told_NL[:, place], previous_NL[:, place], written_N)
            logits_NK, state_NDS = self.step(given_N, state_NDS, memory_NTH, is_token_NT)
            logits.append(logits_NK)
            written_N = logits_NK.detach().argmax(dim=1)
        return torch.stack(logits, dim=1)

    def _logits(self, state_NLH: Tensor, memory_NTH: Tensor, is_token_NT: Tensor) -> Tensor:
        if self.attention is not None:
            context_NLH = self.attention(state_NLH, memory_NTH, is_token_NT)
            state_NLH = self.joined(torch.cat([state_NLH, context_NLH], dim=2)).tanh()
        logits_NLK: Tensor = self.output(self.dropout(state_NLH))
        return logits_NLK
