import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from models.errors import JobError
from models.explanation.maps import kernel_tiles, kernels
from models.explanation.subject import Subject
from models.run import Outcome, run
from tests.models.explanation.networks import Made, images


def identity_first(network: nn.Module) -> None:
    """The first kernel is 1 in its middle and the second -0.5 in its corner; the others are 0."""
    weight = network.get_parameter("features.0.weight")
    weight.zero_()
    weight[0, :, 2, 2] = 1.0
    weight[1, :, 0, 0] = -0.5
    network.get_parameter("features.0.bias").zero_()


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path, "lenet", images(), np.arange(6) % 2, labels=["a", "b"], set_weights=identity_first)


def picture(outcome: Outcome, name: str) -> NDArray[Any]:
    (file,) = [file for file in outcome.files if file.name == name]
    return np.asarray(Image.open(file.path))


def find(sheet: NDArray[Any], tile: NDArray[Any]) -> bool:
    """Whether a tile, enlarged by a whole number, is somewhere on the sheet."""
    for factor in range(1, 13):
        large = tile.repeat(factor, 0).repeat(factor, 1)
        windows = np.lib.stride_tricks.sliding_window_view(sheet[:, :, 0], large.shape[:2])
        if factor > 1 and (windows == large[:, :, 0]).all(axis=(2, 3)).any():
            return True
    return False


def test_a_picture_of_kernels_shows_their_values(made: Made, tmp_path: Path) -> None:
    outcome = run(made.context(tmp_path / "job", methods=["kernels"], samples=1))
    layer = Subject.of(made.version, made.weights).layer("features.0")
    first, second, *others = kernel_tiles(kernels(layer))
    white, red, blue = first[0, 0], first[2, 2], second[0, 0]
    assert white.min() > 240
    assert (red[0] > red[2], blue[0] < blue[2]) == (True, True)
    assert (first.reshape(-1, 3) == white).all(axis=1).sum() == 24
    assert all((tile == white).all() for tile in others)
    sheet = picture(outcome, "kernels.features.0.png")
    assert find(sheet, first)
    assert find(sheet, second)
    assert not find(sheet, np.roll(first, 1, axis=0))


def test_kernels_over_colours_are_in_colours(tmp_path: Path) -> None:
    def red_only(network: nn.Module) -> None:
        weight = network.get_parameter("features.0.weight")
        weight.zero_()
        weight[0, 0] = 2.0

    made = Made(tmp_path, "lenet", images(channels=3), np.arange(6) % 2, labels=["a", "b"], set_weights=red_only)
    tiles = kernel_tiles(kernels(Subject.of(made.version, made.weights).layer("features.0")))
    assert len(tiles) == 6
    assert tiles[0].reshape(-1, 3).tolist() == [[255, 128, 128]] * 25


def test_feature_maps_have_the_sizes_of_their_layers_and_the_values_of_the_image(made: Made, tmp_path: Path) -> None:
    outcome = run(made.context(tmp_path / "job", methods=["feature_maps"], samples=[2]))
    report = json.loads((tmp_path / "job/scratch/report.json").read_text())
    found = report["samples"][0]["methods"]["feature_maps"]
    assert [(layer["layer"], layer["shape"], layer["shown"]) for layer in found["layers"]] == [
        ("features.0", [6, 8, 8], 6),
        ("features.3", [16, 4, 4], 16),
    ]
    assert found["layers"][0]["largest"] == images()[2].max()  # an identity kernel
    assert {"name": "features.5", "shape": [16, 2, 2]} in report["layers"]
    assert picture(outcome, "feature_maps.all-2.png").ndim == 3


def test_a_named_layer_is_shown_alone_and_need_not_be_a_convolution(made: Made, tmp_path: Path) -> None:
    run(made.context(tmp_path / "job", methods=["feature_maps", "grad_cam"], samples=1, layer="features.2"))
    methods = json.loads((tmp_path / "job/scratch/report.json").read_text())["samples"][0]["methods"]
    assert [layer["shape"] for layer in methods["feature_maps"]["layers"]] == [[6, 4, 4]]
    assert methods["grad_cam"]["layer"] == "features.2"


def test_at_most_64_maps_and_8_layers_are_shown(tmp_path: Path) -> None:
    made = Made(tmp_path, "resnet", images(), np.arange(6) % 2, labels=["a", "b"])
    run(made.context(tmp_path / "job", methods=["feature_maps"], samples=1))
    report = json.loads((tmp_path / "job/scratch/report.json").read_text())
    layers = report["samples"][0]["methods"]["feature_maps"]["layers"]
    assert len(layers) == 8
    assert {layer["shown"] for layer in layers} == {64}
    assert layers[-1]["shape"][0] == 512
    convolutions = [layer["name"] for layer in report["layers"]]
    assert convolutions.index(layers[0]["layer"]) == 0


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"methods": ["grad_cam"], "layer": "features.9"}, "unknown_layer", "features.0, features.3"),
        ({"methods": ["feature_maps"], "layer": "classifier.0"}, "unknown_layer", "features.0, features.3"),
        ({"methods": ["kernels"], "layer": "features.1"}, "no_kernels", "features.1"),
        ({"methods": ["saliency"], "samples": [0, 6]}, "row_out_of_range", "rows 0 to 5"),
        ({"methods": ["deepdream"], "deepdream": {"channel": 16}}, "unknown_channel", "0 to 15"),
    ],
)
def test_what_is_not_there_is_refused_with_what_there_is(
    made: Made, tmp_path: Path, request_: dict[str, Any], code: str, said: str
) -> None:
    context = made.context(tmp_path / "job", **request_)
    context.request["deepdream"] = {
        **made.context(tmp_path / "job").request["deepdream"],
        **request_.get("deepdream", {}),
    }
    with pytest.raises(JobError) as caught:
        run(context)
    assert caught.value.code == code
    assert said in caught.value.detail


def test_a_network_without_convolutions_is_refused_naming_the_methods(tmp_path: Path) -> None:
    made = Made(tmp_path, "mlp", images(), np.arange(6) % 2, labels=["a", "b"])
    with pytest.raises(JobError) as caught:
        run(made.context(tmp_path / "job", methods=["saliency", "kernels", "deepdream"]))
    assert caught.value.code == "no_convolution"
    assert "kernels, deepdream" in caught.value.detail
    assert "mlp" in caught.value.detail
