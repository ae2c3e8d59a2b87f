"""HEAD wherever there is GET."""

import re
from collections.abc import Mapping

from starlette.testclient import TestClient

from tests.api.conftest import add_job, add_version, opened
from tests.serving_models import tabular_regressor, tabular_signature


def common(headers: Mapping[str, str]) -> dict[str, str]:
    """All headers but the one that differs from one request to the next."""
    return {name: value for name, value in headers.items() if name != "x-request-id"}


def test_every_get_has_a_head_with_the_same_headers_and_no_body(lite_client: TestClient) -> None:
    add_version(opened(lite_client), "prices", tabular_regressor(), tabular_signature())
    job = add_job(opened(lite_client))
    found = set()
    for path, operations in lite_client.get("/openapi.json").json()["paths"].items():
        if "get" not in operations or path.endswith("/events") or path == "/metrics":
            continue
        url = re.sub("{[a-z]+}", "latest", path.replace("{job}", job).replace("{model}", "prices"))
        get, head = lite_client.get(url), lite_client.head(url)
        assert (head.status_code, head.content) == (get.status_code, b""), url
        assert common(head.headers) == common(get.headers), url
        found.add((path, head.status_code))
    assert {("/v1/jobs", 200), ("/v1/models/{model}/versions/{version}/onnx", 200), ("/v2/models/stats", 200)} <= found
    assert lite_client.head("/metrics").status_code == 200


def test_where_there_is_no_get_there_is_no_head(lite_client: TestClient) -> None:
    refused = lite_client.head("/v1/models/m/predict")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert lite_client.head("/v1/nope").status_code == 404
