import pytest
import torch
from torch import Tensor

from models import registry
from models.losses.margins import PerceptronCriterion


def separable(num: int = 60) -> tuple[Tensor, Tensor]:
    """Points in the plane, in three sectors with a gap between them."""
    generator = torch.Generator().manual_seed(0)
    sectors = torch.arange(num) % 3
    angles = 2 * torch.pi / 3 * (sectors + 0.1 + 0.8 * torch.rand(num, generator=generator))
    return torch.stack([angles.cos(), angles.sin()], dim=1), sectors


def trained(points: Tensor, classes: Tensor, learning_rate: float, epochs: int = 100) -> tuple[Tensor, int]:
    """The weights after Rosenblatt's rule, a row at a time, and the mistakes of the last epoch; none ends it."""
    network = registry.get("perceptron").configure({}).build((points.shape[1],), 3)
    optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate)
    for _ in range(epochs):
        mistakes = 0
        for place in range(len(points)):
            point, true = points[place : place + 1], classes[place : place + 1]
            optimizer.zero_grad()
            scores = network(point)
            mistakes += int(scores.argmax() != true)
            PerceptronCriterion()(scores, true).backward()
            optimizer.step()
        if mistakes == 0:
            break
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()]), mistakes


def test_it_finds_a_boundary_where_there_is_one() -> None:
    assert trained(*separable(), learning_rate=1.0)[1] == 0


@pytest.mark.parametrize("factor", [0.125, 4.0])
def test_the_learning_rate_scales_the_weights_and_changes_no_answer(factor: float) -> None:
    points, classes = separable()
    weights = trained(points, classes, learning_rate=1.0, epochs=3)[0]
    torch.testing.assert_close(trained(points, classes, learning_rate=factor, epochs=3)[0], factor * weights)
