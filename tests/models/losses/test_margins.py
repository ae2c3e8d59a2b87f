import pytest
import torch

from models.losses.margins import PerceptronCriterion


def test_a_mistake_moves_the_true_class_towards_the_example_and_the_answer_away() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.0], [5.0, 0.0, 1.0]], requires_grad=True)
    loss = PerceptronCriterion()(scores, torch.tensor([0, 0]))
    assert float(loss.detach()) == pytest.approx((3.0 - 1.0 + 0.0) / 2)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [[-0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]


def test_it_learns_from_weights_of_zero() -> None:
    scores = torch.zeros(1, 3, requires_grad=True)
    PerceptronCriterion()(scores, torch.tensor([1])).backward()
    assert scores.grad is not None
    torch.testing.assert_close(scores.grad, torch.tensor([[1 / 3, -2 / 3, 1 / 3]]))
