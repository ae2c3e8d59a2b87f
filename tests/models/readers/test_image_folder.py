"""`image-folder`: layouts, sizes and colours, and images that are not what they say."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.models.readers.builders import ingest, lying_png, noise, png, refusal, tar_of, two_classes, zip_of


@pytest.mark.parametrize("pack", [zip_of, tar_of, lambda files: tar_of(files, "w:gz")])
def test_class_folders_become_classes(pack) -> None:  # type: ignore[no-untyped-def]
    ingested = ingest(pack(two_classes()))
    assert ingested.manifest["classes"] == ["cat", "dog"]
    assert ingested.manifest["class_counts"] == {"train": [4, 4]}
    assert ingested.manifest["input"] == {"name": "image", "dtype": "uint8", "shape": [1, 8, 8]}
    assert ingested.inputs()[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 100, 101, 102, 103]
    assert ingested.targets().tolist() == [0] * 4 + [1] * 4
    assert (ingested.inputs().dtype, ingested.targets().dtype) == (np.uint8, np.int64)


def test_a_common_top_folder_is_stripped() -> None:
    assert ingest(zip_of(two_classes(prefix="photos/of/"))).manifest["classes"] == ["cat", "dog"]


@pytest.mark.parametrize(
    "names", [("train", "val", "test"), ("Train", "validation", "TEST"), ("training", "valid", "testing")]
)
def test_split_folders_become_splits(names: tuple[str, str, str]) -> None:
    files = {name: data for split in names for name, data in two_classes(2, f"top/{split}/").items()}
    ingested = ingest(zip_of(files))
    assert ingested.counts == {"train": 4, "validation": 4, "test": 4}
    assert ingested.manifest["classes"] == ["cat", "dog"]


def test_folders_inside_a_class_belong_to_it() -> None:
    ingested = ingest(zip_of({"cat/old/1.png": png(), "cat/2.png": png(), "dog/3.png": png()}))
    assert ingested.manifest["class_counts"] == {"train": [2, 1]}


def test_files_without_folders_are_unlabelled() -> None:
    ingested = ingest(zip_of({"1.png": png(1), "2.png": png(2)}))
    assert ingested.manifest["task"] is ingested.manifest["classes"] is ingested.manifest["target"] is None
    assert ingested.counts == {"train": 2}


def test_an_empty_target_makes_folders_mere_order() -> None:
    ingested = ingest(zip_of(two_classes()), target="")
    assert ingested.manifest["task"] is None
    assert ingested.counts == {"train": 8}


def test_an_image_beside_the_class_folders_is_set_aside() -> None:
    ingested = ingest(zip_of({**two_classes(), "cover.png": png()}))
    assert ingested.skipped == [("cover.png", "the image lies in no class folder, as others do")]


def test_side_files_are_skipped_and_counted() -> None:
    side = {
        "LICENSE.txt": b"free",
        "README": b"read me",
        ".DS_Store": b"\0",
        "__MACOSX/cat/._0.png": b"\0",
        "cat/.hidden.png": png(),
        "cat/Thumbs.db": b"\0",
    }
    ingested = ingest(zip_of({**side, **two_classes()}))
    assert ingested.counts == {"train": 8}
    assert {name for name, _ in ingested.skipped} == set(side)


def test_mixed_sizes_become_64_by_64_and_colour_is_kept() -> None:
    files = {
        "cat/1.jpg": noise((90, 60)),
        "cat/2.png": png(),
        "dog/1.jpg": noise((40, 80)),
        "dog/2.gif": png(format="GIF"),
    }
    ingested = ingest(zip_of(files))
    assert ingested.manifest["input"] == {"name": "image", "dtype": "uint8", "shape": [3, 64, 64], "fitted": True}
    assert ingested.inputs().shape == (4, 3, 64, 64)


def test_large_images_of_one_size_become_64_by_64() -> None:
    files = {name: png(size=(300, 300)) for name in ("cat/1.png", "dog/1.png")}
    described = ingest(zip_of(files)).manifest["input"]
    assert (described["shape"], described["fitted"]) == ([1, 64, 64], True)


@pytest.mark.parametrize(("image_size", "shape"), [(10, [3, 10, 10]), ([6, 12], [3, 6, 12])])
def test_size_and_channels_may_be_chosen(image_size: int | list[int], shape: list[int]) -> None:
    ingested = ingest(zip_of(two_classes()), image_size=image_size, channels=3)
    assert (ingested.manifest["input"]["shape"], ingested.manifest["input"]["fitted"]) == (shape, True)
    assert list(ingested.inputs().shape[1:]) == shape


def test_a_truncated_image_is_set_aside() -> None:
    ingested = ingest(zip_of({**two_classes(), "dog/torn.jpg": noise()[:500]}))
    assert ingested.counts == {"train": 8}
    [(name, reason)] = ingested.skipped
    assert name == "dog/torn.jpg"
    assert "truncated" in reason
    assert any("dog/torn.jpg" in line for line in ingested.reporter.lines)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lying_png(10_000, 10_000), "pixels"),
        (lying_png(100, 100), "truncated"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a PNG"),
        (b"8BPS\0\1" + b"\0" * 60, "not a PNG"),
        (b"SIMPLE  =                    T" + b" " * 50, "not a PNG"),
        (b"", "empty"),
    ],
)
def test_a_lying_or_foreign_image_is_set_aside_with_the_reason(data: bytes, reason: str) -> None:
    ingested = ingest(zip_of({**two_classes(), "cat/bad.png": data}))
    assert ingested.counts == {"train": 8}
    assert ingested.skipped[0][0] == "cat/bad.png"
    assert reason in ingested.skipped[0][1]


def test_a_file_too_large_for_an_image_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.readers.image_files.MAX_IMAGE_BYTES", 500)
    ingested = ingest(zip_of({**two_classes(), "cat/vast.jpg": noise()}))
    assert ingested.skipped == [("cat/vast.jpg", "the file is larger than 500 bytes")]


def test_an_upload_of_which_most_images_fail_is_refused() -> None:
    files = {**two_classes(1), **{f"cat/torn{i}.jpg": noise()[:400] for i in range(3)}}
    error = refusal(zip_of(files))
    assert error.code == "images_unreadable"
    assert "3 of 5" in error.detail
    assert "cat/torn0.jpg" in error.detail


def test_an_upload_of_which_all_images_fail_is_refused() -> None:
    assert refusal(zip_of({"a/1.png": b"x", "b/2.png": b"y"})).code == "images_unreadable"


def test_one_class_only_is_refused() -> None:
    for files in ({"cat/1.png": png(), "cat/2.png": png()}, {"train/cat/1.png": png(), "test/cat/2.png": png()}):
        error = refusal(zip_of(files))
        assert error.code == "unsuitable_data"
        assert "cat" in error.detail
        assert "at least two" in error.detail


def test_a_class_without_training_images_is_refused() -> None:
    files = {**two_classes(2, "train/"), **two_classes(2, "test/"), "test/emu/1.png": png()}
    assert "emu" in refusal(zip_of(files)).detail


def test_more_classes_than_a_course_trains_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.readers.image_folder.MAX_CLASSES", 1)
    assert refusal(zip_of(two_classes())).code == "unsuitable_data"


def test_an_archive_without_images_is_refused() -> None:
    assert refusal(zip_of({"a/notes.txt": b"text"}), "image-folder").code == "images_missing"


def test_regression_on_class_folders_is_refused() -> None:
    assert refusal(zip_of(two_classes()), task="regression").code == "options_invalid"


def test_flower_photos_are_read(test_data: Path) -> None:
    ingested = ingest(test_data / "flowers" / "flower_photos_subset.tar.gz")
    assert ingested.counts == {"train": 200, "validation": 50}
    assert ingested.manifest["classes"] == ["daisy", "dandelion", "roses", "sunflowers", "tulips"]
    assert ingested.inputs().shape == (200, 3, 64, 64)
    assert ingested.inputs().std() > 40


def test_a_zip_of_stored_and_deflated_images_gives_the_same_data() -> None:
    stored, deflated = (ingest(zip_of(two_classes(), method)) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    assert stored.manifest["digest"] == deflated.manifest["digest"]
