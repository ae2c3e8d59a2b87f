"""Who may call the gateway."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api import auth
from api.auth import is_loopback
from api.main import create_app
from services.settings import Settings
from tests.api.conftest import migrate

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]
KEY = "correct-horse-battery"
PATHS = ["/v1/jobs", "/v1/system", "/metrics", "/docs", "/openapi.json", "/no/such/path", "/v1/jobs/x/events"]


@pytest.fixture
def locked(tmp_path: Path, broker_url: str) -> Iterator[TestClient]:
    """A client of a gateway with an API key, and no key of its own."""
    settings = Settings(home=tmp_path, broker_url=broker_url, api_key=SecretStr(KEY))
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://gateway.example") as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
def test_every_route_but_health_wants_the_key(locked: TestClient, path: str, problem: Problem) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        response = locked.request(method, path)
        problem(response, 401, "unauthorized")
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert locked.get(path, headers={"authorization": f"Bearer {KEY}"}).status_code != 401


def test_health_is_open(locked: TestClient) -> None:
    for path in ("/health/live", "/v2/health/live", "/v2/health/ready"):
        assert locked.get(path).status_code == 200, path
    assert locked.get("/health/ready").status_code == 200
    assert locked.get("/health/ready/").status_code == 401
    assert locked.get("/health/live/../../v1/jobs").status_code == 401


@pytest.mark.parametrize(
    "value",
    [
        "",
        KEY,
        f"Basic {KEY}",
        "Bearer",
        "Bearer ",
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Bearer {KEY.upper()}",
        "Bearer \xff",
    ],
)
def test_a_wrong_key_is_401(locked: TestClient, value: str, problem: Problem) -> None:
    problem(locked.get("/v1/jobs", headers={"authorization": value.encode("latin-1")}), 401, "unauthorized")


def test_two_keys_are_none(locked: TestClient, problem: Problem) -> None:
    headers = [("authorization", f"Bearer {KEY}"), ("authorization", "Bearer other")]
    problem(locked.get("/v1/jobs", headers=headers), 401, "unauthorized")


def test_wrong_keys_lead_to_429_and_the_right_one_is_let_in(locked: TestClient, problem: Problem) -> None:
    for number in range(auth.MAX_FAILURES):
        problem(locked.get("/v1/jobs", headers={"authorization": f"Bearer guess-{number}"}), 401, "unauthorized")
    for guess in ({"headers": {"authorization": "Bearer guess"}}, {"params": {"key": KEY}}, {}):
        response = locked.get("/v1/jobs", **guess)
        problem(response, 429, "too_many_wrong_keys")
        assert 1 <= int(response.headers["retry-after"]) <= auth.FAILURE_SECONDS
    assert locked.get("/v1/jobs", headers={"authorization": f"Bearer {KEY}"}).status_code == 200


def test_guesses_are_counted_by_address_and_anew_each_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("api.auth.time.monotonic", lambda: now)
    guesses = auth.Guesses()
    refused = [guesses.refusal("192.0.2.1") is not None for _ in range(auth.MAX_FAILURES + 1)]
    assert refused == [False] * auth.MAX_FAILURES + [True]
    assert guesses.refusal("192.0.2.2") is None
    now += auth.FAILURE_SECONDS
    assert guesses.refusal("192.0.2.1") is None


def test_guesses_from_more_addresses_than_are_remembered_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MAX_ADDRESSES", 5)
    guesses = auth.Guesses()
    refused = [guesses.refusal(f"2001:db8::{number:x}") is not None for number in range(100)]
    assert refused == [number >= 5 + auth.MAX_FAILURES for number in range(100)]


def test_the_scheme_is_read_in_any_case(locked: TestClient) -> None:
    assert locked.get("/v1/jobs", headers={"authorization": f"bearer {KEY}"}).status_code == 200


@pytest.mark.parametrize("query", [f"api_key={KEY}", "token=x", "Access_Token=", f"kind={KEY}"])
def test_a_key_in_the_url_is_401_even_beside_the_right_one(locked: TestClient, query: str, problem: Problem) -> None:
    response = locked.get(f"/v1/jobs?{query}", headers={"authorization": f"Bearer {KEY}"})
    problem(response, 401, "key_in_query")
    assert KEY not in response.text


def test_a_key_in_the_url_is_never_logged(locked: TestClient, log_lines: Callable[[], list[str]]) -> None:
    locked.get(f"/v1/jobs?api_key={KEY}")
    logged = str(log_lines())
    assert "/v1/jobs" in logged
    assert KEY not in logged


def test_the_document_says_that_a_key_is_wanted(locked: TestClient) -> None:
    document = locked.get("/openapi.json", headers={"authorization": f"Bearer {KEY}"}).json()
    assert document["paths"]["/v1/jobs"]["get"]["security"] == [{"bearer": []}]
    assert "security" not in document["paths"]["/health/live"]["get"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:8000",
        "127.0.0.1@evil.example",
        "localhost/x",
        "",
        "[::1",
        "169.254.169.254",
        "0.0.0.0",
        "localhost:80:80",
        "local host",
        "127.0.0.1, evil.example",
    ],
)
def test_without_a_key_another_host_is_refused(lite_client: TestClient, host: str, problem: Problem) -> None:
    problem(lite_client.get("/v1/jobs", headers={"host": host}), 403, "host_not_allowed")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "127.9.9.9", "[::1]", "[::1]:8000"])
def test_without_a_key_this_machine_is_served(lite_client: TestClient, host: str) -> None:
    assert lite_client.get("/v1/jobs", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_without_a_key_another_sites_page_is_refused(
    lite_client: TestClient, headers: dict[str, str], problem: Problem
) -> None:
    problem(lite_client.post("/v1/datasets?name=x", content=b"x", headers=headers), 403, "host_not_allowed")


def test_without_a_key_an_own_page_is_served(lite_client: TestClient) -> None:
    headers = {"origin": "http://localhost:3000", "sec-fetch-site": "same-site"}
    assert lite_client.get("/v1/jobs", headers=headers).status_code == 200


def test_long_hosts_and_origins_are_refused_and_not_remembered(lite_client: TestClient, problem: Problem) -> None:
    """They would fill the memory of a gateway that has no key to ask for."""
    before = auth._is_same_site.cache_info().currsize
    for number in range(20):
        long = f"a{number}.".ljust(60_000, "x")
        for headers in ({"host": f"{long}.localhost"}, {"origin": f"http://{long}"}, {"sec-fetch-site": long}):
            problem(lite_client.get("/v1/jobs", headers=headers), 403, "host_not_allowed")
    assert auth._is_same_site.cache_info().currsize == before


def test_loopback_is_told_from_everything_else() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "10.0.0.1", "example.org", "", "127.0.0.1.example.org"]))
