"""The graphs of a version that writes texts: `model` says how probable a row is, `decoder` goes one token on.

The decoder's `next_state` is the `state` of the next step; the first is of zeros. A conditional network's `model` takes
the `label` after the tokens; its decoder's first token is the mark of the class.
Shapes: N rows, T tokens, K different tokens, S numbers in a state.
"""

import torch
from torch import Tensor, nn

from models.examples import Batch
from models.graphs import Described, Graph, on_cpu
from models.language.likelihood import log_probabilities, logits, parts_of
from models.language.stepping import Stepper

TOLERANCE = 1e-4
"""Of a token's logarithm of probability, and of states."""


class _Judge(nn.Module):
    """The logarithm of each row's probability, and its number of tokens."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens_NT: Tensor, label_N: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return log_probabilities(logits(self.network, tokens_NT, label_N), tokens_NT)


class _Decoder(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.stepper = Stepper(parts_of(network)[1])

    def forward(self, previous_N: Tensor, state_NS: Tensor) -> tuple[Tensor, Tensor]:
        logits_NK, state_NS = self.stepper(previous_N, state_NS)
        return logits_NK.log_softmax(dim=1), state_NS


def graphs_of(network: nn.Module, described: Described, samples: Batch, *, conditional: bool) -> dict[str, Graph]:
    """Both; `described` is the input of the data set."""
    network = on_cpu(network)
    preprocess, _ = parts_of(network)
    decoder = _Decoder(network).eval()
    (num_tokens,), (longest,) = preprocess.output_shape, samples.inputs.shape[1:]
    labels = [{"name": "label", "dtype": "int64", "shape": []}] if conditional else []
    numbers: list[Described] = [
        {"name": "log_probability", "dtype": "float32", "shape": []},
        {"name": "count", "dtype": "int64", "shape": []},
    ]
    state = {"name": "state", "dtype": "float32", "shape": [decoder.stepper.state_dim]}
    logs = {"name": "log_probabilities", "dtype": "float32", "shape": [num_tokens]}
    previous_N = torch.arange(len(samples.inputs)) % num_tokens
    with torch.inference_mode():
        _, states_NS = decoder(previous_N, torch.zeros(len(previous_N), decoder.stepper.state_dim))
    return {
        "model": Graph(
            _Judge(network).eval(),
            [described, *labels],
            numbers,
            (samples.inputs, samples.targets)[: 1 + len(labels)],
            {"log_probability": TOLERANCE * longest, "count": 0.5},
        ),
        "decoder": Graph(
            decoder,
            [{"name": "previous", "dtype": "int64", "shape": []}, state],
            [logs, {**state, "name": "next_state"}],
            (previous_N, states_NS),
            {"log_probabilities": TOLERANCE, "next_state": TOLERANCE},
        ),
    }
