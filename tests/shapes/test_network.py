"""Lists of layers that fit, and every way in which they do not."""

from typing import Any

import pytest

from shapes.fitting import Misfit, Shape, written
from shapes.network import MAX_ACTIVATIONS, MAX_PARAMETERS, output_parameters, read, walk

IMAGE: Shape = (3, 16, 16)


def convolution(channels: int = 8, kernel: int = 3, **fields: Any) -> dict[str, Any]:
    return {"type": "convolution", "channels": channels, "kernel": kernel, **fields}


def shapes(*layers: dict[str, Any], image: Shape = IMAGE) -> list[str]:
    return [written(step.output) for step in walk(read(layers), image, 10)]


def vgg16() -> list[dict[str, Any]]:
    """Simonyan and Zisserman 2015, configuration D."""
    layers: list[dict[str, Any]] = []
    for channels, num_convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        layers += [convolution(channels, padding=1), {"type": "activation"}] * num_convolutions + [{"type": "pooling"}]
    layers += [{"type": "dense", "units": 4096}, {"type": "activation"}] * 2
    return layers


def test_vgg_16_as_a_list_has_its_published_number_of_parameters() -> None:
    steps = walk(read(vgg16()), (3, 224, 224), 1000)
    assert steps[-3].input == (4096,)
    assert sum(step.parameters for step in steps) + output_parameters(steps[-1].output, 1000) == 138_357_544


def test_every_kind_of_layer_makes_its_shape() -> None:
    assert shapes(
        convolution(8, stride=2, padding=1),
        {"type": "tiled_convolution", "channels": 4, "tiles": 3},
        convolution(8, groups=4, dilation=2),
        {"type": "transposed_convolution", "channels": 6, "kernel": 2, "stride": 2},
        {"type": "batch_norm", "name": "here"},
        {"type": "activation", "function": "softmax"},
        {"type": "addition", "source": "here"},
        {"type": "concatenation", "source": 3},
        {"type": "group_norm", "groups": 3},
        {"type": "pooling", "mode": "average"},
        {"type": "global_pooling"},
        {"type": "dense", "units": 5},
        {"type": "dropout"},
    ) == [
        "8×8×8",
        "4×6×6",
        "8×2×2",
        "6×4×4",
        "6×4×4",
        "6×4×4",
        "6×4×4",
        "12×4×4",
        "12×4×4",
        "12×2×2",
        "12×1×1",
        "5",
        "5",
    ]


@pytest.mark.parametrize(
    ("layers", "place", "words"),
    [
        (
            [convolution(16), {"type": "pooling"}, {"type": "pooling"}, convolution(8, 7)],
            3,
            "convolution 7×7 does not fit its input 16×3×3; use a smaller kernel, padding or fewer poolings",
        ),
        ([convolution(8, 5, dilation=4)], 0, "convolution 5×5 with dilation 4 does not fit its input 3×16×16"),
        ([convolution(8, 19, padding=1)], 0, "does not fit its input 3×16×16 padded by 1"),
        ([convolution(groups=2)], 0, "groups 2 must divide its input's 3 channels and its own 8"),
        ([{"type": "tiled_convolution", "channels": 8, "kernel": 17}], 0, "tiled_convolution 17×17 does not fit"),
        ([{"type": "dense", "units": 9}, convolution()], 1, "its input is 9 features; put it before the dense layers"),
        ([{"type": "dense", "units": 9}, {"type": "global_pooling"}], 1, "global_pooling takes maps"),
        ([{"type": "pooling", "kernel": 17}], 0, "pooling 17×17 does not fit"),
        ([{"type": "pooling", "kernel": 3, "padding": 2}], 0, "padding 2 must be at most half of the kernel 3"),
        ([{"type": "group_norm", "groups": 2}], 0, "groups 2 must divide the channels of its input 3×16×16"),
        ([{"type": "global_pooling"}, {"type": "group_norm", "groups": 3}], 1, "3×1×1 are single numbers"),
        (
            [{"type": "transposed_convolution", "channels": 2, "stride": 2, "output_padding": 2}],
            0,
            "output_padding 2 must be below the stride 2 or the dilation 1",
        ),
        (
            [{"type": "transposed_convolution", "channels": 2, "kernel": 1, "padding": 8}],
            0,
            "padding 8 leaves nothing of the transposed_convolution 1×1 of its input 3×16×16",
        ),
        (
            [convolution(8, name="first"), convolution(16), {"type": "addition", "source": "first"}],
            2,
            "addition of 'first', 8×14×14, to its input 16×12×12: both must have one shape",
        ),
        (
            [convolution(8), convolution(8), {"type": "concatenation", "source": 0}],
            2,
            "concatenation of 0, 8×14×14, to its input 8×12×12: both must have one height and width",
        ),
        (
            [convolution(8), {"type": "dense", "units": 8}, {"type": "concatenation", "source": 0}],
            2,
            "both must have one height and width",
        ),
        (
            [convolution(8, name="first"), {"type": "addition", "source": "frist"}],
            1,
            "source 'frist' is no earlier layer; use a place below 1 or a name: first",
        ),
        ([convolution(8), {"type": "addition", "source": 1}], 1, "source 1 is no earlier layer; use a place below 1"),
        ([{"type": "addition", "source": 0}], 0, "source 0 is no earlier layer; there is none before it"),
        (
            [convolution(8, name="a"), {"type": "activation"}, {"type": "activation", "name": "a"}],
            2,
            "the name 'a' is that of layer 0",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place_and_shapes(
    layers: list[dict[str, Any]], place: int, words: str
) -> None:
    with pytest.raises(Misfit) as caught:
        walk(read(layers), IMAGE, 10)
    assert caught.value.layer == place
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("layers", "place", "allowed"),
    [
        ([{"type": "dense", "units": 8192}] * 4, 3, MAX_PARAMETERS),
        ([convolution(4096, 1), convolution(4096, 3)], 1, MAX_PARAMETERS),
        ([convolution(4096, 1, padding=64)], 0, MAX_ACTIVATIONS),
        ([{"type": "transposed_convolution", "channels": 1, "kernel": 1, "stride": 64}] * 128, 1, MAX_ACTIVATIONS),
    ],
)
def test_a_network_too_large_is_refused_where_it_becomes_so(
    layers: list[dict[str, Any]], place: int, allowed: int
) -> None:
    with pytest.raises(Misfit, match=f"{allowed:,} are allowed") as caught:
        walk(read(layers), IMAGE, 10)
    assert caught.value.layer == place


def test_the_output_layer_counts_too() -> None:
    layers = read([{"type": "activation"}])
    walk(layers, (3, 512, 512), 100)
    with pytest.raises(Misfit, match="786,433,000 parameters") as caught:
        walk(layers, (3, 512, 512), 1000)
    assert caught.value.layer is None


def test_a_place_that_json_schema_lets_pass_is_refused_by_reading() -> None:
    with pytest.raises(Misfit) as caught:
        read([convolution(), convolution(0)])
    assert caught.value.layer == 1
