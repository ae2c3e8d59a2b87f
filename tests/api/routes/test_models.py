"""/v1/models."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from services import lifecycle, registry
from services.tables import Job, ModelVersion
from tests.api.conftest import add_version, opened
from tests.serving_models import tabular_regressor, tabular_signature

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]
ONNX = "/v1/models/prices/versions/latest/onnx"


def test_a_model_tells_its_versions_and_aliases(client: TestClient, shades: ModelVersion) -> None:
    client.put("/v1/models/shades/aliases/production", json={"version": 1})
    (listed,) = client.get("/v1/models").json()["items"]
    assert listed == client.get("/v1/models/shades").json()
    assert (listed["task"], listed["labels"]) == ("classification", ["dark", "middle", "bright"])
    assert listed["aliases"] == {"production": 1}
    assert [version["version"] for version in listed["versions"]] == [1]


@pytest.mark.usefixtures("prices")
def test_a_version_tells_how_it_came_to_be(client: TestClient) -> None:
    add_version(opened(client), "prices", tabular_regressor(), tabular_signature())
    latest = client.get("/v1/models/prices/versions/latest").json()
    assert latest["version"] == 2
    assert latest["signature"] == tabular_signature()
    assert latest["dataset"] == {"name": "digits", "digest": "sha256:00", "split": None}
    assert (latest["architecture"], latest["parity"]["tolerance"]) == ("mlp", 1e-4)
    assert client.get(latest["links"]["job"]).status_code == 200


@pytest.mark.usefixtures("prices")
def test_the_file_is_downloaded_with_its_digest(client: TestClient) -> None:
    response = client.get(ONNX)
    digest = hashlib.sha256(response.content)
    assert response.content == tabular_regressor()
    assert response.headers["etag"] == f'"{digest.hexdigest()}"'
    assert response.headers["x-checksum-sha256"] == digest.hexdigest()
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert response.headers["content-disposition"] == 'attachment; filename="prices-1.onnx"'
    again = client.get(ONNX, headers={"if-none-match": f'"other", W/{response.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("prices")
def test_a_range_resumes_a_download(client: TestClient) -> None:
    whole = client.get(ONNX).content
    rest = client.get(ONNX, headers={"range": "bytes=10-"})
    assert (rest.status_code, rest.content) == (206, whole[10:])


@pytest.mark.usefixtures("prices")
def test_a_range_beyond_the_file_is_a_problem_that_tells_its_size(client: TestClient, problem: Problem) -> None:
    size = len(client.get(ONNX).content)
    response = client.get(ONNX, headers={"range": f"bytes={size}-"})
    problem(response, 416, "range_not_satisfiable")
    assert response.headers["content-range"] == f"bytes */{size}"


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize("value", ["lines=1", "bytes", "bytes=", "bytes=5-2", "bytes=a-b"])
def test_a_range_that_cannot_be_read_is_as_none(client: TestClient, value: str) -> None:
    response = client.get(ONNX, headers={"range": value})
    assert (response.status_code, response.content) == (200, tabular_regressor())


@pytest.mark.usefixtures("prices")
def test_ten_thousand_ranges_are_answered_with_the_file(client: TestClient) -> None:
    ranges = ",".join(f"{start}-{start}" for start in range(10_000))
    response = client.get(ONNX, headers={"range": f"bytes={ranges}"})
    assert (response.status_code, response.content) == (200, tabular_regressor())


def test_a_file_that_is_missing_is_503(client: TestClient, prices: ModelVersion, problem: Problem) -> None:
    opened(client).artifacts.path(prices.onnx_sha256).unlink()
    problem(client.get(ONNX), 503, "artifact_missing")


@pytest.mark.usefixtures("prices")
def test_an_alias_moves_and_goes(client: TestClient, problem: Problem) -> None:
    add_version(opened(client), "prices", tabular_regressor(), tabular_signature())
    alias = "/v1/models/prices/aliases/best"
    for number in (1, 2):
        assert client.put(alias, json={"version": number}).json()["aliases"] == {"best": number}
        assert client.get("/v1/models/prices/versions/best").json()["version"] == number
    assert client.delete(alias).status_code == 204
    problem(client.delete(alias), 404, "alias_not_found")


@pytest.mark.usefixtures("prices")
def test_an_alias_names_a_version_that_exists(client: TestClient, problem: Problem) -> None:
    alias = "/v1/models/prices/aliases/best"
    problem(client.put(alias, json={"version": 9}), 404, "version_not_found")
    problem(client.put(alias, json={"version": 0}), 422, "request_invalid")
    problem(client.put(alias, json={"version": 1, "owner": "me"}), 422, "request_invalid")
    problem(client.put("/v1/models/prices/aliases/latest", json={"version": 1}), 422, "alias_reserved")
    problem(client.put("/v1/models/prices/aliases/7", json={"version": 1}), 404, "alias_not_found")


def add_variant(client: TestClient, name: str, onnx: bytes) -> None:
    """A variant of version 1 of `prices`, as an optimize job leaves it."""
    resources = opened(client)
    file = resources.settings.root / "variant.onnx"
    file.write_bytes(onnx)
    stored = resources.artifacts.put(file)
    with resources.database.transaction() as session:
        request = {"kind": "optimize", "model": "prices", "version": 1}
        job = lifecycle.create(session, Job(kind="optimize", queue="cpu", request=request))
        variant = {"name": name, "file": "file", "report": {"bytes": {"variant": len(onnx)}}}
        registry.add_variants(session, job, [variant], {"file": stored})


@pytest.mark.usefixtures("prices")
def test_a_variant_is_shown_downloaded_and_made_the_default(client: TestClient, problem: Problem) -> None:
    add_variant(client, "int8", b"smaller")
    version = client.get("/v1/models/prices/versions/1").json()
    (variant,) = version["variants"]
    assert (variant["name"], variant["size"], version["default_variant"]) == ("int8", 7, None)
    assert variant["report"] == {"bytes": {"variant": 7}}
    assert variant["sha256"] == hashlib.sha256(b"smaller").hexdigest()
    response = client.get(variant["href"])
    assert response.content == b"smaller"
    assert response.headers["content-disposition"] == 'attachment; filename="prices-1-int8.onnx"'
    problem(client.get(ONNX, params={"variant": "fp16"}), 404, "variant_not_found")
    problem(client.get(ONNX, params={"variant": "int4"}), 422, "request_invalid")

    default = "/v1/models/prices/versions/latest/default-variant"
    assert client.put(default, json={"variant": "int8"}).json()["default_variant"] == "int8"
    assert client.get("/v1/models/prices").json()["versions"][0]["default_variant"] == "int8"
    problem(client.put(default, json={"variant": "fp16"}), 404, "variant_not_found")
    problem(client.put(default, json={}), 422, "request_invalid")
    assert client.put(default, json={"variant": None}).json()["default_variant"] is None


@pytest.mark.usefixtures("prices")
def test_traffic_is_shared_between_versions_and_taken_back(client: TestClient, problem: Problem) -> None:
    for _ in range(2):
        add_version(opened(client), "prices", tabular_regressor(), tabular_signature())
    traffic = "/v1/models/prices/traffic"
    answer = client.put(traffic, json={"weights": {"1": 9, "2": 1}, "shadow": 3})
    assert answer.json()["traffic"] == {"weights": {"1": 0.9, "2": 0.1}, "shadow": 3}
    assert client.get("/v1/models/prices").json() == answer.json()
    assert client.delete(traffic).status_code == 204
    assert client.get("/v1/models/prices").json()["traffic"] is None
    problem(client.put(traffic, json={"weights": {"9": 1}}), 404, "version_not_found")
    problem(client.put(traffic, json={"weights": {"1": 1}, "shadow": 9}), 404, "version_not_found")
    alone = problem(client.put(traffic, json={"weights": {"1": 1}, "shadow": 1}), 422, "shadow_answers")
    assert alone["errors"][0]["loc"] == ["body", "shadow"]
    problem(client.put("/v1/models/nope/traffic", json={"weights": {"1": 1}}), 404, "model_not_found")
    problem(client.delete("/v1/models/nope/traffic"), 404, "model_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"weights": {}},
        {"weights": {"1": 0}},
        {"weights": {"1": -1}},
        {"weights": {"1": "many"}},
        {"weights": {"latest": 1}},
        {"weights": {"0": 1}},
        {"weights": {"1": 1}, "shadow": 0},
        {"weights": {"1": 1}, "owner": "me"},
    ],
    ids=str,
)
def test_traffic_has_positive_weights_by_number(client: TestClient, problem: Problem, body: dict[str, Any]) -> None:
    add_version(opened(client), "prices", tabular_regressor(), tabular_signature())
    problem(client.put("/v1/models/prices/traffic", json=body), 422, "request_invalid")


@pytest.mark.usefixtures("prices")
def test_this_process_serves_a_changed_model_at_once(client: TestClient) -> None:
    forgotten: list[str] = []
    client.app.state.directory.forget = forgotten.append  # type: ignore[attr-defined]
    client.put("/v1/models/prices/aliases/best", json={"version": 1})
    client.delete("/v1/models/prices/aliases/best")
    client.put("/v1/models/prices/traffic", json={"weights": {"1": 1}})
    client.delete("/v1/models/prices/traffic")
    client.put("/v1/models/prices/versions/1/default-variant", json={"variant": None})
    assert forgotten == ["prices"] * 5


FILE = b"what a worker will look into"


def test_a_file_of_the_users_own_becomes_the_file_of_a_register_job(client: TestClient) -> None:
    response = client.post("/v1/models", params={"name": "mine"}, content=FILE)
    assert response.status_code == 202, response.text
    assert response.headers["location"] == "/v1/models/mine"
    body = response.json()
    job = body["job"]
    assert (body["name"], body["links"]) == ("mine", {"self": "/v1/models/mine", "job": f"/v1/jobs/{job['id']}"})
    assert (job["kind"], job["state"], job["links"]["model"]) == ("register", "queued", "/v1/models/mine")
    assert job["request"] == {"kind": "register", "model": "mine", "bytes": len(FILE)}
    (file,) = opened(client).settings.uploads.iterdir()
    assert (file.name, file.read_bytes()) == (job["id"], FILE)
    assert opened(client).doorbell.depth("io") > 0


def test_a_multipart_body_has_the_model_and_nothing_else(client: TestClient, problem: Problem) -> None:
    parts = {"file": ("../../x.onnx", FILE, "application/octet-stream")}
    assert client.post("/v1/models", params={"name": "mine"}, files=parts).status_code == 202
    (file,) = opened(client).settings.uploads.iterdir()
    assert file.read_bytes() == FILE
    odd: dict[str, Any] = {**parts, "options": (None, "{}", "application/json")}
    problem(client.post("/v1/models", params={"name": "mine"}, files=odd), 422, "part_unexpected")
    assert list(opened(client).settings.uploads.iterdir()) == [file]


@pytest.mark.parametrize("name", ["", "../x", "a b", "a" * 64, "\u202e"])
def test_a_registered_model_has_a_name_that_fits(lite_client: TestClient, name: str, problem: Problem) -> None:
    problem(lite_client.post("/v1/models", params={"name": name}, content=FILE), 422, "request_invalid")
    problem(lite_client.post("/v1/models", params={"name": "mine"}, content=b""), 422, "body_empty")
    assert list(opened(lite_client).settings.uploads.iterdir()) == []


def test_no_model_is_made_under_a_name_that_the_protocol_has(lite_client: TestClient, problem: Problem) -> None:
    train = {"kind": "train", "architecture": "lenet", "dataset": "digits", "model": "stats"}
    search = {**train, "kind": "search"}
    asked = [lite_client.post("/v1/jobs", json=each) for each in (train, search)]
    asked.append(lite_client.post("/v1/models", params={"name": "stats"}, content=FILE))
    for answer, loc in zip(asked, (["body", "model"], ["body", "model"], ["query", "name"]), strict=True):
        (error,) = problem(answer, 422, "request_invalid")["errors"]
        assert (error["loc"], "choose another name" in error["msg"]) == (loc, True)


def test_a_registered_file_has_neither_architecture_nor_data_set(client: TestClient) -> None:
    resources = opened(client)
    file = resources.settings.root / "model.onnx"
    file.write_bytes(FILE)
    signature: dict[str, Any] = {"task": "tensors", "modality": "tensors", "inputs": [], "labels": None}
    empty: dict[str, Any] = {"hyperparameters": {}, "training": {}, "metrics": {}, "parity": {}}
    record = {"task": "tensors", "architecture": None, "dataset_digest": None, "signature": signature, "labels": None}
    with resources.database.transaction() as session:
        request = {"kind": "register", "model": "mine", "bytes": 1}
        job = lifecycle.create(session, Job(kind="register", queue="io", request=request, model_name="mine"))
        registry.register(session, job, {**empty, **record}, resources.artifacts.put(file))
    version = client.get("/v1/models/mine/versions/1").json()
    assert (version["architecture"], version["dataset"], version["task"]) == (None, None, "tensors")
    assert client.get("/v1/models/mine").json()["versions"][0]["architecture"] is None


@pytest.mark.parametrize("path", ["nope", "%00", "nope/versions/1", "nope/versions/latest/onnx", "..%2f"])
def test_a_model_that_does_not_exist_is_404(lite_client: TestClient, path: str) -> None:
    response = lite_client.get(f"/v1/models/{path}")
    assert response.status_code == 404
    assert response.json()["code"] in ("model_not_found", "route_not_found")
