"""`syllabus datasets` against the real stack."""

from pathlib import Path

import pytest

from tests.client.cli.conftest import Command


def test_the_built_in_data_sets_are_listed(syllabus: Command) -> None:
    assert {item["name"] for item in syllabus.json("datasets", "list")} >= {"digits", "iris", "diabetes"}
    assert "built-in" in syllabus("datasets", "list").stdout


def test_a_folder_is_uploaded_shown_previewed_and_deleted(syllabus: Command, image_folder: Path) -> None:
    dataset = syllabus.json("datasets", "upload", str(image_folder))
    assert (dataset["name"], dataset["state"], dataset["classes"]) == ("sky", "ready", ["night", "noon"])
    assert "night" in syllabus("datasets", "show", "sky").stdout
    picture = image_folder / "preview.png"
    assert syllabus("datasets", "preview", "sky", "-n", "4", "-o", str(picture)).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert syllabus("datasets", "delete", "sky").exit_code == 0
    assert syllabus("datasets", "show", "sky").exit_code == 3


def test_rows_are_previewed_as_json(syllabus: Command) -> None:
    assert len(syllabus.json("datasets", "preview", "iris", "-n", "3")) == 3


def test_options_reach_the_ingest_job(syllabus: Command, image_folder: Path) -> None:
    options = ("--option", "image_size=[16, 12]", "--option", "channels=3", "--name", "sky-small")
    dataset = syllabus.json("datasets", "upload", str(image_folder), *options)
    assert dataset["input"]["shape"] == [3, 16, 12]


def test_an_upload_that_cannot_be_read_in_is_1_and_says_why(syllabus: Command, tmp_path: Path) -> None:
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("a,b\n1,2\n3\n")
    result = syllabus("datasets", "upload", str(ragged), "--format", "csv")
    assert result.exit_code == 1
    assert "failed: " in result.stderr


def test_an_option_out_of_bounds_is_3_and_named(syllabus: Command, image_folder: Path) -> None:
    result = syllabus("datasets", "upload", str(image_folder), "--name", "sky-bad", "--option", "channels=7")
    assert result.exit_code == 3
    assert "channels" in result.stderr


def test_an_empty_directory_is_2(syllabus: Command, tmp_path: Path) -> None:
    result = syllabus("datasets", "upload", str(tmp_path))
    assert result.exit_code == 2
    assert "holds no" in result.stderr


@pytest.mark.parametrize("verb", ["show", "preview", "delete"])
def test_an_unknown_data_set_is_3(syllabus: Command, verb: str) -> None:
    result = syllabus("datasets", verb, "nowhere")
    assert result.exit_code == 3
    assert "dataset_not_found" in result.stderr
