"""A network one step at a time is the network that reads a text as a whole."""

from typing import Any

import pytest
import torch

from models import registry
from models.language.stepping import Stepper
from models.recurrent import RecurrentNetwork

VARIANTS: list[dict[str, Any]] = [
    {},
    {"num_layers": 2, "layer_norm": True},
    {"leak": 0.3},
    {"num_layers": 3, "skip": 2, "leak": 0.6},
]


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("variant", VARIANTS, ids=["plain", "deep", "leaky", "leaky with skips"])
@torch.inference_mode()
def test_steps_come_to_what_the_whole_text_comes_to(name: str, variant: dict[str, Any]) -> None:
    torch.manual_seed(0)
    network = registry.get(name).configure({"embedding_dim": 5, "hidden_dim": 7, **variant}).build((9,), 6).eval()
    assert isinstance(network, RecurrentNetwork)
    stepper, tokens_NT = Stepper(network), torch.randint(1, 9, (4, 11))
    state_NS, outputs = torch.zeros(4, stepper.state_dim), []
    for token_N in tokens_NT.unbind(dim=1):
        output_NK, state_NS = stepper(token_N, state_NS)
        outputs.append(output_NK)
    torch.testing.assert_close(torch.stack(outputs, dim=1), network.transduce(tokens_NT), rtol=0, atol=1e-6)
