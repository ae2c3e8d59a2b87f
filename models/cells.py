"""One step of a recurrent cell by the weights of torch's own layer, whose many steps at once are used in training.

Shapes: N rows, E numbers in an input, H in a state, G gates.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from models.recurrence import Cell

Name = Literal["lstm", "gru", "rnn"]
LAYERS: dict[Name, type[Cell]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def carried(layer: Cell) -> int:
    """Numbers that go from step to step: the state, and the memory of an LSTM behind it."""
    return 2 * layer.hidden_size if isinstance(layer, nn.LSTM) else layer.hidden_size


def step(layer: Cell, x_NE: Tensor, carried_NS: Tensor) -> tuple[Tensor, Tensor]:
    """The state (N, H) after an input, and all that is carried on (N, S)."""
    hidden_dim, weights = layer.hidden_size, dict(layer.named_parameters())
    h_NH = carried_NS[:, :hidden_dim]
    given_NG = nn.functional.linear(x_NE, weights["weight_ih_l0"], weights["bias_ih_l0"])
    kept_NG = nn.functional.linear(h_NH, weights["weight_hh_l0"], weights["bias_hh_l0"])
    if isinstance(layer, nn.LSTM):
        i, f, g, o = (given_NG + kept_NG).chunk(4, dim=1)
        c_NH = f.sigmoid() * carried_NS[:, hidden_dim:] + i.sigmoid() * g.tanh()
        h_NH = o.sigmoid() * c_NH.tanh()
        return h_NH, torch.cat([h_NH, c_NH], dim=1)
    if isinstance(layer, nn.GRU):
        (r_x, z_x, n_x), (r_h, z_h, n_h) = given_NG.chunk(3, dim=1), kept_NG.chunk(3, dim=1)
        z = (z_x + z_h).sigmoid()
        n = (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
        h_NH = (1 - z) * n + z * h_NH
        return h_NH, h_NH
    h_NH = (given_NG + kept_NG).tanh()
    return h_NH, h_NH


def steps(layer: Cell, x_NLE: Tensor, carried_NS: Tensor) -> Tensor:
    """The states (N, L, H) after each of the inputs."""
    parts = tuple(part[None].contiguous() for part in carried_NS.chunk(carried_NS.shape[1] // layer.hidden_size, dim=1))
    states_NLH, _ = layer(x_NLE, parts if isinstance(layer, nn.LSTM) else parts[0])
    return states_NLH  # type: ignore[no-any-return]
