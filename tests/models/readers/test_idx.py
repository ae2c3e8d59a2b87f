"""`idx`: MNIST's files, whole and damaged."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.models.readers.builders import idx, ingest, mnist_files, refusal, tar_of, zip_of


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_the_four_files_are_read(pack, compress: bool) -> None:  # type: ignore[no-untyped-def]
    ingested = ingest(pack(mnist_files(compress=compress)))
    assert ingested.counts == {"train": 12, "test": 6}
    assert ingested.manifest["classes"] == ["0", "1", "2"]
    assert ingested.manifest["input"]["shape"] == [1, 5, 4]
    assert ingested.inputs().reshape(-1).tolist() == [value % 256 for value in range(240)]
    assert ingested.targets("test").tolist() == [0, 1, 2, 0, 1, 2]


def test_a_training_pair_alone_is_read() -> None:
    assert ingest(zip_of(mnist_files(test=None))).counts == {"train": 12}


def test_other_files_and_a_folder_around_are_no_matter() -> None:
    files = {f"MNIST/raw/{name}": data for name, data in mnist_files().items()}
    ingested = ingest(zip_of({"MNIST/LICENSE": b"free", "__MACOSX/._idx3-ubyte": b"\0", **files}))
    assert ingested.counts == {"train": 12, "test": 6}
    assert {reason for _, reason in ingested.skipped} == {"not an idx file"}


def test_images_without_labels_are_unlabelled() -> None:
    files = {name: data for name, data in mnist_files().items() if "images" in name}
    assert ingest(zip_of(files)).manifest["task"] is None


def test_labels_are_left_out_on_wish() -> None:
    ingested = ingest(zip_of(mnist_files()), target="")
    assert ingested.manifest["task"] is None
    assert ingested.outcome.dataset is not None
    assert not (ingested.outcome.dataset / "train.targets.npy").exists()


def test_labels_that_do_not_begin_at_zero_are_numbered() -> None:
    files = mnist_files(compress=False, test=None)
    files["train-labels-idx1-ubyte"] = idx(np.array([3, 7] * 6))
    ingested = ingest(zip_of(files))
    assert ingested.manifest["classes"] == ["3", "7"]
    assert ingested.targets().tolist() == [0, 1] * 6


def test_images_are_resized_on_wish() -> None:
    ingested = ingest(zip_of(mnist_files()), image_size=8, channels=3)
    assert ingested.inputs("test").shape == (6, 3, 8, 8)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("size", [2, 7, 15, -1])
def test_a_file_shorter_than_its_header_is_refused(name: str, compress: bool, size: int) -> None:
    files = mnist_files(compress=False)
    files[name] = files[name][:size]
    if compress:
        files = {f"{name}.gz": gzip.compress(data) for name, data in files.items()}
    error = refusal(zip_of(files))
    assert error.code == "idx_invalid"
    assert name in error.detail


def test_a_header_that_declares_billions_of_images_is_refused() -> None:
    files = mnist_files(compress=False)
    files["train-images-idx3-ubyte"] = b"\0\0\x08\x03" + b"\xff\xff\xff\xff" + b"\0\0\0\x1c" * 2 + b"x" * 1000
    assert "shorter" in refusal(zip_of(files)).detail


@pytest.mark.parametrize(
    "header", [b"\0\0\x08\x03\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff", b"\0\0\x08\x03" + b"\0" * 12]
)
def test_images_of_impossible_size_are_refused(header: bytes) -> None:
    assert refusal(zip_of({"train-images-idx3-ubyte": header})).code == "idx_invalid"


def test_a_file_longer_than_its_header_is_refused() -> None:
    files = mnist_files(compress=False)
    files["train-labels-idx1-ubyte"] += b"\0"
    assert "longer" in refusal(zip_of(files)).detail


def test_values_of_another_type_are_refused() -> None:
    files = mnist_files(compress=False)
    files["train-images-idx3-ubyte"] = b"\0\0\x0d\x03" + files["train-images-idx3-ubyte"][4:]
    assert "unsigned bytes" in refusal(zip_of(files)).detail


def test_images_and_labels_of_different_number_are_refused() -> None:
    files = mnist_files(compress=False)
    files["train-labels-idx1-ubyte"] = idx(np.arange(11) % 3)
    error = refusal(zip_of(files))
    assert "12 images" in error.detail
    assert "11 labels" in error.detail


def test_labels_alone_are_refused() -> None:
    files = {name: data for name, data in mnist_files().items() if "labels" in name}
    assert refusal(zip_of(files)).code == "idx_invalid"


def test_a_file_that_comes_twice_is_refused() -> None:
    assert "second time" in refusal(zip_of(mnist_files() | mnist_files(compress=False))).detail


def test_a_file_that_belongs_to_no_split_is_refused() -> None:
    assert "no split" in refusal(zip_of({"images-idx3-ubyte": idx(np.zeros((2, 3, 3)))})).detail


def test_one_class_only_is_refused() -> None:
    assert refusal(zip_of(mnist_files(classes=1))).code == "unsuitable_data"


def test_a_gzip_bomb_inside_is_refused() -> None:
    bomb = gzip.compress(b"\0\0\x08\x03\0\1\0\0\0\0\4\0\0\0\4\0" + bytes(40 * 2**20))
    assert refusal(zip_of({"train-images-idx3-ubyte.gz": bomb})).code == "archive_too_large"


def test_fashion_mnist_is_read(test_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "fashion-mnist.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in (test_data / "fashion-mnist").glob("*ubyte.gz"):
            archive.write(file, file.name)
    ingested = ingest(path)
    assert ingested.counts == {"train": 60_000, "test": 10_000}
    assert ingested.manifest["class_counts"] == {"train": [6000] * 10, "test": [1000] * 10}
    assert ingested.inputs().shape == (60_000, 1, 28, 28)
    assert round(float(ingested.inputs().mean()), 2) == 72.94
