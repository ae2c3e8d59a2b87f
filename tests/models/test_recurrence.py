"""Leaks and skips, held against the equations."""

import pytest
import torch
from torch import Tensor, nn

from models.recurrence import Cell, states

CELLS = (nn.RNN, nn.LSTM, nn.GRU)
cells = pytest.mark.parametrize("kind", CELLS)


def drawn(kind: type[Cell], steps: int = 9) -> tuple[Cell, Tensor]:
    torch.manual_seed(0)
    return kind(3, 4, batch_first=True), torch.randn(2, steps, 3)


@cells
def test_without_leak_and_skip_the_states_are_torchs(kind: type[Cell]) -> None:
    cell, x = drawn(kind)
    assert torch.equal(states(cell, x), cell(x)[0])


@cells
def test_a_leak_of_almost_one_is_none(kind: type[Cell]) -> None:
    """So the loop written here is torch's cell."""
    cell, x = drawn(kind)
    torch.testing.assert_close(states(cell, x, leak=1 - 1e-9), cell(x)[0], rtol=0, atol=1e-6)


def test_a_leaky_state_is_so_much_of_the_new_and_the_rest_of_the_old() -> None:
    cell, x = drawn(nn.RNN)
    state = torch.zeros(1, 2, 4)
    for step, read in enumerate(states(cell, x, leak=0.3).unbind(1)):
        new, _ = cell(x[:, step : step + 1], state)
        state = 0.7 * state + 0.3 * new.transpose(0, 1)
        torch.testing.assert_close(read, state[0])


@cells
@pytest.mark.parametrize("steps", [1, 2, 3, 8, 9])
def test_a_state_with_a_skip_comes_from_so_many_steps_before(kind: type[Cell], steps: int) -> None:
    cell, x = drawn(kind, steps)
    read = states(cell, x, skip=3)
    assert read.shape == (2, steps, 4)
    for first in range(min(3, steps)):
        torch.testing.assert_close(read[:, first::3], cell(x[:, first::3])[0])


@cells
def test_leak_and_skip_have_gradients(kind: type[Cell]) -> None:
    cell, x = drawn(kind)
    states(cell, x, leak=0.5, skip=2).sum().backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in cell.parameters())


@cells
@pytest.mark.parametrize("skip", [1, 2])
def test_where_gradients_are_cut_states_stay_and_earlier_steps_get_none(kind: type[Cell], skip: int) -> None:
    cell, x = drawn(kind, 10)
    x.requires_grad_()
    read = states(cell, x, skip=skip, cut=4)
    torch.testing.assert_close(read, states(cell, x, skip=skip))
    (slope,) = torch.autograd.grad(read[:, -1].sum(), [x])
    assert slope[:, :8].abs().max() == 0
    assert slope[:, 9].abs().min() > 0
