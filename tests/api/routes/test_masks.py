"""POST /v1/models/{name}/predict of a segmentation."""

import base64
import io
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from services.settings import Settings
from services.tables import ModelVersion
from tests.api.conftest import add_version, migrate, opened
from tests.serving_models import image_segmenter, mask_signature

MASKS = "/v1/models/masks/predict"
AS_PNG = {"accept": "image/png"}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: prediction reads one row."""
    url = f"sqlite:///{tmp_path / 'syllabus.db'}"
    migrate(Settings(home=tmp_path, database_url=url))
    return url


@pytest.fixture
def masks(client: TestClient) -> ModelVersion:
    """The model `masks`, which calls each quarter of an image dark or bright."""
    return add_version(opened(client), "masks", image_segmenter(), mask_signature())


def picture(width: int, height: int, orientation: int | None = None) -> bytes:
    """An image whose left half is black and whose right half is white."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, width // 2 :] = 255
    buffer = io.BytesIO()
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.fromarray(pixels).save(buffer, "PNG", exif=exif)
    return buffer.getvalue()


def indices(png: bytes) -> list[Any]:
    image = Image.open(io.BytesIO(png))
    assert (image.format, image.mode) == ("PNG", "P")
    listed: list[Any] = np.asarray(image).tolist()
    return listed


def send(client: TestClient, image: bytes, **headers: str) -> httpx.Response:
    response: httpx.Response = client.post(MASKS, content=image, headers={"content-type": "image/png", **headers})
    assert response.status_code == 200, response.text
    return response


@pytest.mark.usefixtures("masks")
class TestMasks:
    def test_the_mask_has_the_images_size_and_shares_add_up(self, client: TestClient) -> None:
        (item,) = send(client, picture(6, 2)).json()["predictions"]
        assert indices(base64.b64decode(item["mask"])) == [[0, 0, 0, 1, 1, 1]] * 2
        assert (item["width"], item["height"], item["shares"]) == (6, 2, {"dark": 0.5, "bright": 0.5})

    def test_a_client_that_asks_for_png_gets_the_mask_itself(self, client: TestClient) -> None:
        response = send(client, picture(4, 4), **AS_PNG)
        assert response.headers["content-type"] == "image/png"
        assert "infer;dur=" in response.headers["server-timing"]
        assert indices(response.content) == [[0, 0, 1, 1]] * 4

    @pytest.mark.parametrize("accept", ["*/*", "application/json, image/png", "text/html, */*;q=0.8, image/png"])
    def test_json_is_what_others_get(self, client: TestClient, accept: str) -> None:
        assert send(client, picture(4, 4), accept=accept).json()["model"] == "masks"

    def test_a_large_image_is_answered_at_its_size_too(self, client: TestClient) -> None:
        mask = np.array(indices(send(client, picture(1500, 900), **AS_PNG).content))
        assert mask.shape == (900, 1500)
        assert mask.mean() == pytest.approx(0.5)

    def test_an_image_that_lies_on_its_side_is_answered_upright(self, client: TestClient) -> None:
        (item,) = send(client, picture(6, 2, orientation=6)).json()["predictions"]
        assert (item["width"], item["height"]) == (2, 6)
        assert indices(base64.b64decode(item["mask"])) == [[0, 0]] * 3 + [[1, 1]] * 3

    def test_several_images_are_answered_in_their_order_but_not_as_one_picture(self, client: TestClient) -> None:
        files = [("file", picture(4, 2)), ("file", picture(2, 8))]
        items = client.post(MASKS, files=files).json()["predictions"]
        assert [(item["width"], item["height"]) for item in items] == [(4, 2), (2, 8)]
        refused = client.post(MASKS, files=files, headers=AS_PNG)
        assert (refused.status_code, refused.json()["code"]) == (422, "one_picture_only")

    def test_pixels_are_answered_at_the_networks_size(self, client: TestClient) -> None:
        (item,) = client.post(MASKS, json={"inputs": [[[0, 255], [255, 0]]]}).json()["predictions"]
        assert indices(base64.b64decode(item["mask"])) == [[0, 1], [1, 0]]

    def test_the_protocol_gives_the_probabilities_of_each_pixel(self, client: TestClient) -> None:
        tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 1, 2, 2], "data": [0, 255, 51, 204]}
        (output,) = client.post("/v2/models/masks/infer", json={"inputs": [tensor]}).json()["outputs"]
        assert output["shape"] == [1, 2, 2, 2]
        assert output["data"] == pytest.approx([1, 0, 0.8, 0.2, 0, 1, 0.2, 0.8])


def test_a_classifier_has_no_picture_to_answer(client: TestClient, shades: ModelVersion) -> None:
    response = client.post(
        "/v1/models/shades/predict", content=picture(4, 4), headers={"content-type": "image/png", **AS_PNG}
    )
    assert response.json()["predictions"][0]["label"] == "middle"
