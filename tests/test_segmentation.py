"""Segmentation through the real stack: a folder of images and masks goes in, the mask of a new image comes out."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from client.api import Syllabus
from client.cli.app import app
from tests.stack import Stack


def grey(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.astype(np.uint8))


def draw(folder: Path, count: int) -> None:
    """Images of 45 by 32 pixels with a bright rectangle on noise, and black and white masks of the rectangle."""
    generator = np.random.default_rng(0)
    for tree in ("images", "masks"):
        (folder / tree).mkdir(parents=True)
    for i in range(count):
        mask = np.zeros((32, 45), bool)
        top, left = generator.integers(0, 16, 2)
        mask[top : top + 14, left : left + 20] = True
        grey(generator.normal(60 + 120 * mask, 10).clip(0, 255)).save(folder / "images" / f"{i}.png")
        grey(255 * mask).save(folder / "masks" / f"{i}.png")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("upload") / "cells"
    draw(folder, 60)
    return folder


def test_from_a_folder_of_masks_to_the_mask_of_a_photo(stack: Stack, cells: Path, tmp_path: Path) -> None:
    with Syllabus(stack.url) as api:
        job = api.jobs.wait(api.datasets.upload(cells, options={"classes": ["ground", "cell"]})["id"])
        assert job["state"] == "succeeded", job
        dataset = api.datasets.get("cells")
        assert (dataset["task"], dataset["classes"]) == ("segmentation", ["ground", "cell"])
        sheet = api.datasets.preview("cells", n=1)
        assert isinstance(sheet, bytes)
        assert Image.open(io.BytesIO(sheet)).size == (2 * 45, 32)

        training = {"epochs": 8, "batch_size": 8, "early_stopping": {"metric": "val_iou"}}
        training["optimizer"] = {"name": "adam", "learning_rate": 0.01}
        hyperparameters = {"depth": 2, "channels": 4}
        job = api.train("unet", "cells", hyperparameters=hyperparameters, training=training)
        job = api.jobs.wait(job["id"])
        assert job["state"] == "succeeded", job
        assert job["result"]["metrics"]["mean_iou"] > 0.9

        photo, truth = Image.open(cells / "images" / "0.png"), np.asarray(Image.open(cells / "masks" / "0.png")) > 0
        photo.resize((450, 320)).save(tmp_path / "photo.png")
        png = api.predict_mask("cells-unet", tmp_path / "photo.png")
        mask = np.asarray(Image.open(io.BytesIO(png)))
        assert mask.shape == (320, 450)
        assert ((mask == 1) == truth.repeat(10, axis=0).repeat(10, axis=1)).mean() > 0.95

        job = api.jobs.wait(api.infer("cells-unet", "cells")["id"])
        assert job["state"] == "succeeded", job
        saved = api.jobs.download(job["id"], "masks.zip", tmp_path / "masks.zip")
        with zipfile.ZipFile(saved) as archive:
            assert len(archive.namelist()) == 60
            assert Image.open(io.BytesIO(archive.read("train/000000.png"))).size == (45, 32)

    folder = tmp_path / "found"
    command = ["--url", stack.url, "predict", "cells-unet", str(tmp_path / "photo.png"), "-o", str(folder)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "cell" in result.stdout
    assert (folder / "photo.png").read_bytes() == png


def test_a_mask_that_is_missing_is_named(stack: Stack, cells: Path) -> None:
    with Syllabus(stack.url) as api:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path in sorted(cells.rglob("*.png")):
                if path.parent.name == "images" or path.name != "7.png":
                    archive.write(path, path.relative_to(cells))
        answer = stack.http.post("/v1/datasets", params={"name": "torn"}, content=buffer.getvalue())
        job = api.jobs.wait(answer.json()["job"]["id"])
        assert (job["state"], job["error"]["code"]) == ("failed", "masks_invalid")
        assert "images/7.png" in job["error"]["detail"]
