"""`mask-folder`: images and masks in two trees, and what is wrong with them; masks in `npz`."""

import io

import numpy as np
import pytest
from PIL import Image

from models.readers import shapes_masks
from tests.models.readers.builders import ingest, lying_png, noise, npz_of, png, refusal, tar_of, zip_of

CORNERS = np.array([[0, 0, 1, 1]] * 4 + [[2, 2, 0, 0]] * 4, np.uint8)


def mask(values: np.ndarray = CORNERS, mode: str = "L", format: str = "PNG") -> bytes:
    image = Image.fromarray(values.astype(np.uint8))
    if mode == "P":
        image.putpalette([90, 80, 70] * 256)
    buffer = io.BytesIO()
    (image if mode == "P" else image.convert(mode)).save(buffer, format)
    return buffer.getvalue()


def pairs(count: int = 3, values: np.ndarray = CORNERS, path: str = "{tree}/{name}") -> dict[str, bytes]:
    images = {path.format(tree="images", name=f"{i}.png"): png(i, size=(4, 8)) for i in range(count)}
    return images | {path.format(tree="masks", name=f"{i}.png"): mask(values) for i in range(count)}


@pytest.mark.parametrize("pack", [zip_of, tar_of, lambda files: tar_of(files, "w:gz")])
def test_images_and_masks_are_recognised_and_paired(pack) -> None:  # type: ignore[no-untyped-def]
    ingested = ingest(pack(pairs()))
    assert ingested.manifest["task"] == "segmentation"
    assert ingested.manifest["classes"] == ["0", "1", "2"]
    assert ingested.manifest["class_counts"] == {"train": [48, 24, 24]}
    assert ingested.manifest["input"] == {"name": "image", "dtype": "uint8", "shape": [1, 8, 4], "fit": "stretch"}
    assert ingested.manifest["target"] == {"name": "mask", "dtype": "uint8", "shape": [8, 4]}
    assert ingested.targets().dtype == np.uint8
    np.testing.assert_array_equal(ingested.targets(), np.stack([CORNERS] * 3))
    assert ingested.inputs()[:, 0, 0, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("path", ["{split}/{tree}/{name}", "{tree}/{split}/{name}", "top/{tree}/{split}/{name}"])
def test_splits_may_lie_above_or_below_the_trees(path: str) -> None:
    files: dict[str, bytes] = {}
    for split, count in (("train", 3), ("val", 2), ("test", 1)):
        files |= pairs(count, path=path.replace("{split}", split))
    assert ingest(zip_of(files)).counts == {"train": 3, "validation": 2, "test": 1}


def test_masks_may_come_in_another_order_than_their_images() -> None:
    masks = {f"masks/{i}.png": mask(np.roll(CORNERS, i, axis=0)) for i in (2, 0, 1)}
    images = {f"images/{i}.jpg": png(i, size=(4, 8), format="BMP") for i in (1, 2, 0)}
    ingested = ingest(zip_of(masks | images))
    for row, i in enumerate((1, 2, 0)):
        assert ingested.inputs()[row, 0, 0, 0] == i
        np.testing.assert_array_equal(ingested.targets()[row], np.roll(CORNERS, i, axis=0))


def test_a_palettes_indices_are_the_classes_not_its_colours() -> None:
    files = pairs() | {f"masks/{i}.png": mask(mode="P") for i in range(3)}
    np.testing.assert_array_equal(ingest(zip_of(files)).targets()[0], CORNERS)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_black_and_white_are_the_classes_0_and_1(mode: str) -> None:
    values = np.where(CORNERS == 1, 255, 0)
    files = pairs() | {f"masks/{i}.png": mask(values, mode) for i in range(3)}
    ingested = ingest(zip_of(files), classes=["ground", "cell"])
    assert ingested.manifest["classes"] == ["ground", "cell"]
    np.testing.assert_array_equal(ingested.targets()[0], CORNERS == 1)


def test_another_size_stretches_images_and_takes_the_nearest_class() -> None:
    ingested = ingest(zip_of(pairs()), image_size=[4, 8], channels=3)
    assert ingested.inputs().shape == (3, 3, 4, 8)
    np.testing.assert_array_equal(ingested.targets()[0], CORNERS[::2].repeat(2, axis=1))


def test_shares_are_held_out_at_ingest() -> None:
    ingested = ingest(zip_of(pairs(10)), split={"test": 0.2})
    assert ingested.counts == {"train": 8, "test": 2}
    assert ingested.targets("test").shape == (2, 8, 4)


def test_images_in_a_folder_of_that_name_without_masks_are_classes() -> None:
    ingested = ingest(zip_of({"images/cat/1.png": png(), "images/dog/1.png": png(1)}))
    assert ingested.manifest["classes"] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"images/lone.png": png(size=(4, 8))}, ["images/lone.png", "no mask", "add it to `masks`"]),
        ({"masks/lone.png": mask()}, ["masks/lone.png", "no image", "add it to `images`"]),
        ({"masks/1.png": mask(CORNERS[:4])}, ["1.png", "4×4", "4×8", "as large"]),
        ({"masks/1.png": mask(mode="RGB")}, ["masks/1.png", "in colour", "palette or grey"]),
        ({"masks/1.png": noise((4, 8))}, ["masks/1.png", "JPEG", "PNG"]),
        ({"masks/1.png": mask()[:60]}, ["masks/1.png", "truncated"]),
        ({"images/1.png": lying_png(10_000, 10_000)}, ["images/1.png", "pixels"]),
        ({"images/1.jpg": png(size=(4, 8))}, ["images/1.jpg", "one name"]),
        ({"masks/1.png": mask(CORNERS * 20)}, ["masks/1.png", "value 20", "no mask has 3", "renumber"]),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_the_remedy(files: dict[str, bytes], words: list[str]) -> None:
    detail = refusal(zip_of(pairs() | files)).detail
    assert all(word in detail for word in words), detail


def test_more_values_than_classes_are_refused() -> None:
    deep = np.full((8, 4), 300, np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(deep).save(buffer, "PNG")
    assert "300" in refusal(zip_of(pairs() | {"masks/1.png": buffer.getvalue()})).detail
    assert "`classes` has 2 names" in refusal(zip_of(pairs()), classes=["a", "b"]).detail
    for value in (0, 1, 255):
        values = np.full_like(CORNERS, value)
        assert f"All pixels of the masks are {value}" in refusal(zip_of(pairs(values=values))).detail


def test_options_for_something_else_are_refused() -> None:
    assert "segmentation" in refusal(zip_of(pairs()), task="classification").detail
    assert "masks/NAME" in refusal(zip_of({"a/1.png": png(), "b/1.png": png()}), task="segmentation").detail
    assert "`classes`" in refusal(b"x,y\n1,2\n2,3\n3,4\n", classes=["a", "b"]).detail


def test_arrays_of_masks() -> None:
    images = np.arange(6 * 8 * 4, dtype=np.uint8).reshape(6, 8, 4)
    ingested = ingest(npz_of(images=images, masks=np.stack([CORNERS] * 6).astype(np.int64)), image_size=[4, 8])
    assert ingested.manifest["task"] == "segmentation"
    assert ingested.manifest["input"]["fit"] == "stretch"
    np.testing.assert_array_equal(ingested.targets()[0], CORNERS[::2].repeat(2, axis=1))
    assert "(6, 8, 4)" in refusal(npz_of(x=images, y=np.zeros((6, 4, 4), np.uint8))).detail
    assert "-1" in refusal(npz_of(x=images, y=np.full((6, 8, 4), -1))).detail


def test_the_built_in_masks_are_those_of_their_pictures() -> None:
    ingested = ingest(None, "builtin", builtin="shapes_masks")
    assert ingested.manifest["classes"] == list(shapes_masks.CLASSES)
    assert ingested.counts == {"train": shapes_masks.COUNT}
    image, truth = ingested.inputs()[0, 0].astype(float), ingested.targets()[0]
    assert image[truth > 0].mean() > image[truth == 0].mean() + 40
    assert image[truth == 0].std() < 15
