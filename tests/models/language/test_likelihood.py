"""Texts by their tokens' probabilities: these sum to 1 over all texts, and nothing behind a text's end counts."""

from itertools import product

import pytest
import torch
from torch import nn

from models import registry
from models.language.likelihood import log_probabilities, logits, parts_of, targets
from models.preprocess import TokenPreprocess
from shapes.tokens import END, NO_TARGET, PADDING

NUM_TOKENS = 6
UNITS = (1, 2, 4, 5)
"""All tokens but padding and the end."""


def network(name: str, classes: int = 0) -> nn.Sequential:
    torch.manual_seed(0)
    config = registry.get(name).configure({"embedding_dim": 4, "hidden_dim": 5})
    return nn.Sequential(TokenPreprocess(NUM_TOKENS), config.build((NUM_TOKENS + classes,), NUM_TOKENS)).eval()


def judged(built: nn.Module, rows: list[list[int]], label: int | None = None, more: int = 0) -> torch.Tensor:
    width = max(map(len, rows)) + more
    tokens_NT = torch.tensor([row + [PADDING] * (width - len(row)) for row in rows])
    label_N = None if label is None else torch.full((len(rows),), label)
    with torch.inference_mode():
        return log_probabilities(logits(built, tokens_NT, label_N), tokens_NT)[0]


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("label", [None, 0, 1])
def test_texts_that_end_and_those_that_go_on_have_all_the_probability(name: str, label: int | None) -> None:
    built = network(name, classes=0 if label is None else 2)
    with torch.no_grad():
        parts_of(built)[1].output.bias[PADDING] = -50  # which could be the next token too, by this network
    ended = [[*units, END] for length in range(3) for units in product(UNITS, repeat=length)]
    going_on = [list(units) for units in product(UNITS, repeat=3)]
    total = judged(built, ended, label).exp().sum() + judged(built, going_on, label).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_padding_never_changes_how_probable_a_text_is(name: str) -> None:
    built = network(name)
    rows = [[4, END], [5, 4, 1, END], [END]]
    alone = torch.cat([judged(built, [row]) for row in rows])
    torch.testing.assert_close(judged(built, rows, more=7), alone, rtol=0, atol=1e-6)


def test_another_class_is_another_distribution() -> None:
    built = network("lstm", classes=2)
    first, second = judged(built, [[4, 5, END]], 0), judged(built, [[4, 5, END]], 1)
    assert abs(float(first - second)) > 1e-3


def test_padding_is_no_target() -> None:
    assert targets(torch.tensor([[4, END, PADDING]])).tolist() == [[4, END, NO_TARGET]]
