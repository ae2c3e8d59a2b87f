import pytest
import torch

from models.losses.overlap import SoftDice

SURE = 50.0


def logits(classes: torch.Tensor) -> torch.Tensor:
    return SURE * torch.nn.functional.one_hot(classes, 3).permute(0, 3, 1, 2).float()


def test_a_perfect_mask_has_no_loss_even_where_a_class_is_absent() -> None:
    classes = torch.tensor([[[0, 0, 1, 1]]])
    assert float(SoftDice()(logits(classes), classes)) == pytest.approx(0.0, abs=1e-6)


def test_the_worked_example() -> None:
    predicted, true = torch.tensor([[[0, 0, 0, 1]]]), torch.tensor([[[0, 0, 1, 1]]])
    # Both, predicted and true pixels of class 0: 2, 3 and 2; of class 1: 1, 1 and 2; of class 2: none.
    expected = 1 - ((2 * 2 + 1) / (5 + 1) + (2 * 1 + 1) / (3 + 1) + 1) / 3
    assert float(SoftDice()(logits(predicted), true)) == pytest.approx(expected, abs=1e-6)
