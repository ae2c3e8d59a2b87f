"""What is repeated, what is not, and what reaches the caller."""

import json
from collections.abc import Iterator

import pytest

from client.api import Syllabus
from client.errors import ApiError, Unreachable
from client.http import Connection, path_of
from tests.client.web import Handler, Request, problem, serving

JOB = json.dumps({"id": "1", "state": "queued"}).encode()


def test_a_submit_whose_answer_got_lost_is_repeated_under_the_same_key() -> None:
    def answer(handler: Handler, request: Request) -> None:
        handler.hang_up() if len(web.requests) < 3 else handler.send(202, JOB)

    with serving(answer) as web, Syllabus(web.url) as api:
        assert api.train("lenet", "digits")["id"] == "1"
    assert len({request.headers["idempotency-key"] for request in web.requests}) == 1
    assert len({request.body for request in web.requests}) == 1


def test_two_submits_have_two_keys() -> None:
    with serving(lambda handler, request: handler.send(202, JOB)) as web, Syllabus(web.url) as api:
        api.train("lenet", "digits")
        api.train("lenet", "digits")
    assert len({request.headers["idempotency-key"] for request in web.requests}) == 2


def test_a_cancel_is_not_repeated() -> None:
    with (
        serving(lambda handler, request: handler.hang_up()) as web,
        Syllabus(web.url) as api,
        pytest.raises(Unreachable),
    ):
        api.jobs.cancel("1")
    assert len(web.requests) == 1


def test_a_busy_service_is_asked_again_after_the_time_it_names() -> None:
    def answer(handler: Handler, request: Request) -> None:
        busy = json.dumps(problem(429, "queue_full")).encode()
        handler.send(429, busy, Retry_After="0") if len(web.requests) == 1 else handler.send(200, JOB)

    with serving(answer) as web, Syllabus(web.url) as api:
        assert api.jobs.get("1")["state"] == "queued"


def test_a_refusal_is_not_repeated() -> None:
    body = json.dumps(problem(404, "job_not_found")).encode()
    with (
        serving(lambda handler, request: handler.send(404, body)) as web,
        Syllabus(web.url) as api,
        pytest.raises(ApiError) as caught,
    ):
        api.jobs.get("1")
    assert (caught.value.status, caught.value.code, len(web.requests)) == (404, "job_not_found", 1)


def test_a_service_that_stays_away_is_unreachable() -> None:
    with serving(lambda handler, request: None) as web:
        pass
    with Syllabus(web.url) as api, pytest.raises(Unreachable, match="is the service running"):
        api.system()


@pytest.mark.parametrize("body", [b"<html></html>", b"[]"])
def test_an_answer_of_another_kind_of_service_is_no_answer(body: bytes) -> None:
    with (
        serving(lambda handler, request: handler.send(200, body)) as web,
        Syllabus(web.url) as api,
        pytest.raises(Unreachable),
    ):
        api.system()


def test_lists_are_read_to_their_last_page() -> None:
    def answer(handler: Handler, request: Request) -> None:
        page = {"items": [2], "next_cursor": None} if "cursor=b" in request.path else {"items": [1], "next_cursor": "b"}
        handler.send(200, json.dumps(page).encode())

    with serving(answer) as web:
        connection = Connection(web.url, None, timeout_seconds=5)
        items: Iterator[object] = connection.items("/v1/jobs", {"kind": "train", "state": None})
        assert list(items) == [1, 2]
        connection.close()
    assert [request.path for request in web.requests] == ["/v1/jobs?kind=train", "/v1/jobs?kind=train&cursor=b"]


def test_the_key_is_sent_as_a_bearer_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYLLABUS_API_KEY", "secret")
    with serving(lambda handler, request: handler.send(200, JOB)) as web, Syllabus(web.url) as api:
        api.system()
    assert web.requests[0].headers["authorization"] == "Bearer secret"


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(lambda handler, request: handler.send(200, JOB)) as web, Syllabus(web.url) as api:
        assert api.system()


def test_no_name_steps_out_of_its_place_in_the_path() -> None:
    assert path_of("models", "../a?b#c", "versions", 3) == "/v1/models/..%2Fa%3Fb%23c/versions/3"
