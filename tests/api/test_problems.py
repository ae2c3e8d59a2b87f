"""Failures as problem details."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.testclient import TestClient

from api.main import create_app
from api.problems import STATUS, problem_of, unexpected_error
from services import errors
from services.settings import Settings

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


@pytest.fixture
def failing(tmp_path: Path, broker_url: str) -> Iterator[TestClient]:
    """A gateway with routes that fail in ways that no route of ours does."""
    app = create_app(Settings(home=tmp_path, broker_url=broker_url))

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("the password is hunter2")

    @app.get("/full")
    def full() -> None:
        raise OSError(28, "No space left on device")

    @app.get("/busy")
    def busy() -> None:
        raise errors.TooManyRequests("queue_full", "The queue is full.", 7)

    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


def test_every_error_of_the_tree_has_a_status() -> None:
    # A lease is lost in workers only.
    assert set(STATUS) == set(errors.SyllabusError.__subclasses__()) - {errors.LeaseLost} - own_subclasses()


def own_subclasses() -> set[type[errors.SyllabusError]]:
    return {cls for cls in errors.SyllabusError.__subclasses__() if not cls.__module__.startswith("services.errors")}


def test_an_unforeseen_error_is_500_without_its_cause(failing: TestClient, problem: Problem) -> None:
    response = failing.get("/crash", headers={"x-request-id": "r-1"})
    problem(response, 500, "internal_error")
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
    assert response.headers["x-request-id"] == "r-1"


def test_a_full_disk_is_507(failing: TestClient, problem: Problem) -> None:
    problem(failing.get("/full"), 507, "storage_full")


def test_a_full_queue_is_429_and_says_when_to_come_back(failing: TestClient, problem: Problem) -> None:
    response = failing.get("/busy")
    problem(response, 429, "queue_full")
    assert response.headers["retry-after"] == "7"


def test_an_unmapped_error_is_500() -> None:
    assert problem_of("/", errors.LeaseLost("lease_lost", "x")).status_code == 500
    assert unexpected_error("/", ValueError()).status_code == 500


@pytest.mark.parametrize("path", ["/v2", "/v2/models/m/infer", "/v2/no/such/path"])
def test_the_inference_protocol_has_a_shape_and_a_status_of_its_own(path: str) -> None:
    wrong = problem_of(path, errors.Invalid("tensor_invalid", "The shape is wrong."))
    assert (wrong.status_code, wrong.body) == (400, b'{"error":"The shape is wrong."}')
    assert wrong.headers["content-type"] == "application/json"
    busy = problem_of(path, errors.TooManyRequests("overloaded", "Later.", 3))
    assert (busy.status_code, busy.body, busy.headers["retry-after"]) == (429, b'{"error":"Later."}', "3")
    assert unexpected_error(path, ValueError("hunter2")).status_code == 500
    assert b"hunter2" not in unexpected_error(path, ValueError("hunter2")).body


def test_only_the_protocols_own_paths_have_its_shape() -> None:
    for path in ("/v1/models/v2/predict", "/v20", "/v2x/models", "/V2"):
        assert problem_of(path, errors.Invalid("x", "y")).status_code == 422


def test_a_body_that_is_wrong_as_a_whole_is_named_too() -> None:
    wrong = orjson.loads(problem_of("/v1/x", errors.Invalid("body_damaged", "It is damaged.")).body)
    assert wrong["errors"] == [{"loc": ["body"], "msg": "It is damaged."}]


def test_what_is_not_ready_says_when_to_come_back() -> None:
    assert problem_of("/", errors.Unavailable("model_unloaded", "x")).headers["retry-after"] == "5"
    assert problem_of("/", errors.DeadlineExceeded("deadline_exceeded", "x")).status_code == 504


def test_paths_and_methods_that_do_not_exist_are_problems_too(lite_client: TestClient, problem: Problem) -> None:
    problem(lite_client.get("/v1/nope"), 404, "route_not_found")
    response = lite_client.patch("/v1/datasets/x")
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, DELETE, HEAD"


def test_the_instance_is_the_path_without_its_query(lite_client: TestClient) -> None:
    assert lite_client.get("/v1/jobs?limit=secret").json()["instance"] == "/v1/jobs"


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"samples": 0}, ["samples"]),
        ({"samples": "many"}, ["samples"]),
        ({"samples": [3, -1]}, ["samples", 1]),
        ({"samples": []}, ["samples"]),
        ({"methods": ["saliency", "guessing"]}, ["methods", 1]),
        ({"methods": []}, ["methods"]),
        ({"deepdream": {"steps": 0}}, ["deepdream", "steps"]),
        ({"split": {"test": 1}}, ["split"]),
    ],
)
def test_a_wrong_field_is_named_as_the_client_wrote_it(
    lite_client: TestClient, problem: Problem, wrong: dict[str, Any], place: list[str | int]
) -> None:
    response = lite_client.post("/v1/jobs", json={"kind": "explain", "model": "m", **wrong})
    locs = [each["loc"] for each in problem(response, 422, "request_invalid")["errors"]]
    assert ["body", *place] in locs
    assert all(loc[1] in wrong and all(part in place for part in loc[1:]) for loc in locs)
    assert len(locs) == len({tuple(loc) for loc in locs})
    if wrong.get("methods"):
        assert len(locs) == 1


def test_an_error_never_repeats_the_input(lite_client: TestClient) -> None:
    body = {"kind": "train", "architecture": ["hunter2"], "dataset": "x"}
    assert "hunter2" not in lite_client.post("/v1/jobs", json=body).text
