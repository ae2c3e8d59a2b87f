"""The simple recurrent network (Elman 1990): the state is a function of the step and of the state before.

h_t = tanh(W x_t + U h_{t-1} + b). Over many steps its gradient vanishes or explodes (Bengio et al. 1994).
"""

from torch import nn

from models.recurrent import RecurrentConfig, RecurrentNetwork
from models.registry import Reference, register


@register(
    title="Simple recurrent network",
    paper="Elman 1990",
    unit="III",
    tasks=("classification", "regression", "tagging", "forecasting", "text_generation"),
    modality=("text", "series"),
    references=(
        Reference(
            "RNN 8-16",
            {"embedding_dim": 8, "hidden_dim": 16},
            input=(30,),
            classes=3,
            parameters=30 * 8 + (8 + 16 + 2) * 16 + 17 * 3,
        ),
    ),
)
class RNN(RecurrentNetwork):
    """A text's tokens or a series' steps one after the other, and a linear map of the last state."""

    cell = nn.RNN

    class Config(RecurrentConfig):
        """Hyperparameters."""
