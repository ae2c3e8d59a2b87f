"""POST /v1/models/{name}/predict."""

import base64
import io
import re
import struct
import zlib
from collections.abc import Callable
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
from tests.serving_models import image_classifier, image_signature

SHADES = "/v1/models/shades/predict"
PRICES = "/v1/models/prices/predict"
LENGTHS = "/v1/models/lengths/predict"
FORMS = "/v1/models/forms/predict"
PLACES = "/v1/models/places/predict"
Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: prediction reads one row, and tests/api/routes/test_models.py reads it on both."""
    url = f"sqlite:///{tmp_path / 'syllabus.db'}"
    migrate(Settings(home=tmp_path, database_url=url))
    return url


def png(shade: int, size: int = 8, format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size), shade, np.uint8)).save(buffer, format)
    return buffer.getvalue()


def noise() -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def declared(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge (PNG specification, section 11.2.1)."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    end = b"\x00\x00\x00\x00IEND\xaeB`\x82"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + end


def labels(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [prediction["label"] for prediction in response.json()["predictions"]]


def test_an_image_is_the_body(client: TestClient, shades: ModelVersion) -> None:
    response = client.post(SHADES, content=png(250), headers={"content-type": "image/png"}, params={"top_k": 2})
    assert labels(response) == ["bright"]
    body = response.json()
    assert (body["model"], body["version"]) == ("shades", 1)
    (prediction,) = body["predictions"]
    assert prediction["index"] == 2
    assert [entry["label"] for entry in prediction["top_k"]] == ["bright", "middle"]
    assert prediction["top_k"][0]["probability"] == prediction["probability"] > 0.99


def test_probabilities_are_answered_at_the_versions_temperature_when_asked(
    client: TestClient, shades: ModelVersion
) -> None:
    def asked(model: str, query: str) -> httpx.Response:
        url, headers = f"/v1/models/{model}/predict{query}", {"content-type": "image/png"}
        response: httpx.Response = client.post(url, content=png(120), headers=headers)
        return response

    refused = asked("shades", "?calibrated=true")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_calibrated")
    add_version(opened(client), "warm", image_classifier(), image_signature(), calibration={"temperature": 2.0})
    as_given, flat, same = (
        {each["label"]: each["probability"] for each in asked("warm", query).json()["predictions"][0]["top_k"]}
        for query in ("", "?calibrated=true", "?calibrated=false")
    )
    powers = {label: probability**0.5 for label, probability in as_given.items()}
    assert flat == pytest.approx({label: power / sum(powers.values()) for label, power in powers.items()}, rel=1e-4)
    assert same == as_given != flat


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "GIF", "BMP"])
def test_every_image_format_is_read(client: TestClient, shades: ModelVersion, format: str) -> None:
    headers = {"content-type": f"image/{format.lower()}"}
    assert labels(client.post(SHADES, content=png(5, format=format), headers=headers)) == ["dark"]


def test_many_images_in_one_multipart_body_keep_their_order(client: TestClient, shades: ModelVersion) -> None:
    files = [("file", (name, png(shade), "image/png")) for name, shade in (("../b", 255), ("a", 0), ("c", 130))]
    assert labels(client.post(SHADES, files=files)) == ["bright", "dark", "middle"]


def test_json_takes_base64_images_and_pixel_lists(client: TestClient, shades: ModelVersion) -> None:
    encoded = {"inputs": [base64.b64encode(png(0)).decode(), base64.b64encode(png(255)).decode()]}
    assert labels(client.post(SHADES, json=encoded)) == ["dark", "bright"]
    pixels = {"inputs": [[[[0, 0], [0, 0]]], [[255, 255], [255, 255]]]}
    assert labels(client.post(SHADES, json=pixels)) == ["dark", "bright"]


def test_rows_are_lists_or_objects_with_missing_values(client: TestClient, prices: ModelVersion) -> None:
    rows = [[3, "berlin"], {"rooms": 3, "city": "aachen"}, {"rooms": 1}, [None, "unknown-city"]]
    response = client.post(PRICES, json={"inputs": rows})
    assert [entry["value"] for entry in response.json()["predictions"]] == [16.0, 6.0, 2.0, 0.0]


def test_the_timing_of_the_three_steps_is_told(client: TestClient, prices: ModelVersion) -> None:
    timing = client.post(PRICES, json={"inputs": [[1, None]]}).headers["server-timing"]
    assert re.fullmatch(r"queue;dur=[\d.]+, decode;dur=[\d.]+, infer;dur=[\d.]+", timing)


@pytest.mark.parametrize("version", ["1", "latest", "production"])
def test_a_version_is_chosen_by_number_or_alias(client: TestClient, prices: ModelVersion, version: str) -> None:
    client.put("/v1/models/prices/aliases/production", json={"version": 1})
    response = client.post(PRICES, json={"inputs": [[1, None]]}, params={"version": version})
    assert response.json()["version"] == 1


def test_what_does_not_exist_is_404(client: TestClient, prices: ModelVersion, problem: Problem) -> None:
    body = {"inputs": [[1, None]]}
    problem(client.post("/v1/models/nope/predict", json=body), 404, "model_not_found")
    problem(client.post("/v1/models/%00/predict", json=body), 404, "model_not_found")
    problem(client.post(PRICES, json=body, params={"version": "7"}), 404, "version_not_found")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/pdf", "image/svg+xml", "image/x-eps"])
def test_an_unknown_type_is_415(client: TestClient, shades: ModelVersion, content_type: str, problem: Problem) -> None:
    response = client.post(SHADES, content=png(0), headers={"content-type": content_type})
    problem(response, 415, "media_type_unknown")


def test_an_image_for_a_model_of_rows_is_415(client: TestClient, prices: ModelVersion, problem: Problem) -> None:
    response = client.post(PRICES, content=png(0), headers={"content-type": "image/png"})
    problem(response, 415, "model_takes_rows")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "image_empty"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "image_format"),
        (noise()[:2000], "image_undecodable"),
        (declared(16384, 16384), "image_too_large"),
    ],
    ids=["empty", "eps-named-png", "truncated", "declares-268-megapixels"],
)
def test_a_bad_image_is_422(
    client: TestClient, shades: ModelVersion, content: bytes, code: str, problem: Problem
) -> None:
    body = problem(client.post(SHADES, content=content, headers={"content-type": "image/png"}), 422, code)
    assert body["errors"][0]["loc"] == ["body", "inputs", 0]


@pytest.mark.parametrize(
    ("row", "loc", "words"),
    [
        ([1], [], "1 values; expected 2"),
        ([1, None, 2], [], "3 values; expected 2"),
        ("1,2", [], "a row is a list"),
        (["three", None], [0], "expected a number"),
        ([True, None], [0], "expected a number"),
        ([1e300, None], [0], "too large for float32"),
        ({"rooms": [1]}, ["rooms"], "expected a number"),
        ({"city": {"a": 1}}, ["city"], "name of a category"),
        ({"price": 1}, ["price"], "unknown column"),
    ],
)
def test_a_wrong_row_is_422_and_named(
    client: TestClient, prices: ModelVersion, row: Any, loc: list[str | int], words: str, problem: Problem
) -> None:
    body = problem(client.post(PRICES, json={"inputs": [[1, None], row]}), 422, "input_invalid")
    assert body["errors"][0]["loc"] == ["body", "inputs", 1, *loc]
    assert body["detail"].startswith("inputs[1]")
    assert words in body["detail"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[[0, 0]]], "the shape is 1 x 1 x 2; the expected shape is 1 x 2 x 2"),
        ([[[0, 0], [0]]], "ragged"),
        ([[[0, 0], [0, 256]]], "from 0 to 255"),
        ([[[0, 0], [0, 0.5]]], "from 0 to 255"),
        ([[[0, 0], [0, "a"]]], "from 0 to 255"),
        (7, "base64 text or a nested list"),
    ],
)
def test_wrong_pixels_are_422_with_the_expected_shape(
    client: TestClient, shades: ModelVersion, value: Any, words: str, problem: Problem
) -> None:
    body = problem(client.post(SHADES, json={"inputs": [value]}), 422, "input_invalid")
    assert words in body["detail"]


def test_wrong_base64_is_422(client: TestClient, shades: ModelVersion, problem: Problem) -> None:
    problem(client.post(SHADES, json={"inputs": ["no base64!"]}), 422, "input_invalid")


@pytest.mark.parametrize("body", ['{"inputs": [[NaN, 1]]}', '{"inputs": [[1e999, 1]]}', "[" * 100_000])
def test_json_that_is_none_is_422(client: TestClient, prices: ModelVersion, body: str, problem: Problem) -> None:
    problem(client.post(PRICES, content=body, headers={"content-type": "application/json"}), 422, "json_invalid")


@pytest.mark.parametrize("body", [{}, {"inputs": []}, {"inputs": 3}, {"inputs": [[1, None]], "owner": "me"}, [1]])
def test_another_body_is_422(client: TestClient, prices: ModelVersion, body: Any, problem: Problem) -> None:
    assert problem(client.post(PRICES, json=body), 422, "request_invalid")["errors"][0]["loc"][0] == "body"


def test_texts_are_made_tokens_and_read_to_their_own_ends(client: TestClient, lengths: ModelVersion) -> None:
    texts = ["a", "aba", "b" * 9, "é☃x"]
    assert labels(client.post(LENGTHS, json={"inputs": texts})) == ["short", "middle", "long", "middle"]
    alone = [client.post(LENGTHS, json={"inputs": [text]}).json()["predictions"][0] for text in texts]
    assert client.post(LENGTHS, json={"inputs": texts}).json()["predictions"] == alone


def test_a_text_is_the_body(client: TestClient, lengths: ModelVersion) -> None:
    for content_type in ("text/plain", "text/plain; charset=utf-8"):
        response = client.post(LENGTHS, content="é☃x".encode(), headers={"content-type": content_type})
        assert labels(response) == ["middle"]


def test_a_text_is_read_as_far_as_in_training(client: TestClient, lengths: ModelVersion) -> None:
    answers = [client.post(LENGTHS, json={"inputs": ["a" * count]}).json()["predictions"] for count in (20, 50_000)]
    assert answers[1] == [{**answers[0][0], "truncated": True}]


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "empty"), (" \t\n", "empty"), ("a" * 2**20, "1,048,576 characters"), (3, "text"), (["a"], "text")],
)
def test_what_is_no_text_or_too_long_is_422_and_named(
    client: TestClient, lengths: ModelVersion, problem: Problem, text: Any, word: str
) -> None:
    body = problem(client.post(LENGTHS, json={"inputs": ["ab", text]}), 422, "input_invalid")
    assert body["errors"][0]["loc"] == ["body", "inputs", 1]
    assert word in body["errors"][0]["msg"]
    if isinstance(text, str):
        headers = {"content-type": "text/plain"}
        assert word in problem(client.post(LENGTHS, content=text, headers=headers), 422, "input_invalid")["detail"]


def test_the_words_of_a_text_are_tagged_with_their_places(client: TestClient, places: ModelVersion) -> None:
    text = "In New York, New\nYork…"
    (made,) = client.post(PLACES, json={"inputs": [text]}).json()["predictions"]
    assert [token["text"] for token in made["tokens"]] == ["In", "New", "York", ",", "New", "York"]
    assert made["tokens"][1] == {"text": "New", "label": "B-place", "probability": 0.75, "start": 3, "end": 6}
    assert all(text[each["start"] : each["end"]] == each["text"] for each in made["tokens"] + made["entities"])
    assert made["entities"] == [
        {"label": "place", "text": "New York", "start": 3, "end": 11},
        {"label": "place", "text": "New\nYork", "start": 13, "end": 21},
    ]
    assert client.post(PLACES, content=text, headers={"content-type": "text/plain"}).json()["predictions"] == [made]


def test_tokens_behind_those_that_are_read_are_not_answered(client: TestClient, places: ModelVersion) -> None:
    given = ["a " * 6, "a " * 7, ["a"] * 8]
    made = client.post(PLACES, json={"inputs": given}).json()["predictions"]
    assert [len(each["tokens"]) for each in made] == [6, 6, 6]
    assert [each.get("truncated") for each in made] == [None, True, True]


def test_words_that_are_given_are_neither_split_nor_joined(client: TestClient, places: ModelVersion) -> None:
    given = [["New", "York"], ["New-York", "New", "New York"]]
    both = client.post(PLACES, json={"inputs": given}).json()["predictions"]
    assert [[token["label"] for token in made["tokens"]] for made in both] == [
        ["B-place", "I-place"],
        ["O", "B-place", "O"],
    ]
    assert both[1]["tokens"][2] == {"text": "New York", "label": "O", "probability": 0.75, "start": 13, "end": 21}
    assert [client.post(PLACES, json={"inputs": [row]}).json()["predictions"][0] for row in given] == both


def test_words_are_composed_before_they_are_counted(client: TestClient, places: ModelVersion) -> None:
    decomposed = "cafe\N{COMBINING ACUTE ACCENT} New York"
    (made,) = client.post(PLACES, json={"inputs": [decomposed]}).json()["predictions"]
    assert [token["text"] for token in made["tokens"]] == ["café", "New", "York"]
    assert made["entities"] == [{"label": "place", "text": "New York", "start": 5, "end": 13}]


@pytest.mark.parametrize(
    ("given", "word", "loc"),
    [
        (" \t", "empty", []),
        ([], "empty", []),
        (["New", ""], "blank", [1]),
        (["New\nYork"], "one line", [0]),
        (["New", 3], "a word", [1]),
        (3, "list of words", []),
        ("New " * 100_000, "400,000 characters", []),
        (["New"] * 100_000, "399,999 characters", []),
    ],
)
def test_what_cannot_be_tagged_is_422_and_named(
    client: TestClient, places: ModelVersion, problem: Problem, given: Any, word: str, loc: list[int]
) -> None:
    body = problem(client.post(PLACES, json={"inputs": ["New York", given]}), 422, "input_invalid")
    assert word in body["detail"]
    assert body["errors"][0]["loc"] == ["body", "inputs", 1, *loc]


def test_trees_are_read_in_brackets(client: TestClient, forms: ModelVersion) -> None:
    trees = ["(2 good)", "(3 (3 good) (2 film))", "(x (y a) (z\n (2 good) (2 film)))"]
    assert labels(client.post(FORMS, json={"inputs": trees})) == ["leaf", "pair", "tree"]
    alone = [client.post(FORMS, json={"inputs": [tree]}).json()["predictions"][0] for tree in trees]
    assert client.post(FORMS, json={"inputs": trees}).json()["predictions"] == alone
    assert labels(client.post(FORMS, content=trees[1], headers={"content-type": "text/plain"})) == ["pair"]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ("", "is empty"),
        ("a good film", "does not begin with a bracket"),
        ("(3 (3 good) (2 film)", "1 brackets that are never closed; check it (character 1)"),
        ("(3 (3 good) (2 film)))", "behind the last bracket of its tree; write one tree a line (character 22)"),
        ("(3 (3 good) film)", "(character 13)"),
        ("(3 (3 good) (2 film) (2 .))", "3 children"),
        ("(1 " * 30_000, "nests more than 1,000 brackets; divide the tree (character 3,001)"),
        (3, "expected a text"),
    ],
)
def test_what_is_no_tree_is_422_and_its_place_named(
    client: TestClient, forms: ModelVersion, problem: Problem, tree: Any, words: str
) -> None:
    body = problem(client.post(FORMS, json={"inputs": ["(2 good)", tree]}), 422, "input_invalid")
    assert words in body["detail"]
    assert body["errors"][0]["loc"] == ["body", "inputs", 1]


def test_what_is_no_utf8_and_what_is_no_text_is_refused(
    client: TestClient, lengths: ModelVersion, prices: ModelVersion, problem: Problem
) -> None:
    headers = {"content-type": "text/plain"}
    problem(client.post(LENGTHS, content=b"\xff\xfe", headers=headers), 422, "text_invalid")
    problem(client.post(PRICES, content=b"a", headers=headers), 415, "media_type_unknown")
    problem(client.post(LENGTHS, content=png(0), headers={"content-type": "image/png"}), 415, "model_takes_rows")


def test_more_inputs_than_a_batch_holds_are_413(client: TestClient, prices: ModelVersion, problem: Problem) -> None:
    problem(client.post(PRICES, json={"inputs": [[1, None]] * 1025}), 413, "batch_too_large")


def test_an_answer_that_is_not_finite_is_422(client: TestClient, prices: ModelVersion, problem: Problem) -> None:
    body = problem(client.post(PRICES, json={"inputs": [[1, None], [3e38, None]]}), 422, "prediction_not_finite")
    assert body["errors"][0]["loc"] == ["body", "inputs", 1]


def test_a_file_that_was_altered_is_503_and_not_served(
    client: TestClient, prices: ModelVersion, problem: Problem
) -> None:
    path = opened(client).artifacts.path(prices.onnx_sha256)
    path.write_bytes(b"garbage")
    problem(client.post(PRICES, json={"inputs": [[1, None]]}), 503, "model_file_altered")
