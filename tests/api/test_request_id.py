"""Request ids and the access log."""

import json
import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

LogLines = Callable[[], list[str]]


def test_a_request_id_is_taken_from_the_client_and_given_back(lite_client: TestClient) -> None:
    response = lite_client.get("/health/live", headers={"x-request-id": "trace-1:a/b"})
    assert response.headers["x-request-id"] == "trace-1:a/b"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", 'a"b', "<script>", "\xff"])
def test_an_unfit_request_id_is_replaced(lite_client: TestClient, given: str) -> None:
    response = lite_client.get("/health/live", headers={"x-request-id": given.encode("latin-1")})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])


def test_no_answer_is_sniffed_for_another_type(lite_client: TestClient) -> None:
    assert lite_client.get("/v1/jobs").headers["x-content-type-options"] == "nosniff"


def test_a_request_is_logged_with_its_id_and_without_its_query(lite_client: TestClient, log_lines: LogLines) -> None:
    lite_client.get("/v1/jobs?kind=secret", headers={"x-request-id": "trace-2"})
    line = json.loads(log_lines()[-1])
    assert (line["request_id"], line["method"], line["path"], line["status"]) == ("trace-2", "GET", "/v1/jobs", 422)
    assert "secret" not in str(line)


def test_a_logged_path_cannot_forge_a_line(lite_client: TestClient, log_lines: LogLines) -> None:
    lite_client.get("/v1/a%0a%0d%1b%5b31mforged")
    text = log_lines()[-1]
    assert text.isprintable()
    assert json.loads(text)["path"] == "/v1/a\n\r\x1b[31mforged"
