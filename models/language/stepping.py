"""A recurrent network one step at a time, with all that it carries from step to step in one row of numbers.

Shapes: N rows, E numbers that come in, H in a state, C carried by a cell, S by all layers.
"""

import torch
from torch import Tensor, nn

from models import cells
from models.recurrence import Cell
from models.recurrent import RecurrentNetwork


class Stepper(nn.Module):
    """A network that reads tokens forwards only.

    Of each layer the state (N, S) has what the cell carried behind each of the last `skip` steps, the oldest first.
    """

    def __init__(self, network: RecurrentNetwork) -> None:
        super().__init__()
        self.network = network
        self.sizes = [layer.skip * cells.carried(layer.forwards) for layer in network.recurrent_layers]
        self.state_dim = sum(self.sizes)

    def forward(self, token_N: Tensor, state_NS: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (N, K) behind a token, and the state to go on with."""
        x_NE, behind = self.network.embedded(token_N), []
        for layer, parts_NS in zip(
            self.network.recurrent_layers, torch.split(state_NS, self.sizes, dim=1), strict=True
        ):
            size = cells.carried(layer.forwards)
            newest_NC = step(layer.forwards, x_NE, parts_NS[:, :size], leak=layer.leak)
            behind.append(torch.cat([parts_NS[:, size:], newest_NC], dim=1))
            x_NE = layer.norm(newest_NC[:, : layer.forwards.hidden_size])
        y_NK: Tensor = self.network.output(x_NE)
        return y_NK, torch.cat(behind, dim=1)


def step(cell: Cell, x_NE: Tensor, carried_NC: Tensor, *, leak: float) -> Tensor:
    """What a cell carries on (N, C) behind one input: `models.recurrence.states`, a step at a time.

    In products of matrices and functions of single numbers, of which ONNX Runtime was seen to compute each row alike
    whatever is beside it; its own operator of simple recurrent layers was seen not to.
    """
    new_NH, behind_NC = cells.step(cell, x_NE, carried_NC)
    if leak == 1:
        return behind_NC
    before_NH, memory_NC = carried_NC[:, : cell.hidden_size], behind_NC[:, cell.hidden_size :]
    return torch.cat([(1 - leak) * before_NH + leak * new_NH, memory_NC], dim=1)
