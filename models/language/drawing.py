"""Texts drawn from a network by torch, to be measured: how many are copies, and how they differ from each other.

Shapes: N texts, T tokens.
"""

import torch
from torch import Tensor, nn

from models.language.likelihood import marks, parts_of
from models.language.stepping import Stepper
from shapes.tokens import END, PADDING


@torch.inference_mode()
def draw(network: nn.Module, count: int, label_N: Tensor | None, max_length: int, seed: int = 0) -> Tensor:
    """Tokens (N, T) of texts up to `max_length`, padded behind their ends; `network` is on the CPU."""
    preprocess, recurrent = parts_of(network)
    stepper, generator = Stepper(recurrent).eval(), torch.Generator().manual_seed(seed)
    tokens_N = marks(preprocess.output_shape[0], label_N, torch.zeros(count, dtype=torch.int64))
    state_NS = torch.zeros(count, stepper.state_dim)
    drawn: list[Tensor] = []
    while len(drawn) < max_length and (not drawn or bool((drawn[-1] > END).any())):
        logits_NK, state_NS = stepper(tokens_N, state_NS)
        logits_NK[:, :END] = -torch.inf
        tokens_N = torch.multinomial(logits_NK.softmax(dim=1), 1, generator=generator)[:, 0]
        if drawn:
            tokens_N = tokens_N.masked_fill(drawn[-1] <= END, PADDING)
        drawn.append(tokens_N)
    return torch.stack(drawn, dim=1)


def distinct(texts: list[str]) -> float:
    """The share of different texts."""
    return len(set(texts)) / len(texts)


def copied(texts: list[str], known: set[str]) -> float:
    """The share of the texts that are among those that are known."""
    return sum(text in known for text in texts) / len(texts)
