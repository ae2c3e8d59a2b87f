from typing import Any

import pytest
import torch
from torch import nn

from models.training.optimizers import OPTIMIZERS
from models.training.settings import training_settings

CASES: list[dict[str, Any]] = [
    {"name": "sgd", "learning_rate": 0.1},
    {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    {"name": "sgd", "learning_rate": 0.1, "nesterov": True},
    {"name": "adagrad", "learning_rate": 1.0},
    {"name": "adadelta", "learning_rate": 100.0},
    {"name": "rmsprop", "learning_rate": 0.01},
    {"name": "adam", "learning_rate": 0.1},
    {"name": "adamw", "learning_rate": 0.1, "weight_decay": 0.0},
]


@pytest.mark.parametrize("options", CASES, ids=[" ".join(map(str, case.values())) for case in CASES])
def test_it_reaches_the_optimum_of_a_convex_problem(options: dict[str, Any]) -> None:
    optimum = torch.tensor([1.0, -2.0, 3.0])
    curvature = torch.tensor([1.0, 0.5, 2.0])
    weights = nn.Parameter(torch.zeros(3))
    optimizer = training_settings({"optimizer": options}).optimizer.build([weights])
    for step in range(1500):
        for group in optimizer.param_groups:
            group["lr"] = options["learning_rate"] * (1 - step / 1500)
        optimizer.zero_grad()
        (curvature * (weights - optimum).square()).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    torch.testing.assert_close(weights.detach(), optimum, atol=1e-2, rtol=0)


def test_adamw_decays_weights_that_have_no_gradient() -> None:
    weights = nn.Parameter(torch.ones(3))
    options = {"name": "adamw", "learning_rate": 0.1, "weight_decay": 0.5}
    optimizer = training_settings({"optimizer": options}).optimizer.build([weights])
    weights.grad = torch.zeros(3)
    optimizer.step()
    torch.testing.assert_close(weights.detach(), torch.full((3,), 0.95))


def test_every_optimizer_is_offered_once() -> None:
    assert [optimizer.__name__ for optimizer in OPTIMIZERS] == [
        "SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "AdamW",
    ]  # fmt: skip
