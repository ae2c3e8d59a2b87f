"""`syllabus generate` and its like against the real stack."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.resources import Resources
from tests.client.cli.conftest import Command
from tests.generative_models import add_homes, add_lamps, add_shades, add_writer
from tests.stack import Stack


@pytest.fixture(scope="module", autouse=True)
def versions(stack: Stack) -> None:
    """The models `cli-shades`, `cli-lamps`, `cli-homes` and `cli-writer`."""
    resources = Resources.open(stack.settings)
    add_shades(resources, "cli-shades")
    add_lamps(resources, "cli-lamps")
    add_homes(resources, "cli-homes")
    add_writer(resources, "cli-writer")
    resources.close()


@pytest.fixture
def stripes(tmp_path: Path) -> Path:
    """A picture whose columns are black and white, which its code tells entirely."""
    path = tmp_path / "stripes.png"
    Image.fromarray(np.array([[0, 255], [0, 255]], np.uint8)).save(path)
    return path


@pytest.fixture
def checks(tmp_path: Path) -> Path:
    """A picture of which its code tells nothing."""
    path = tmp_path / "checks.png"
    Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).save(path)
    return path


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_samples_are_a_sheet_an_archive_or_files(syllabus: Command, tmp_path: Path) -> None:
    sheet, archive, folder = tmp_path / "s.png", tmp_path / "s.zip", tmp_path / "s"
    for output in (sheet, archive, folder):
        result = syllabus("generate", "cli-shades", "-n", "4", "--seed", "7", "-o", str(output))
        assert result.exit_code == 0, result.stderr
    assert size(sheet) == (6, 6)
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["0.png", "1.png", "2.png", "3.png"]
    with zipfile.ZipFile(archive) as zipped:
        assert [zipped.read(name) for name in files] == [(folder / name).read_bytes() for name in files]
    assert "4 images of seed 7" in syllabus("generate", "cli-shades", "-n", "4", "--seed", "7").stdout


def test_a_class_may_be_asked_for(syllabus: Command) -> None:
    both = ("--label", "lit", "--label", "dim")
    assert syllabus.json("generate", "cli-lamps", "-n", "2", *both)["labels"] == ["lit", "dim"]
    assert syllabus.json("generate", "cli-lamps", "-n", "2", "--label", "lit")["labels"] == ["lit", "lit"]
    refused = syllabus("generate", "cli-shades", "--label", "lit")
    assert (refused.exit_code, "not conditional" in refused.stderr) == (3, True)


def test_rows_are_a_table(syllabus: Command, tmp_path: Path) -> None:
    result = syllabus("generate", "cli-homes", "-n", "2", "-o", str(tmp_path / "rows"))
    assert "rooms" in result.stdout
    assert len(json.loads((tmp_path / "rows" / "rows.json").read_text())["rows"]) == 2


def test_codes_are_kept_and_made_pictures_again(syllabus: Command, stripes: Path, tmp_path: Path) -> None:
    codes, picture = tmp_path / "codes.json", tmp_path / "again.png"
    assert syllabus("encode", "cli-shades", str(stripes), "-o", str(codes)).exit_code == 0
    assert json.loads(codes.read_text()) == {"codes": [[0.0, 1.0]]}
    assert syllabus("decode", "cli-shades", str(codes), "-o", str(picture)).exit_code == 0
    with Image.open(picture) as image:
        assert np.asarray(image).tolist() == [[0, 255], [0, 255]]
    for text in ("[]", "{", '{"codes": 3}'):
        codes.write_text(text)
        assert syllabus("decode", "cli-shades", str(codes)).exit_code == 2


def test_what_is_left_of_an_input_comes_with_its_error(syllabus: Command, checks: Path, tmp_path: Path) -> None:
    assert "0.25" in syllabus("reconstruct", "cli-shades", str(checks)).stdout
    target = tmp_path / "left.png"
    assert syllabus("reconstruct", "cli-shades", str(checks), "-o", str(target)).exit_code == 0
    assert size(target) == (2, 2)
    assert syllabus("reconstruct", "cli-shades").exit_code == 2


def test_an_anomaly_is_named(syllabus: Command, stripes: Path, checks: Path) -> None:
    lines = syllabus("anomaly", "cli-shades", str(stripes), str(checks)).stdout.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["no", "yes"]
    assert "checks.png" in lines[2]


def test_a_path_goes_between_seeds_files_and_codes(syllabus: Command, stripes: Path, tmp_path: Path) -> None:
    strip = tmp_path / "strip.png"
    ends = (("3", "4"), (str(stripes), "3"), ("[0, 0.5]", str(stripes)))
    for start, end in ends:
        result = syllabus("interpolate", "cli-shades", start, end, "--steps", "3", "--spherical", "-o", str(strip))
        assert result.exit_code == 0, result.stderr
        assert size(strip) == (10, 2)
    codes = syllabus.json("interpolate", "cli-shades", "[0, 0.5]", str(stripes), "--steps", "2")["codes"]
    assert codes == [[0, 0.5], [0, 1]]
    assert syllabus("interpolate", "cli-shades", "nowhere.png", "1").exit_code == 2


def test_another_graph_is_downloaded(syllabus: Command, tmp_path: Path) -> None:
    target = tmp_path / "decoder.onnx"
    assert syllabus("models", "download", "cli-shades", "--graph", "decoder", "-o", str(target)).exit_code == 0
    assert target.stat().st_size > 100
    assert syllabus("models", "download", "cli-homes", "--graph", "encoder", "-o", str(target)).exit_code == 3


def test_texts_are_a_table_or_printed_as_they_are_written(syllabus: Command) -> None:
    options = ("--seed", "5", "--label", "lit", "--start", "ab", "--max-length", "12")
    (text, *_) = syllabus.json("generate", "cli-writer", "-n", "3", *options)["texts"]
    assert text["text"].startswith("ab")
    table = syllabus("generate", "cli-writer", "-n", "3", *options).stdout
    assert text["text"] in table
    assert syllabus("generate", "cli-writer", "--stream", *options).stdout == f"{text['text']}\n"
    for unused in (("-n", "3"), ("-o", "texts")):
        refused = syllabus("generate", "cli-writer", "--stream", *unused)
        assert (refused.exit_code, "leave out -n and -o" in refused.stderr) == (2, True)
    refused = syllabus("generate", "cli-shades", "--start", "ab")
    assert (refused.exit_code, "writes no texts" in refused.stderr) == (3, True)
