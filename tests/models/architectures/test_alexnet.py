import torch

from models import registry
from models.summary import layers


def shapes(kind: str) -> list[tuple[int, ...]]:
    with torch.device("meta"):
        network = registry.get("alexnet").configure({}).build((3, 224, 224), 1000)
    return [row.output_shape for row in layers(network, (3, 224, 224)) if row.kind == kind]


def test_sizes_are_those_of_the_paper() -> None:
    assert shapes("Conv2d") == [(64, 55, 55), (192, 27, 27), (384, 13, 13), (256, 13, 13), (256, 13, 13)]
    assert shapes("MaxPool2d") == [(64, 27, 27), (192, 13, 13), (256, 6, 6)]
    assert shapes("Linear") == [(4096,), (4096,), (1000,)]


def test_the_dense_end_can_be_narrowed() -> None:
    network = registry.get("alexnet").configure({"dense_dim": 100, "dropout": 0.2}).build((1, 28, 28), 10)
    sizes = [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    assert sizes == [(100, 256 * 3 * 3), (100, 100), (10, 100)]
    assert {layer.p for layer in network.modules() if isinstance(layer, torch.nn.Dropout)} == {0.2}
