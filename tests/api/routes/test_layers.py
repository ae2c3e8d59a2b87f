"""Lists of layers and sizes of images that do not fit, refused by the gateway before a job is queued."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import add_dataset, opened
from tests.api.routes.test_jobs import DATA

LAYERS = ["body", "hyperparameters", "layers"]


def convolution(channels: int = 8, kernel: int = 3, **fields: Any) -> dict[str, Any]:
    return {"type": "convolution", "channels": channels, "kernel": kernel, **fields}


def add_images(client: TestClient, *shape: int, num_classes: int = 3) -> None:
    """A data set `pictures` of this shape."""
    classes = [str(number) for number in range(num_classes)]
    manifest = {
        **DATA,
        "splits": {"train": {"count": 20}},
        "classes": classes,
        "input": {"name": "image", "dtype": "uint8", "shape": list(shape)},
    }
    add_dataset(opened(client), "pictures", {}, manifest)


def refused(client: TestClient, architecture: str, **hyperparameters: Any) -> list[dict[str, Any]]:
    body = {
        "kind": "train",
        "architecture": architecture,
        "dataset": "pictures",
        "hyperparameters": hyperparameters,
    }
    response = client.post("/v1/jobs", json=body)
    assert response.status_code == 422, response.text
    assert client.get("/v1/jobs").json()["items"] == []
    errors: list[dict[str, Any]] = response.json()["errors"]
    return errors


@pytest.mark.parametrize(
    ("layers", "place", "words"),
    [
        ([], [], "should be non-empty"),
        ([{"type": "pooling"}] * 129, [], "is too long"),
        ("convolution", [], "is not of type 'array'"),
        ([{"type": "convolutoin"}], [0, "type"], "unknown; choose one of activation, addition"),
        ([{"channels": 3}], [0], "must be an object with a type"),
        ([convolution(sride=2)], [0, "sride"], "unknown; the fields are name, channels, kernel"),
        ([convolution(), convolution(0)], [1, "channels"], "0 is less than the minimum of 1"),
        ([{"type": "dense"}], [0], "'units' is a required property"),
        ([{"type": "activation", "function": "step"}], [0, "function"], "'step' is not one of"),
        (
            [convolution(16, padding=1), {"type": "pooling"}, {"type": "pooling"}, convolution(8, 7)],
            [3],
            "convolution 7×7 does not fit its input 16×4×4; use a smaller kernel, padding or fewer poolings",
        ),
        (
            [convolution(8, name="a"), convolution(8), {"type": "addition", "source": "a"}],
            [2],
            "addition of 'a', 8×14×14, to its input 8×12×12: both must have one shape",
        ),
        (
            [convolution(8, name="a"), convolution(8), {"type": "concatenation", "source": "a"}],
            [2],
            "both must have one height and width",
        ),
        ([convolution(), {"type": "addition", "source": "b"}], [1], "source 'b' is no earlier layer"),
        ([{"type": "dense", "units": 8}, convolution()], [1], "put it before the dense layers"),
        ([{"type": "dense", "units": 8192}] * 4, [3], "203,456,512 parameters and 150,000,000 are allowed"),
        ([convolution(4096, 1, padding=64)], [0], "84,934,656 numbers for one input and 50,000,000 are allowed"),
    ],
)
def test_a_wrong_list_of_layers_is_422_and_names_the_layer(
    lite_client: TestClient, layers: Any, place: list[str | int], words: str
) -> None:
    add_images(lite_client, 1, 16, 16)
    (error,) = refused(lite_client, "convnet", layers=layers)
    assert error["loc"] == LAYERS + place
    assert words in error["msg"]


def test_every_layer_that_the_schema_refuses_is_named(lite_client: TestClient) -> None:
    add_images(lite_client, 1, 16, 16)
    errors = refused(lite_client, "convnet", layers=[convolution(0), convolution(), {"type": "magic"}])
    assert [error["loc"] for error in errors] == [[*LAYERS, 0, "channels"], [*LAYERS, 2, "type"]]


def test_the_output_layer_is_counted_for_the_data_sets_classes(lite_client: TestClient) -> None:
    add_images(lite_client, 3, 512, 512, num_classes=1000)
    (error,) = refused(lite_client, "convnet", layers=[{"type": "activation"}])
    assert error["loc"] == LAYERS
    assert "786,433,000 parameters" in error["msg"]


def test_a_list_that_fits_is_queued(lite_client: TestClient) -> None:
    add_images(lite_client, 1, 16, 16)
    layers = [convolution(8, name="a"), convolution(8, padding=1), {"type": "addition", "source": "a"}]
    body = {"kind": "train", "architecture": "convnet", "dataset": "pictures", "hyperparameters": {"layers": layers}}
    response = lite_client.post("/v1/jobs", json=body)
    assert response.status_code == 202, response.text
    assert response.json()["request"]["hyperparameters"] == {"layers": layers}


def test_images_too_small_for_an_architecture_are_422(lite_client: TestClient) -> None:
    add_images(lite_client, 1, 3, 28)
    (error,) = refused(lite_client, "lenet")
    assert error["loc"] == ["body", "architecture"]
    assert error["msg"].startswith("lenet takes images of at least 4×4 pixels and this data set's are 3×28; ")
