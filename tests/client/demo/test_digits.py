"""The demo's data."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from client.demo.digits import Digits


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits.load()


def test_every_scan_is_in_one_part(digits: Digits) -> None:
    parts = [[scan.pixels.tobytes() for scan in part] for part in (digits.train, digits.test, digits.held_out)]
    assert sum(map(len, parts)) == 1797
    assert Counter(parts[0] + parts[1] + parts[2]).most_common(1)[0][1] == 1


def test_one_of_each_digit_is_held_out(digits: Digits) -> None:
    assert [scan.label for scan in digits.held_out] == list(range(10))


def test_the_zip_is_an_image_folder_with_both_splits(digits: Digits, tmp_path: Path) -> None:
    digits.write_zip(tmp_path / "digits.zip")
    with zipfile.ZipFile(tmp_path / "digits.zip") as archive:
        folders = {name.rsplit("/", 1)[0] for name in archive.namelist()}
        image = Image.open(io.BytesIO(archive.read(archive.namelist()[0])))
    assert folders == {f"{split}/{label}" for split in ("train", "test") for label in range(10)}
    assert (image.size, image.mode) == ((32, 32), "L")


def test_the_picture_is_sixteen_by_eight_characters(digits: Digits) -> None:
    picture = digits.held_out[3].picture()
    assert (len(picture), {len(line) for line in picture}) == (8, {16})
