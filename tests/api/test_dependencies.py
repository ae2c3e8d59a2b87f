"""What the routes share."""

import re
from collections.abc import Callable
from typing import Any

import httpx
from starlette.testclient import TestClient

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]
ID = "00000000-0000-0000-0000-000000000000"


def test_no_route_of_v1_passes_over_a_query_parameter_that_it_does_not_know(
    lite_client: TestClient, problem: Problem
) -> None:
    for path, operations in lite_client.get("/openapi.json").json()["paths"].items():
        url = re.sub("{[a-z]+}", "latest", path.replace("{job}", ID))
        for method in operations if path.startswith("/v1/") else ():
            json: dict[str, Any] | None = None if method in ("get", "delete") else {}
            answer = lite_client.request(method, url, params={"typo": "1"}, json=json)
            assert problem(answer, 422, "parameter_unknown")["errors"][0]["loc"] == ["query", "typo"], (method, url)
    assert lite_client.get("/metrics?typo=1").status_code == 200
