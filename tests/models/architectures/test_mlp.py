import pytest
import torch
from torch import nn

from models import registry
from models.errors import InvalidHyperparameters


def test_depth_and_width_are_the_list_of_hidden_layers() -> None:
    network = registry.get("mlp").configure({"hidden_dims": [7, 5]}).build((3,), 2)
    shapes = [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert shapes == [(7, 3), (5, 7), (2, 5)]


def test_without_hidden_layers_it_is_an_affine_map() -> None:
    network = registry.get("mlp").configure({"hidden_dims": []}).build((3,), 2)
    assert sum(parameter.numel() for parameter in network.parameters()) == 8


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    network = registry.get("mlp").configure({"dropout": 0.5}).build((3,), 2)
    row = torch.ones(1, 3)
    assert not torch.equal(network(row), network(row))
    network.eval()
    assert torch.equal(network(row), network(row))


def test_batch_norm_comes_before_each_activation() -> None:
    network = registry.get("mlp").configure({"hidden_dims": [4, 4], "batch_norm": True}).build((3,), 2)
    kinds = [type(layer).__name__ for layer in network.hidden]  # type: ignore[union-attr]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU"] * 2


@pytest.mark.parametrize(
    "wrong",
    [{"hidden_dims": [0]}, {"hidden_dims": [10**6]}, {"dropout": 1.0}, {"activation": "step"}, {"width": 3}],
)
def test_a_value_out_of_bounds_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidHyperparameters, match=f"hyperparameters.{next(iter(wrong))}"):
        registry.get("mlp").configure(wrong)
