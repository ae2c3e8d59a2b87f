"""Data sets on disk: arrays that grow, manifest, digest."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import UnsuitableData
from models.readers.writer import LABEL, MAX_EXAMPLES, DatasetWriter, Description, Skipped, image_input

IMAGES = Description("image", "classification", ["a", "b"], image_input(1, (2, 3), fitted=False), LABEL)


def write(directory: Path, labels: list[int], shade: int = 0) -> DatasetWriter:
    writer = DatasetWriter(directory)
    for label in labels:
        writer.inputs("train", np.uint8, (1, 2, 3)).append(np.full((1, 1, 2, 3), shade, np.uint8))
        writer.targets("train", np.int64).append(np.array([label]))
    return writer


def test_items_of_another_shape_are_refused(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "set") as writer, pytest.raises(ValueError, match="shape"):
        writer.inputs("train", np.uint8, (2,)).append(np.zeros((1, 3)))


def test_the_manifest_on_disk_is_the_one_returned(tmp_path: Path) -> None:
    with write(tmp_path / "set", [0, 1, 1]) as writer:
        manifest = writer.finish(IMAGES)
    assert json.loads((tmp_path / "set" / "manifest.json").read_text()) == manifest
    assert manifest["class_counts"] == {"train": [1, 2]}
    assert manifest["bytes"] == sum(path.stat().st_size for path in (tmp_path / "set").glob("*.npy"))


def test_nothing_is_left_of_a_data_set_that_was_not_finished(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableData), write(tmp_path / "set", [1, 1]) as writer:
        writer.finish(IMAGES)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_tells_data_apart(tmp_path: Path) -> None:
    digests = []
    for number, (labels, shade) in enumerate([([0, 1], 0), ([0, 1], 0), ([1, 0], 0), ([0, 1], 1)]):
        with write(tmp_path / str(number), labels, shade) as writer:
            digests.append(writer.finish(IMAGES)["digest"])
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert digests[0].startswith("sha256:")


def test_examples_of_what_was_skipped_are_few_and_short() -> None:
    skipped = Skipped()
    for _ in range(1000):
        skipped.add("n" * 10_000, "r" * 10_000)
    assert skipped.count == 1000
    assert len(json.dumps(skipped.as_json())) < 600 * MAX_EXAMPLES
