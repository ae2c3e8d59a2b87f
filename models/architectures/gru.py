"""The gated recurrent unit (Cho et al. 2014).

Gates r, z = sigmoid(W x_t + U h_{t-1} + b), each with weights of its own; the candidate is
n = tanh(W_n x_t + b_n + r (U_n h_{t-1} + c_n)), and the state h_t = (1 - z) n + z h_{t-1}.
"""

from torch import nn

from models.recurrent import RecurrentConfig, RecurrentNetwork
from models.registry import Reference, register


@register(
    title="Gated recurrent unit",
    paper="Cho et al. 2014",
    unit="III",
    tasks=("classification", "regression", "tagging", "forecasting", "text_generation"),
    modality=("text", "series"),
    references=(
        Reference(
            "GRU 8-16",
            {"embedding_dim": 8, "hidden_dim": 16},
            input=(30,),
            classes=3,
            parameters=30 * 8 + 3 * (8 + 16 + 2) * 16 + 17 * 3,
        ),
    ),
)
class GRU(RecurrentNetwork):
    """A text's tokens or a series' steps one after the other, and a linear map of the last state."""

    cell = nn.GRU

    class Config(RecurrentConfig):
        """Hyperparameters."""
