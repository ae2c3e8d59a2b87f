from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from models import registry
from models.architectures.convnet import LENET
from models.errors import InvalidHyperparameters, UnsuitableInput
from models.export import export
from models.graphs import Graph, served
from models.inference import Session
from models.registry import Shape

# A layer of every type, with fields other than the defaults.
EVERYTHING: list[dict[str, Any]] = [
    {"type": "convolution", "channels": 8, "kernel": 3, "stride": 2, "padding": 2, "dilation": 2, "name": "first"},
    {"type": "tiled_convolution", "channels": 6, "kernel": 3, "tiles": 3, "stride": 2, "padding": 1},
    {"type": "batch_norm"},
    {"type": "activation", "function": "prelu"},
    {
        "type": "transposed_convolution",
        "channels": 8,
        "kernel": 3,
        "stride": 2,
        "padding": 1,
        "output_padding": 1,
        "groups": 2,
    },
    {"type": "addition", "source": "first"},
    {"type": "group_norm", "groups": 4},
    {"type": "activation", "function": "softmax"},
    {"type": "convolution", "channels": 4, "kernel": 3, "padding": 1, "groups": 4},
    {"type": "concatenation", "source": 0},
    {"type": "pooling", "mode": "max", "kernel": 3, "stride": 2, "padding": 1},
    {"type": "pooling", "mode": "average", "kernel": 2, "padding": 1},
    {"type": "dropout", "probability": 0.1},
    {"type": "dense", "units": 9, "bias": False, "name": "dense"},
    {"type": "batch_norm"},
    {"type": "activation", "function": "tanh"},
    {"type": "group_norm"},
    {"type": "concatenation", "source": "dense"},
]


def convnet(layers: list[dict[str, Any]], input_shape: Shape = (1, 28, 28), **others: Any) -> nn.Module:
    torch.manual_seed(0)
    return registry.get("convnet").configure({"layers": layers, **others}).build(input_shape, 10)


def size(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_lenet_as_a_list_is_lenet() -> None:
    torch.manual_seed(0)
    lenet = registry.get("lenet").configure({}).build((1, 32, 32), 10).eval()
    listed = convnet(LENET, (1, 32, 32)).eval()
    listed.load_state_dict(dict(zip(listed.state_dict(), lenet.state_dict().values(), strict=True)))
    images = torch.randn(3, 1, 32, 32)
    torch.testing.assert_close(listed(images), lenet(images))


@pytest.mark.parametrize("input_shape", [(1, 1, 1), (3, 8, 9), (1, 28, 28), (3, 64, 64)])
def test_the_default_list_takes_images_of_any_size_with_as_many_parameters(input_shape: Shape) -> None:
    network = registry.get("convnet").configure({}).build(input_shape, 10).eval()
    assert network(torch.zeros(2, *input_shape)).shape == (2, 10)
    assert size(network) == 82_090 + (input_shape[0] - 1) * 32 * 9 < 100_000


def test_the_number_of_parameters_does_not_depend_on_the_size_of_the_image() -> None:
    layers: list[dict[str, Any]] = [{"type": "convolution", "channels": 5, "kernel": 3}, {"type": "global_pooling"}]
    assert {size(convnet(layers, (1, side, side))) for side in (3, 28, 100)} == {5 * (9 + 1) + 6 * 10}


def test_a_layer_of_every_type_learns_and_answers_in_onnx_as_in_torch(tmp_path: Path) -> None:
    network = convnet(EVERYTHING)
    images = torch.randn(32, 1, 28, 28)
    nn.functional.cross_entropy(network(images), torch.arange(32) % 10).backward()  # type: ignore[no-untyped-call]
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
    model = served(network, nn.Softmax(dim=1))
    export(Graph(model, [{"name": "x"}], [{"name": "y"}], (images,), {"y": 1e-4}), {}, tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", threads=1)
    for count in (1, 7, 32):
        with torch.inference_mode():
            expected = model(images[:count]).numpy()
        np.testing.assert_allclose(session.run(images[:count].numpy()), expected, rtol=0, atol=1e-4)


def test_a_skip_connection_finds_its_source_by_name_or_place() -> None:
    by_name: list[dict[str, Any]] = [
        {"type": "convolution", "channels": 4, "padding": 1, "name": "first"},
        {"type": "convolution", "channels": 4, "padding": 1},
        {"type": "addition", "source": "first"},
        {"type": "concatenation", "source": "first"},
    ]
    by_place = [*by_name[:2], {"type": "addition", "source": 0}, {"type": "concatenation", "source": 0}]
    image = torch.randn(1, 1, 8, 8)
    named, placed = convnet(by_name, (1, 8, 8)), convnet(by_place, (1, 8, 8))
    torch.testing.assert_close(named(image), placed(image))
    first, second = (layer for layer in named.modules() if isinstance(layer, nn.Conv2d))
    joined = torch.cat([second(first(image)) + first(image), first(image)], dim=1)
    torch.testing.assert_close(named(image), named.get_submodule("output")(joined))


def test_initialization_reaches_every_convolution_and_dense_layer() -> None:
    network = convnet([{**EVERYTHING[1]}, {"type": "dense", "units": 4}], initialization="zero")
    assert not any(parameter.any() for parameter in network.parameters())


def test_a_list_that_does_not_fit_is_refused_with_the_layer_and_the_shapes() -> None:
    layers: list[dict[str, Any]] = [
        {"type": "pooling"},
        {"type": "pooling"},
        {"type": "convolution", "channels": 8, "kernel": 9},
    ]
    with pytest.raises(
        UnsuitableInput, match=r"hyperparameters\.layers\.2: convolution 9×9 does not fit its input 1×7×7"
    ):
        convnet(layers)


@pytest.mark.parametrize(
    "layers", [[], [{"type": "magic"}], [{"type": "dense"}], [{"type": "activation"}] * 129, [{"type": 3}], "dense"]
)
def test_what_is_no_list_of_layers_is_refused_by_name(layers: Any) -> None:
    with pytest.raises(InvalidHyperparameters, match=r"hyperparameters\.layers"):
        registry.get("convnet").configure({"layers": layers})
