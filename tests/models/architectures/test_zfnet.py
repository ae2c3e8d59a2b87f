import torch

from models import registry
from models.summary import layers


def shapes(kind: str) -> list[tuple[int, ...]]:
    with torch.device("meta"):
        network = registry.get("zfnet").configure({}).build((3, 224, 224), 1000)
    return [row.output_shape for row in layers(network, (3, 224, 224)) if row.kind == kind]


def test_sizes_are_those_of_the_paper() -> None:
    assert shapes("Conv2d") == [(96, 110, 110), (256, 26, 26), (384, 13, 13), (384, 13, 13), (256, 13, 13)]
    assert shapes("MaxPool2d") == [(96, 55, 55), (256, 13, 13), (256, 6, 6)]
    assert shapes("LocalResponseNorm") == [(96, 55, 55), (256, 13, 13)]


def test_kernels_and_strides_are_finer_than_alexnets() -> None:
    def first(name: str) -> torch.nn.Conv2d:
        with torch.device("meta"):
            network = registry.get(name).configure({}).build((3, 224, 224), 1000)
        return next(layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d))

    zfnet, alexnet = first("zfnet"), first("alexnet")
    assert (zfnet.kernel_size, zfnet.stride) == ((7, 7), (2, 2))
    assert (alexnet.kernel_size, alexnet.stride) == ((11, 11), (4, 4))
