"""Following a job over a connection that breaks."""

import json

import pytest

from client.api import Syllabus
from client.errors import ApiError, Unreachable, WaitTimeout
from tests.client.web import Handler, Request, problem, serving


def event(number: int, kind: str, **data: object) -> bytes:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


LOG = [
    event(1, "state", state="queued"),
    event(2, "state", state="running"),
    event(3, "progress", fraction=0.5),
    event(4, "metric", series="train_loss", step=1, value=0.5),
    event(5, "state", state="succeeded"),
]


def rest_of_log(request: Request) -> list[bytes]:
    return LOG[int(request.headers.get("last-event-id", 0)) :]


def test_a_stream_that_breaks_after_every_event_is_read_without_gap_or_double() -> None:
    def answer(handler: Handler, request: Request) -> None:
        # One whole event and half of the next; the half one must come again.
        first, *following = rest_of_log(request)
        handler.send_events(first, *(chunk[:-4] for chunk in following[:1]))

    with serving(answer) as web, Syllabus(web.url) as api:
        assert [item.id for item in api.jobs.events("1")] == ["1", "2", "3", "4", "5"]
    assert [request.headers.get("last-event-id") for request in web.requests] == [None, "1", "2", "3", "4"]


def test_a_gateway_that_is_away_for_a_while_is_waited_for() -> None:
    def answer(handler: Handler, request: Request) -> None:
        number = len(web.requests)
        if number == 2:
            handler.hang_up()
        elif number == 3:
            handler.send(503, json.dumps(problem(503, "not_ready")).encode())
        else:
            handler.send_events(*(rest_of_log(request)[:2] if number == 1 else rest_of_log(request)))

    with serving(answer) as web, Syllabus(web.url) as api:
        assert [item.id for item in api.jobs.events("1")] == ["1", "2", "3", "4", "5"]


def test_a_gateway_that_stays_away_is_given_up() -> None:
    with (
        serving(lambda handler, request: handler.hang_up()) as web,
        Syllabus(web.url) as api,
        pytest.raises(Unreachable),
    ):
        list(api.jobs.events("1", give_up_seconds=0.05))


def test_an_unknown_job_is_refused_at_once() -> None:
    body = json.dumps(problem(404, "job_not_found")).encode()
    with (
        serving(lambda handler, request: handler.send(404, body)) as web,
        Syllabus(web.url) as api,
        pytest.raises(ApiError, match="job_not_found"),
    ):
        list(api.jobs.events("1"))
    assert len(web.requests) == 1


def test_following_after_the_final_event_ends() -> None:
    def answer(handler: Handler, request: Request) -> None:
        if request.path.endswith("/events"):
            handler.send(200, b"", "text/event-stream")
        else:
            handler.send(200, b'{"state": "succeeded"}')

    with serving(answer) as web, Syllabus(web.url) as api:
        assert list(api.jobs.events("1", after="5")) == []


def test_waiting_longer_than_asked_for_is_an_error() -> None:
    with (
        serving(lambda handler, request: handler.send(200, b'{"state": "running"}')) as web,
        Syllabus(web.url) as api,
        pytest.raises(WaitTimeout, match="still running"),
    ):
        api.jobs.wait("1", timeout_seconds=0.01)


def test_log_entries_are_read_line_by_line() -> None:
    body = b'{"message": "a"}\n{"message": "b"}\n'
    with serving(lambda handler, request: handler.send(200, body)) as web, Syllabus(web.url) as api:
        assert [entry["message"] for entry in api.jobs.log_entries("1")] == ["a", "b"]
    assert web.requests[0].headers["accept"] == "application/x-ndjson"
