"""Health, readiness, metrics and /v1/system."""

import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.main import create_app
from services import presence
from services.settings import Settings
from services.tables import Worker
from tests.api.conftest import add_job, migrate, opened


def test_a_gateway_with_all_its_parts_is_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "ok", "missing": []}
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "missing": []})


def test_readiness_names_a_broker_that_is_gone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        response = client.get("/health/ready")
        assert (response.status_code, response.json()["missing"]) == (503, ["broker"])
        assert client.get("/health/live").status_code == 200


@pytest.mark.usefixtures("broker_url")
def test_a_database_that_is_gone_is_503_and_said_so(tmp_path: Path, broker_url: str) -> None:
    url = "postgresql://nobody:secret@127.0.0.1:1/none"
    settings = Settings(home=tmp_path, database_url=url, broker_url=broker_url)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["missing"]) == (503, ["database"])
        response = client.get("/v1/jobs")
        assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
        assert "secret" not in response.text
        assert "retry-after" in response.headers
        assert client.get("/metrics").status_code == 200


def test_metrics_count_requests_by_route_and_jobs_by_state(client: TestClient) -> None:
    add_job(opened(client))
    client.get("/v1/jobs/nope")
    client.get("/no/such/path/1")
    client.get("/no/such/path/2")
    text = client.get("/metrics").text
    assert 'syllabus_http_requests_total{method="GET",route="/v1/jobs/{job}",status="404"} 1.0' in text
    assert 'syllabus_http_requests_total{method="GET",route="unmatched",status="404"} 2.0' in text
    assert 'syllabus_jobs{state="queued"} 1.0' in text
    assert "syllabus_workers 0.0" in text


def test_the_system_names_its_workers_and_devices(client: TestClient) -> None:
    with opened(client).database.transaction() as session:
        worker = Worker(
            id="w", host="h", pid=1, queues=["gpu", "cpu"], devices=["0"], slots=2, busy=1, started_at=time.time()
        )
        presence.announce(session, worker)
    body = client.get("/v1/system").json()
    (listed,) = body["workers"]
    assert (listed["queues"], listed["slots"], listed["busy"], listed["load"]) == (["gpu", "cpu"], 2, 1, 0.5)
    assert body["devices"] == ["cpu", "cuda:0"]
    assert body["version"]
