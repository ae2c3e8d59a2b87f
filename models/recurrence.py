"""What a recurrent layer makes of a sequence: torch's own cells, with leaks and with skips over time.

    ordinary        h_t = f(x_t, h_{t-1})
    leaky           h_t = (1 - a) h_{t-1} + a f(x_t, h_{t-1})       a is the `leak` (Jaeger et al. 2007)
    with a skip     h_t = f(x_t, h_{t-k})                           (Chang et al. 2017, Dilated recurrent networks)

A leaky layer is a loop in Python's words, which the exporter writes as one of ONNX's; the others are single operators.
Shapes: N rows, T steps, E numbers that come in, H in a state, G in all gates' inputs.
"""

from collections.abc import Callable
from functools import cache
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from models.torchscript import scripted

Cell = nn.RNN | nn.LSTM | nn.GRU
_scripted = cache(scripted)
"""Compiled at the first use, for the exporter of `models.export`."""


def states(cell: Cell, x_NTE: Tensor, *, leak: float = 1.0, skip: int = 1, cut: int | None = None) -> Tensor:
    """The states (N, T, H) of a cell of one layer and direction, whose first one comes from zeros.

    With `cut` gradients end at every so-manieth step, beyond which the state alone is carried on; not of leaky cells.
    """
    if skip > 1:
        cut = None if cut is None else ceil(cut / skip)
        return _together(states(cell, _apart(x_NTE, skip), leak=leak, cut=cut), skip, x_NTE.shape[1])
    if leak < 1:
        return _leaky(cell, x_NTE, leak)
    if cut is not None:
        return _cut(cell, x_NTE, cut)
    read_NTH: Tensor = cell(x_NTE)[0]
    return read_NTH


def _apart(x_NTE: Tensor, skip: int) -> Tensor:
    """(N · skip, ⌈T / skip⌉, E): of each row its every `skip`-th steps, filled up with zeros."""
    blocks = (x_NTE.shape[1] + skip - 1) // skip
    filled = torch.cat([x_NTE, torch.zeros_like(x_NTE[:, :1]).expand(-1, skip - 1, -1)], dim=1)[:, : blocks * skip]
    return filled.reshape(-1, blocks, skip, x_NTE.shape[2]).transpose(1, 2).flatten(0, 1)


def _together(apart: Tensor, skip: int, steps: int) -> Tensor:
    """(N, T, H) out of (N · skip, ⌈T / skip⌉, H)."""
    blocks, width = apart.shape[1:]
    return apart.reshape(-1, skip, blocks, width).transpose(1, 2).flatten(1, 2)[:, :steps]


def _cut(cell: Cell, x_NTE: Tensor, steps: int) -> Tensor:
    read, state = [], None
    for part in torch.split(x_NTE, steps, dim=1):
        each, state = cell(part, state)
        state = tuple(tensor.detach() for tensor in state) if isinstance(state, tuple) else state.detach()
        read.append(each)
    return torch.cat(read, dim=1)


def _leaky(cell: Cell, x_NTE: Tensor, leak: float) -> Tensor:
    weights = {name.removesuffix("_l0"): weight for name, weight in cell.named_parameters()}
    inputs_NTG = linear(x_NTE, weights["weight_ih"], weights["bias_ih"])
    loop = _scripted(_LOOPS[type(cell)])
    read_TNH: Tensor = loop(inputs_NTG.transpose(0, 1), weights["weight_hh"], weights["bias_hh"], leak)
    return read_TNH.transpose(0, 1)


def _leaky_rnn(inputs_TNG: Tensor, weight: Tensor, bias: Tensor, leak: float) -> Tensor:
    state = torch.zeros_like(inputs_TNG[0])
    read: list[Tensor] = []
    for step in range(inputs_TNG.size(0)):
        new = torch.tanh(inputs_TNG[step] + linear(state, weight, bias))
        state = (1.0 - leak) * state + leak * new
        read.append(state)
    return torch.stack(read)


def _leaky_gru(inputs_TNG: Tensor, weight: Tensor, bias: Tensor, leak: float) -> Tensor:
    state = torch.zeros_like(inputs_TNG[0].chunk(3, dim=1)[0])
    read: list[Tensor] = []
    for step in range(inputs_TNG.size(0)):
        reset, update, candidate = inputs_TNG[step].chunk(3, dim=1)
        state_reset, state_update, state_candidate = linear(state, weight, bias).chunk(3, dim=1)
        keep = torch.sigmoid(update + state_update)
        new = torch.tanh(candidate + torch.sigmoid(reset + state_reset) * state_candidate)
        state = (1.0 - leak) * state + leak * ((1.0 - keep) * new + keep * state)
        read.append(state)
    return torch.stack(read)


def _leaky_lstm(inputs_TNG: Tensor, weight: Tensor, bias: Tensor, leak: float) -> Tensor:
    state = torch.zeros_like(inputs_TNG[0].chunk(4, dim=1)[0])
    memory = torch.zeros_like(state)
    read: list[Tensor] = []
    for step in range(inputs_TNG.size(0)):
        write, keep, new, show = (inputs_TNG[step] + linear(state, weight, bias)).chunk(4, dim=1)
        memory = torch.sigmoid(keep) * memory + torch.sigmoid(write) * torch.tanh(new)
        state = (1.0 - leak) * state + leak * torch.sigmoid(show) * torch.tanh(memory)
        read.append(state)
    return torch.stack(read)


_LOOPS: dict[type[nn.Module], Callable[..., Tensor]] = {nn.RNN: _leaky_rnn, nn.GRU: _leaky_gru, nn.LSTM: _leaky_lstm}
