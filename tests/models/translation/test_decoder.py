"""The decoder goes step by step as it does all steps at once, whatever its cell and attention."""

from typing import Any

import pytest
import torch
from torch import Tensor

from models import registry
from models.translation.decoder import Decoder

NUM_TOKENS = 9
VARIANTS: list[dict[str, Any]] = [
    {"cell": cell, "attention": attention, "num_layers": layers}
    for cell, attention, layers in (
        ("lstm", "additive", 2),
        ("gru", "dot", 2),
        ("rnn", "additive", 1),
        ("lstm", "none", 1),
    )
]
variants = pytest.mark.parametrize("variant", VARIANTS, ids=["lstm", "gru", "rnn", "none"])


def decoder(variant: dict[str, Any]) -> tuple[Decoder, tuple[Tensor, Tensor, Tensor]]:
    """A decoder, and what an encoder gave it for two rows, of which one is shorter."""
    torch.manual_seed(0)
    config = registry.get("seq2seq").configure({"embedding_dim": 5, "hidden_dim": 7, **variant})
    network = config.build((NUM_TOKENS,), NUM_TOKENS).eval()
    return network.decoder, network.encode(torch.tensor([[2, 3, 4, 5], [6, 7, 0, 0]]))  # type: ignore[operator, return-value]


@variants
def test_step_by_step_is_as_all_at_once(variant: dict[str, Any]) -> None:
    writing, encoded = decoder(variant)
    previous = torch.tensor([[2, 5, 6, 4], [2, 8, 8, 1]])
    expected = writing(previous, *encoded)
    state, memory, is_token = encoded
    for place in range(4):
        logits, state = writing.step(previous[:, place], state, memory, is_token)
        torch.testing.assert_close(logits, expected[:, place], rtol=0, atol=1e-6)


@variants
def test_told_everything_it_writes_as_it_is_told(variant: dict[str, Any]) -> None:
    writing, encoded = decoder(variant)
    previous = torch.tensor([[2, 5, 6, 4], [2, 8, 8, 1]])
    told = writing.sampled(previous, *encoded, 1.0)
    torch.testing.assert_close(told, writing(previous, *encoded), rtol=0, atol=1e-6)


def test_told_nothing_it_goes_on_from_what_it_wrote() -> None:
    writing, encoded = decoder(VARIANTS[0])
    alone = writing.sampled(torch.full((2, 5), 2), *encoded, 0.0)
    written = torch.cat([torch.full((2, 1), 2), alone.argmax(dim=2)[:, :-1]], dim=1)
    torch.testing.assert_close(alone, writing(written, *encoded), rtol=0, atol=1e-6)


@pytest.mark.parametrize("attention", ["additive", "dot"])
def test_padding_is_not_looked_at(attention: str) -> None:
    writing, (state, memory, is_token) = decoder({"attention": attention})
    changed = torch.where(is_token[:, :, None], memory, torch.full_like(memory, 1e4))
    previous = torch.tensor([[2, 5], [2, 8]])
    torch.testing.assert_close(writing(previous, state, changed, is_token), writing(previous, state, memory, is_token))


def test_the_schedule_goes_on_with_the_batches_that_were_trained_on() -> None:
    options = {"teacher_forcing": "linear", "teacher_forcing_least": 0.0, "teacher_forcing_half": 1}
    network = registry.get("seq2seq").configure({"embedding_dim": 5, "hidden_dim": 7, **options}).build((9,), 9)
    tokens, previous = torch.tensor([[2, 3, 4]]), torch.tensor([[2, 5, 6, 7]])

    def train() -> Tensor:
        torch.manual_seed(0)
        written: Tensor = network.train()(tokens, previous)
        return written

    first, _, third = train(), train(), train()
    torch.testing.assert_close(first, network.eval()(tokens, previous))
    assert not torch.allclose(third, first)
    assert int(network.state_dict()["batches"]) == 3
