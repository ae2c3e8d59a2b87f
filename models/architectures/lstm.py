"""Long short-term memory (Hochreiter and Schmidhuber 1997; with a forget gate, Gers et al. 2000).

Gates i, f, o = sigmoid(W x_t + U h_{t-1} + b), each with weights of its own; the memory is
c_t = f c_{t-1} + i tanh(W_c x_t + U_c h_{t-1} + b_c), and the state h_t = o tanh(c_t).
"""

import torch
from pydantic import Field
from torch import nn

from models.recurrent import RecurrentConfig, RecurrentNetwork
from models.registry import Reference, Shape, register, search


@register(
    title="Long short-term memory",
    paper="Hochreiter and Schmidhuber 1997",
    unit="III",
    tasks=("classification", "regression", "tagging", "forecasting", "text_generation"),
    modality=("text", "series"),
    references=(
        Reference(
            "LSTM 8-16",
            {"embedding_dim": 8, "hidden_dim": 16},
            input=(30,),
            classes=3,
            parameters=30 * 8 + 4 * (8 + 16 + 2) * 16 + 17 * 3,
        ),
        Reference(
            "BiLSTM 8-16, two layers",
            {"embedding_dim": 8, "hidden_dim": 16, "num_layers": 2, "bidirectional": True, "layer_norm": True},
            input=(30,),
            classes=3,
            parameters=30 * 8 + 2 * 4 * (8 + 16 + 2) * 16 + 2 * 4 * (32 + 16 + 2) * 16 + 2 * 2 * 32 + 33 * 3,
        ),
    ),
)
class LSTM(RecurrentNetwork):
    """A text's tokens or a series' steps one after the other, and a linear map of the last state."""

    cell = nn.LSTM

    class Config(RecurrentConfig):
        """Hyperparameters of the LSTM."""

        forget_bias: float = Field(
            0.0,
            ge=-10.0,
            le=10.0,
            description="Added to the forget gates' biases at the start; with 1 a memory lasts longer from the first "
            "step on (Gers et al. 2000).",
            json_schema_extra=search(low=0.0, high=2.0),
        )

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__(config, input_shape, num_outputs)
        for cell in self.modules():
            if isinstance(cell, nn.LSTM):
                with torch.no_grad():
                    dict(cell.named_parameters())["bias_ih_l0"][cell.hidden_size : 2 * cell.hidden_size] += (
                        config.forget_bias
                    )
