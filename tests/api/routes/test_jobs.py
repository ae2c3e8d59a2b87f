"""/v1/jobs, but for its event streams: see tests/api/test_event_stream.py."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from services import lifecycle
from services.requests.jobs import JobRequest
from services.tables import JobArtifact, ModelVersion
from services.transitions import ENTERED_FROM, JobState
from shapes.jobs import JobKind
from tests.api.conftest import add_dataset, add_job, opened

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]
KEYS = {
    "id", "parent_id", "kind", "state", "progress", "attempt", "queue_position", "created_at", "started_at",
    "finished_at", "request", "result", "error", "links",
}  # fmt: skip
DATA = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 2}},
    "classes": ["dark", "middle", "bright"],
    "input": {"name": "image", "dtype": "uint8", "shape": [1, 2, 2]},
    "target": {"name": "label", "dtype": "int64", "shape": []},
}
EVALUATE = {"kind": "evaluate", "model": "shades", "dataset": "greys"}


@pytest.fixture
def greys(client: TestClient, shades: ModelVersion) -> None:
    """A data set for the model `shades`."""
    add_dataset(opened(client), "greys", {"train.inputs": np.zeros((2, 1, 2, 2), np.uint8)}, DATA)


@pytest.mark.parametrize(("name", "known"), [("kind", "trial"), ("state", "interrupted")])
def test_a_list_of_what_there_is_not_is_refused_and_tells_what_there_is(
    lite_client: TestClient, problem: Problem, name: str, known: str
) -> None:
    (error,) = problem(lite_client.get("/v1/jobs", params={name: "zz"}), 422, "request_invalid")["errors"]
    assert error["loc"] == ["query", name]
    assert known in error["msg"]


def test_all_kinds_and_states_can_be_asked_for() -> None:
    asked = {get_args(each.model_fields["kind"].annotation)[0] for each in get_args(get_args(JobRequest)[0])}
    assert set(get_args(JobKind)) == asked | {"ingest", "register", "trial"}
    assert set(get_args(JobState)) == set(ENTERED_FROM)


@pytest.mark.usefixtures("greys")
def test_a_job_is_submitted_and_answers_every_key_of_the_contract(client: TestClient) -> None:
    response = client.post("/v1/jobs", json=EVALUATE)
    assert response.status_code == 202, response.text
    job = response.json()
    assert set(job) == KEYS
    assert (job["kind"], job["state"], job["attempt"], job["parent_id"]) == ("evaluate", "queued", 0, None)
    assert job["progress"] == {"fraction": 0.0, "epoch": None, "step": None, "eta_seconds": None}
    assert job["request"]["version"] == 1
    assert response.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert datetime.fromisoformat(job["created_at"]).utcoffset() == timedelta(0)
    assert client.get(job["links"]["self"]).json() == job


@pytest.mark.usefixtures("greys")
def test_the_same_key_and_body_are_the_same_job(client: TestClient, problem: Problem) -> None:
    headers = {"idempotency-key": "once"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/jobs", json=EVALUATE, headers=headers), range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = client.post("/v1/jobs", json={**EVALUATE, "split": "train"}, headers=headers)
    problem(other, 409, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "k" * 256, "caf\u00e9".encode("latin-1")])
def test_an_unfit_idempotency_key_is_422(lite_client: TestClient, key: str | bytes, problem: Problem) -> None:
    response = lite_client.post("/v1/jobs", json=EVALUATE, headers={"idempotency-key": key})
    problem(response, 422, "request_invalid")


@pytest.mark.usefixtures("greys")
@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"kind": "magic"}, ["body", "kind"]),
        ({"model": "nope"}, ["body", "model"]),
        ({"model": "../x"}, ["body", "model"]),
        ({"version": 9}, ["body", "version"]),
        ({"dataset": "nope"}, ["body", "dataset"]),
        ({"split": "holdout"}, ["body", "split"]),
        ({"owner": "me"}, ["body", "owner"]),
        ({"state": "succeeded"}, ["body", "state"]),
        ({"attempt": 9}, ["body", "attempt"]),
    ],
)
def test_a_wrong_field_is_422_and_named(client: TestClient, change: dict[str, Any], loc: list[str]) -> None:
    response = client.post("/v1/jobs", json={**EVALUATE, **change})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == loc
    assert client.get("/v1/jobs", params={"kind": "evaluate"}).json()["items"] == []


def test_a_body_without_a_kind_is_422(lite_client: TestClient, problem: Problem) -> None:
    body = problem(lite_client.post("/v1/jobs", json={}), 422, "request_invalid")
    assert body["errors"][0]["loc"] == ["body", "kind"]


def test_jobs_are_listed_newest_first_by_kind_and_state(client: TestClient) -> None:
    resources = opened(client)
    trains = [add_job(resources) for _ in range(3)]
    ingest = add_job(resources, kind="ingest", queue="io")
    client.post(f"/v1/jobs/{trains[0]}/cancel")
    listed = client.get("/v1/jobs").json()
    assert [job["id"] for job in listed["items"]] == [ingest, *reversed(trains)]
    assert [job["queue_position"] for job in listed["items"]] == [0, 1, 0, None]
    queued = client.get("/v1/jobs", params={"kind": "train", "state": "queued", "limit": 1}).json()
    assert [job["id"] for job in queued["items"]] == [trains[2]]
    rest = client.get("/v1/jobs", params={"kind": "train", "state": "queued", "cursor": queued["next_cursor"]}).json()
    assert [job["id"] for job in rest["items"]] == [trains[1]]


def test_pause_resume_and_cancel_answer_202_and_then_409(client: TestClient, problem: Problem) -> None:
    path = f"/v1/jobs/{add_job(opened(client))}"
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        response = client.post(f"{path}/{verb}")
        assert (response.status_code, response.json()["state"]) == (202, state)
    for verb in ("pause", "resume", "cancel"):
        problem(client.post(f"{path}/{verb}"), 409, "job_state")


@pytest.mark.parametrize("name", ["01900000-0000-7000-8000-000000000000", "nope", "%2e%2e%2f", "%00", "1" * 500])
def test_a_job_that_does_not_exist_is_404_everywhere(lite_client: TestClient, name: str) -> None:
    paths = ["", "/events", "/metrics", "/logs", "/artifacts", "/artifacts/report.json"]
    answers = [lite_client.get(f"/v1/jobs/{name}{path}") for path in paths]
    answers += [lite_client.post(f"/v1/jobs/{name}/{verb}") for verb in ("cancel", "pause", "resume")]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}


def running_job(client: TestClient, *events: tuple[str, dict[str, Any]]) -> str:
    """A job under a lease that has logged these events."""
    resources = opened(client)
    job_id = add_job(resources)
    with resources.database.transaction() as session:
        job = lifecycle.claim(session, job_id, worker="test", lease_seconds=60)
        assert job is not None
        token = str(job.lease_token)
        lifecycle.beat(session, job_id, token, lease_seconds=30, events=events, progress={"fraction": 0.5})
    return job_id


def test_metrics_come_as_series(client: TestClient) -> None:
    points = [("metric", {"series": "train_loss", "step": step, "value": 1 / (step + 1)}) for step in range(3000)]
    series = client.get(f"/v1/jobs/{running_job(client, *points)}/metrics").json()["series"]
    assert list(series) == ["train_loss"]
    assert len(series["train_loss"]) == 1000
    assert series["train_loss"][0] == [0, 1.0]
    assert series["train_loss"][-1] == [2999, 1 / 3000]


def test_the_log_is_text_in_which_no_line_can_be_forged(client: TestClient) -> None:
    forged = {"level": "info", "message": "a\nb\r\x1b[31mred\u2028\u202e\u00fc"}
    job = running_job(client, ("log", forged), ("log", {"level": "error", "message": "end"}))
    response = client.get(f"/v1/jobs/{job}/logs")
    assert response.headers["content-type"].startswith("text/plain")
    first, second = response.text.split("\n")[:-1]
    assert first.endswith("INFO a\\nb\\r\\x1b[31mred\\u2028\\u202e\u00fc")
    assert second.endswith("ERROR end")


def test_the_log_is_ndjson_by_accept(client: TestClient) -> None:
    job = running_job(client, ("log", {"level": "info", "message": "a\nb"}))
    response = client.get(f"/v1/jobs/{job}/logs", headers={"accept": "application/x-ndjson"})
    assert response.headers["content-type"] == "application/x-ndjson"
    (line,) = response.text.splitlines()
    assert {"level": "info", "message": "a\nb"}.items() <= json.loads(line).items()


def test_artifacts_are_listed_and_downloaded(client: TestClient, tmp_path: Path, problem: Problem) -> None:
    resources = opened(client)
    job = add_job(resources)
    (tmp_path / "report").write_text("<script>")
    stored = resources.artifacts.put(tmp_path / "report")
    with resources.database.transaction() as session:
        session.add(
            JobArtifact(job_id=job, name="report.html", sha256=stored.sha256, size=stored.size, media_type="text/html")
        )
    (item,) = client.get(f"/v1/jobs/{job}/artifacts").json()["items"]
    assert (item["name"], item["size"], item["sha256"]) == ("report.html", 8, stored.sha256)
    response = client.get(item["href"])
    assert response.text == "<script>"
    assert response.headers["content-disposition"] == 'attachment; filename="report.html"'
    assert response.headers["x-content-type-options"] == "nosniff"
    problem(client.get(f"/v1/jobs/{job}/artifacts/other"), 404, "artifact_not_found")
    problem(client.get(f"/v1/jobs/{job}/artifacts/..%5c..%5cx"), 404, "artifact_not_found")


def test_a_train_job_is_checked_against_the_catalogue(client: TestClient) -> None:
    add_dataset(opened(client), "greys", {}, DATA)
    body = {
        "kind": "train",
        "architecture": "mlp",
        "dataset": "greys",
        "hyperparameters": {"magic": 1},
        "training": {"epochs": -1, "optimizer": {"name": "adam", "learning_rate": "fast"}},
    }
    response = client.post("/v1/jobs", json=body)
    assert response.status_code == 422
    locs = [error["loc"] for error in response.json()["errors"]]
    assert ["body", "training", "epochs"] in locs
    assert ["body", "training", "optimizer", "learning_rate"] in locs
    assert any(loc[:2] == ["body", "hyperparameters"] for loc in locs)
