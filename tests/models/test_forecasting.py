"""What stands between the preprocessing and a network that forecasts."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.forecasting import Forecaster

COLUMNS = [{"name": "price", "role": "known_ahead"}, {"name": "sales", "role": "target"}]
DESCRIBED: dict[str, Any] = {"shape": [4, 1], "columns": COLUMNS[1:], "context": 4}
AHEAD: dict[str, Any] = {"shape": [6, 2], "columns": COLUMNS, "context": 4}


class Last(nn.Module):
    """Answers the last seen step, and keeps what it was given."""

    def forward(self, x_NTF: Tensor) -> Tensor:
        self.given = x_NTF
        return x_NTF[:, 3, :1]


def test_level_and_scale_of_a_window_are_taken_from_it_and_given_back() -> None:
    network = Last()
    forecaster = Forecaster(network, DESCRIBED, "window")
    x = torch.tensor([[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0]])[:, :, None]
    torch.testing.assert_close(forecaster(x), torch.tensor([[4.0], [40.0]]))
    torch.testing.assert_close(network.given[0], network.given[1], rtol=0, atol=1e-4)
    assert network.given.mean().abs() < 1e-6
    assert Forecaster.features(DESCRIBED) == (4, 1)


def test_without_it_the_network_sees_the_columns_as_they_are() -> None:
    network = Last()
    x = torch.randn(2, 4, 1)
    assert torch.equal(Forecaster(network, DESCRIBED, "columns")(x), x[:, 3])
    assert torch.equal(network.given, x)


def test_a_window_that_never_changes_has_a_finite_forecast() -> None:
    assert Forecaster(Last(), DESCRIBED, "window")(torch.full((1, 4, 1), 7.0)).item() == pytest.approx(7)


def test_only_what_is_seen_of_the_target_is_normalised_and_steps_to_come_are_marked() -> None:
    network = Last()
    x = torch.randn(2, 6, 2)
    x[:, 4:, 1] = 0
    Forecaster(network, AHEAD, "window")(x)
    assert Forecaster.features(AHEAD) == (6, 3)
    assert torch.equal(network.given[:, :, 0], x[:, :, 0])
    assert network.given[:, :4, 1].mean(dim=1).abs().max() < 1e-6
    assert network.given[:, 4:, 1].abs().max() == 0
    assert network.given[0, :, 2].tolist() == [0, 0, 0, 0, 1, 1]
