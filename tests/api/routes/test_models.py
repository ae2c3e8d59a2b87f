"""/v1/models."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from services.tables import ModelVersion
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
    assert client.get(ONNX, headers={"range": f"bytes={len(whole)}-"}).status_code == 416


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


@pytest.mark.parametrize("path", ["nope", "%00", "nope/versions/1", "nope/versions/latest/onnx", "..%2f"])
def test_a_model_that_does_not_exist_is_404(lite_client: TestClient, path: str) -> None:
    response = lite_client.get(f"/v1/models/{path}")
    assert response.status_code == 404
    assert response.json()["code"] in ("model_not_found", "route_not_found")
