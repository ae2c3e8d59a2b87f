"""/v1/datasets, but for attacks on uploads: see tests/api/test_uploads.py."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from services.requests.datasets import DatasetOptions
from services.tables import Dataset, Job
from tests.api.conftest import add_dataset, add_job, opened

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]
CSV = b"a,b,y\n1,2,x\n3,4,y\n"
IMAGES = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 5}},
    "classes": ["a", "b"],
    "input": {"name": "image", "dtype": "uint8", "shape": [3, 4, 6]},
    "target": {"name": "label", "dtype": "int64", "shape": []},
}
TABLE = {
    "modality": "tabular",
    "task": "classification",
    "splits": {"train": {"count": 2}},
    "classes": ["no", "yes"],
    "input": {
        "name": "features",
        "dtype": "float32",
        "shape": [2],
        "columns": [
            {"name": "age", "kind": "numeric"},
            {"name": "colour", "kind": "categorical", "categories": ["blue", "red"]},
        ],
    },
    "target": {"name": "ill", "dtype": "int64", "shape": []},
}


def upload(client: TestClient, name: str = "people", **params: str) -> httpx.Response:
    response: httpx.Response = client.post("/v1/datasets", params={"name": name, **params}, content=CSV)
    return response


def test_an_option_that_is_misspelt_in_the_query_is_refused(client: TestClient, problem: Problem) -> None:
    body = problem(upload(client, tagret="y"), 422, "parameter_unknown")
    assert body["errors"][0]["loc"] == ["query", "tagret"]
    assert "target" in body["errors"][0]["msg"]
    assert client.get("/v1/datasets/people").status_code == 404


def test_a_raw_body_becomes_the_file_of_an_ingest_job(client: TestClient) -> None:
    response = upload(client, format="csv", target="y", image_size="[28, 32]", channels="1", split='{"test": 0.5}')
    assert response.status_code == 202, response.text
    assert response.headers["location"] == "/v1/datasets/people"
    body = response.json()
    assert (body["name"], body["state"], body["format"], body["modality"]) == ("people", "ingesting", "csv", None)
    job = body["job"]
    assert (job["kind"], job["state"]) == ("ingest", "queued")
    assert job["request"]["bytes"] == len(CSV)
    assert job["request"]["options"] == {
        "target": "y",
        "image_size": [28, 32],
        "channels": 1,
        "split": {"validation": 0.0, "test": 0.5},
    }
    (file,) = opened(client).settings.uploads.iterdir()
    assert (file.name, file.read_bytes()) == (job["id"], CSV)
    assert client.get(response.headers["location"]).json()["links"]["job"] == f"/v1/jobs/{job['id']}"


def test_a_multipart_body_has_the_file_and_its_options(client: TestClient) -> None:
    parts = {"file": ("x.csv", CSV, "text/csv"), "options": (None, json.dumps({"target": "y"}), "application/json")}
    response = client.post("/v1/datasets", params={"name": "people"}, files=parts)
    assert response.status_code == 202, response.text
    assert response.json()["job"]["request"]["options"] == {"target": "y"}
    (file,) = opened(client).settings.uploads.iterdir()
    assert file.read_bytes() == CSV


def test_a_series_has_options_of_its_own(client: TestClient) -> None:
    params = {"name": "sales", "format": "series", "time": "when", "series": "shop", "gaps": "interpolate"}
    params |= {"task": "forecasting", "target": "sold", "known_ahead": '["holiday"]'}
    response = client.post("/v1/datasets", params=params, content=b"shop,when,holiday,sold\n")
    assert response.status_code == 202, response.text
    request = response.json()["job"]["request"]
    assert request["format"] == "series"
    assert request["options"] == {
        "target": "sold",
        "task": "forecasting",
        "time": "when",
        "series": "shop",
        "known_ahead": ["holiday"],
        "gaps": "interpolate",
    }


def test_a_name_that_is_taken_is_409_and_leaves_no_file(client: TestClient, problem: Problem) -> None:
    first = upload(client).json()["job"]["id"]
    problem(upload(client), 409, "dataset_exists")
    assert [file.name for file in opened(client).settings.uploads.iterdir()] == [first]


@pytest.mark.parametrize(
    ("params", "loc"),
    [
        ({"name": "../x"}, ["query", "name"]),
        ({"name": "a\x00b"}, ["query", "name"]),
        ({"name": "a" * 64}, ["query", "name"]),
        ({"name": "\u202eexe"}, ["query", "name"]),
        ({"name": ""}, ["query", "name"]),
        ({"name": "x", "format": "pickle"}, ["query", "format"]),
        ({"name": "x", "task": "magic"}, ["query", "task"]),
        ({"name": "x", "image_size": "0"}, ["query", "image_size"]),
        ({"name": "x", "image_size": "[28, 0]"}, ["query", "image_size"]),
        ({"name": "x", "image_size": "NaN"}, ["query", "image_size"]),
        (
            {"name": "x", "image_size": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")},
            ["query", "image_size"],
        ),
        ({"name": "x", "channels": "2"}, ["query", "channels"]),
        ({"name": "x", "gaps": "guess"}, ["query", "gaps"]),
        ({"name": "x", "known_ahead": "[1]"}, ["query", "known_ahead"]),
        ({"name": "x", "split": '{"test": 1.5}'}, ["query", "split"]),
        ({"name": "x", "split": '{"owner": 1}'}, ["query", "split"]),
    ],
)
def test_wrong_parameters_are_422_and_named(
    lite_client: TestClient, params: dict[str, str], loc: list[str], problem: Problem
) -> None:
    body = problem(lite_client.post("/v1/datasets", params=params, content=CSV), 422, code_for(params))
    (error,) = body["errors"]
    assert error["loc"][:2] == loc
    assert not {"tuple", "int"} & set(re.findall("[a-z]+", str(error["loc"])))
    assert list(opened(lite_client).settings.uploads.iterdir()) == []


def code_for(params: dict[str, str]) -> str:
    unreadable = params.get("image_size", "0")[0] not in "0["
    return "option_invalid" if unreadable else "request_invalid"


def test_a_ready_data_set_tells_what_is_in_it(client: TestClient) -> None:
    add_dataset(opened(client), "pets", {}, IMAGES)
    body = client.get("/v1/datasets/pets").json()
    assert (body["state"], body["modality"], body["classes"], body["error"]) == ("ready", "image", ["a", "b"], None)
    assert body["splits"] == {"train": {"count": 5}}
    assert body["digest"].startswith("sha256:")
    assert body["created_at"].endswith("Z")


def test_a_failed_data_set_tells_why(client: TestClient) -> None:
    resources = opened(client)
    error = {"code": "archive_unsafe", "detail": "an entry points outside"}
    with resources.database.transaction() as session:
        job = Job(kind="ingest", queue="io", request={}, state="failed", error=error)
        session.add(job)
        session.flush()
        session.add(Dataset(name="bad", format="auto", job_id=job.id))
    body = client.get("/v1/datasets/bad").json()
    assert (body["state"], body["error"]) == ("failed", error)


def test_the_list_is_paged(client: TestClient) -> None:
    for name in ("one", "two", "three"):
        add_dataset(opened(client), name, {}, IMAGES)
    first = client.get("/v1/datasets", params={"limit": 2}).json()
    second = client.get("/v1/datasets", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["name"] for item in first["items"] + second["items"]] == ["three", "two", "one"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"cursor": "'; --"}, {"cursor": "\x00"}]
)
def test_a_wrong_page_is_422(lite_client: TestClient, params: dict[str, str], problem: Problem) -> None:
    problem(lite_client.get("/v1/datasets", params=params), 422, "request_invalid")


def test_images_are_previewed_as_a_grid(client: TestClient) -> None:
    pixels = np.zeros((5, 3, 4, 6), np.uint8)
    pixels[1, 0] = 255
    add_dataset(opened(client), "pets", {"train.inputs": pixels}, IMAGES)
    response = client.get("/v1/datasets/pets/preview", params={"n": 4})
    assert response.headers["content-type"] == "image/png"
    image = Image.open(io.BytesIO(response.content))
    assert (image.mode, image.size) == ("RGB", (14, 10))
    assert [image.getpixel(place) for place in ((0, 0), (8, 0), (6, 0))] == [(0, 0, 0), (255, 0, 0), (255, 255, 255)]


def test_rows_are_previewed_by_column_name(client: TestClient) -> None:
    arrays = {
        "train.inputs": np.array([[41.5, 1], [np.nan, np.nan]], np.float32),
        "train.targets": np.array([1, 0]),
    }
    add_dataset(opened(client), "people", arrays, TABLE)
    rows = client.get("/v1/datasets/people/preview").json()["rows"]
    assert rows == [{"age": 41.5, "colour": "red", "ill": "yes"}, {"age": None, "colour": None, "ill": "no"}]


def test_texts_are_previewed_with_their_classes_and_described(client: TestClient) -> None:
    arrays = {
        "train.inputs": np.frombuffer("déjàrose".encode(), np.uint8),
        "train.inputs.offsets": np.array([0, 6, 10]),
        "train.targets": np.array([1, 0]),
    }
    text = {"name": "text", "dtype": "string", "shape": []}
    splits = {"train": {"count": 2, "longest": 6, "total": 10}}
    add_dataset(opened(client), "words", arrays, {**IMAGES, "modality": "text", "input": text, "splits": splits})
    rows = client.get("/v1/datasets/words/preview").json()["rows"]
    assert rows == [{"text": "déjà", "label": "b"}, {"text": "rose", "label": "a"}]
    body = client.get("/v1/datasets/words").json()
    assert (body["modality"], body["input"], body["splits"]) == ("text", text, splits)


def test_there_is_no_preview_before_the_data(client: TestClient, problem: Problem) -> None:
    upload(client)
    problem(client.get("/v1/datasets/people/preview"), 409, "dataset_not_ready")
    problem(client.get("/v1/datasets/people/preview", params={"n": 101}), 422, "request_invalid")


def test_delete_waits_for_the_jobs_that_use_the_data(client: TestClient, problem: Problem) -> None:
    add_dataset(opened(client), "pets", {}, IMAGES)
    job = add_job(opened(client), dataset_name="pets")
    problem(client.delete("/v1/datasets/pets"), 409, "dataset_in_use")
    client.post(f"/v1/jobs/{job}/cancel")
    assert client.delete("/v1/datasets/pets").status_code == 204
    problem(client.get("/v1/datasets/pets"), 404, "dataset_not_found")


@pytest.mark.parametrize("name", ["nope", "..%2f..%2fetc%2fpasswd", "%00", "a" * 300, "%e2%80%ae"])
def test_what_does_not_exist_is_404(lite_client: TestClient, name: str) -> None:
    for method, path in (("GET", ""), ("GET", "/preview"), ("DELETE", "")):
        response = lite_client.request(method, f"/v1/datasets/{name}{path}")
        assert response.status_code == 404
        assert response.json()["code"] in ("dataset_not_found", "route_not_found")


def test_options_that_the_service_knows_are_all_taken(lite_client: TestClient) -> None:
    document = lite_client.get("/openapi.json").json()
    parameters = {each["name"] for each in document["paths"]["/v1/datasets"]["post"]["parameters"]}
    assert parameters == {"name", "format", *DatasetOptions.model_fields}
