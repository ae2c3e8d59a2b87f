"""/v1/jobs/{id}/trials."""

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from services import lifecycle
from services.studies import trials
from services.tables import Job
from tests.api.conftest import opened
from tests.services.studies.searching import fail, search, succeed, taken

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


@pytest.fixture
def study(client: TestClient) -> str:
    """A search with a good trial, a better one, a failed one and two to come."""
    resources = opened(client)
    search_id = search(resources, trials=5)
    for value in (0.5, 0.75):
        job = taken(resources)
        with resources.database.transaction() as session:
            trials.suggest(session, job.id, {"training.l2": value, "hyperparameters.hidden_dims": [8, 4]}, {})
        succeed(resources, job, value)
    fail(resources, taken(resources), '=HYPERLINK("http://evil")')
    return search_id


def test_trials_are_listed_with_what_they_came_to_while_the_search_goes_on(client: TestClient, study: str) -> None:
    items = client.get(f"/v1/jobs/{study}/trials").json()["items"]
    assert [(item["number"], item["state"], item["best"]) for item in items] == [
        (0, "succeeded", False),
        (1, "succeeded", True),
        (2, "failed", False),
        (3, "queued", False),
        (4, "queued", False),
    ]
    best = items[1]
    assert best["parameters"] == {"training.l2": 0.75, "hyperparameters.hidden_dims": [8, 4]}
    assert (best["values"], best["last"], best["epochs"]) == ({"val_accuracy": 0.75}, [1, 0.75], 1)
    assert best["seconds"] >= 0
    assert items[2]["error"]["code"] == "diverged"
    assert client.get(best["links"]["job"]).json()["links"]["parent"] == f"/v1/jobs/{study}"
    assert client.get(f"/v1/jobs/{study}").json()["links"]["trials"] == f"/v1/jobs/{study}/trials"


def test_pages_of_trials_go_up(client: TestClient, study: str) -> None:
    first = client.get(f"/v1/jobs/{study}/trials", params={"limit": 3}).json()
    rest = client.get(f"/v1/jobs/{study}/trials", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [item["number"] for item in first["items"] + rest["items"]] == [0, 1, 2, 3, 4]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("asked", [{"params": {"format": "csv", "limit": 1}}, {"headers": {"accept": "text/csv"}}])
def test_as_csv_there_is_a_line_for_each_and_no_formula(client: TestClient, study: str, asked: Any) -> None:
    answer = client.get(f"/v1/jobs/{study}/trials", **asked)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["training.l2"] for row in rows] == ["0.5", "0.75", "", "", ""]
    assert rows[1]["hyperparameters.hidden_dims"] == "[8,4]"
    assert rows[2]["error"].startswith("'=")


def test_the_jobs_of_a_search_are_found_by_their_parent(client: TestClient, study: str) -> None:
    items = client.get("/v1/jobs", params={"parent_id": study}).json()["items"]
    assert {item["kind"] for item in items} == {"trial"}
    assert len(items) == 5


def test_a_search_is_given_more_trials_until_it_is_over(client: TestClient, study: str, problem: Problem) -> None:
    answer = client.post(f"/v1/jobs/{study}/trials", json={"add": 2})
    assert (answer.status_code, answer.json()["request"]["trials"]) == (202, 7)
    problem(client.post(f"/v1/jobs/{study}/trials", json={"add": 0}), 422, "request_invalid")
    assert problem(client.post(f"/v1/jobs/{study}/trials", json={"add": 9_999}), 422, "too_many_trials")["errors"][0][
        "loc"
    ] == ["body", "add"]
    assert client.post(f"/v1/jobs/{study}/cancel").status_code == 202
    problem(client.post(f"/v1/jobs/{study}/trials", json={"add": 1}), 409, "job_state")


def test_other_jobs_have_no_trials(client: TestClient, problem: Problem) -> None:
    with opened(client).database.transaction() as session:
        job = lifecycle.create(session, Job(kind="train", queue="cpu", request={}))
    problem(client.get(f"/v1/jobs/{job.id}/trials"), 404, "trials_not_found")
    problem(client.post(f"/v1/jobs/{job.id}/trials", json={"add": 1}), 404, "trials_not_found")
    problem(client.get("/v1/jobs/0198c0de-0000-7000-8000-000000000000/trials"), 404, "job_not_found")
