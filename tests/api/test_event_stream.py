"""Server-sent events, against a gateway process."""

import asyncio
import json
import signal
import threading
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from api.event_stream import EventStream, Streams
from services import lifecycle
from services.errors import TooManyRequests
from services.resources import Resources
from services.settings import Settings
from tests.api.conftest import Gateway, add_job, running_gateway
from tests.stack import free_port, wait_until

Event = dict[str, str]


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    settings = Settings(home=tmp_path_factory.mktemp("streaming"), port=free_port(), broker_url=broker_url)
    with running_gateway(settings) as running:
        yield running


@pytest.fixture
def resources(streaming: Gateway) -> Iterator[Resources]:
    opened = Resources.open(streaming.settings)
    yield opened
    opened.close()


def events_of(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a stream; comments and `retry` are left out."""
    event: Event = {}
    for line in lines:
        if not line:
            if "data" in event:
                yield event
            event = {}
        elif not line.startswith(":"):
            field, _, value = line.partition(": ")
            event[field] = value


def stream(gateway: Gateway, job: str, **headers: str) -> list[Event]:
    """All events to the end of the stream."""
    with httpx.stream("GET", f"{gateway.url}/v1/jobs/{job}/events", headers=headers, timeout=30) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events_of(response.iter_lines()))


def claimed(resources: Resources) -> tuple[str, str]:
    job_id = add_job(resources)
    with resources.database.transaction() as session:
        job = lifecycle.claim(session, job_id, worker="test", lease_seconds=60)
        assert job is not None
        return job_id, str(job.lease_token)


def log(resources: Resources, job_id: str, token: str, *messages: str) -> None:
    with resources.database.transaction() as session:
        drafts: list[tuple[str, dict[str, Any]]] = [("log", {"message": message}) for message in messages]
        lifecycle.beat(session, job_id, token, lease_seconds=30, events=drafts)


def succeed(resources: Resources, job_id: str, token: str) -> None:
    with resources.database.transaction() as session:
        lifecycle.enter(session, job_id, "succeeded", token=token)


def test_the_head_of_a_stream_does_not_wait_for_the_job(streaming: Gateway, resources: Resources) -> None:
    job, _ = claimed(resources)
    with httpx.Client(base_url=streaming.url) as client:
        for _ in range(2):  # on one connection
            head = client.head(f"/v1/jobs/{job}/events")
            assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_a_stream_follows_a_job_to_its_end(streaming: Gateway, resources: Resources) -> None:
    job_id, token = claimed(resources)
    received: list[Event] = []
    reader = threading.Thread(target=lambda: received.extend(stream(streaming, job_id)))
    reader.start()
    log(resources, job_id, token, "first")
    log(resources, job_id, token, "second")
    succeed(resources, job_id, token)
    reader.join(30)
    assert [event["event"] for event in received] == ["state", "state", "log", "log", "state"]
    assert [event["id"] for event in received] == ["1", "2", "3", "4", "5"]
    states = [json.loads(event["data"])["state"] for event in received if event["event"] == "state"]
    assert states == ["queued", "running", "succeeded"]


def test_a_stream_is_replayed_after_the_end_and_from_the_last_event_on(
    streaming: Gateway, resources: Resources
) -> None:
    job_id, token = claimed(resources)
    log(resources, job_id, token, *map(str, range(1200)))
    succeed(resources, job_id, token)
    whole = stream(streaming, job_id)
    assert [int(event["id"]) for event in whole] == list(range(1, 1204))
    rest = stream(streaming, job_id, **{"last-event-id": "1200"})
    assert rest == whole[1200:]
    assert stream(streaming, job_id, **{"last-event-id": "1203"}) == []
    assert stream(streaming, job_id, **{"last-event-id": "9000"}) == []


def test_a_logged_line_break_forges_no_event(streaming: Gateway, resources: Resources) -> None:
    job_id, token = claimed(resources)
    forged = "x\n\nid: 99\nevent: state\ndata: {}\n\n"
    log(resources, job_id, token, forged)
    succeed(resources, job_id, token)
    logged = stream(streaming, job_id)[2]
    assert (logged["event"], json.loads(logged["data"])["message"]) == ("log", forged)


@pytest.mark.parametrize("value", ["-1", "x", "1e3", "99999999999999999999"])
def test_a_last_event_id_that_was_never_given_is_422(streaming: Gateway, resources: Resources, value: str) -> None:
    url = f"{streaming.url}/v1/jobs/{add_job(resources)}/events"
    assert httpx.get(url, headers={"last-event-id": value}).status_code == 422


def test_streams_are_bounded_in_number() -> None:
    async def fill() -> None:
        streams = Streams(max_streams=2)
        streams.enter()
        streams.enter()
        with pytest.raises(TooManyRequests):
            streams.enter()
        streams.leave()
        streams.enter()

    asyncio.run(fill())


def test_clients_that_leave_make_room(streaming: Gateway, resources: Resources) -> None:
    url = f"{streaming.url}/v1/jobs/{add_job(resources)}/events"
    for _ in range(4):
        with httpx.Client(limits=httpx.Limits(max_connections=None)) as client:
            answers = [client.send(client.build_request("GET", url), stream=True) for _ in range(60)]
            assert {answer.status_code for answer in answers} <= {200, 429}
            for answer in answers:
                answer.close()

    def has_room() -> bool:
        with httpx.stream("GET", url) as response:
            return response.status_code == 200

    wait_until(has_room, "room for a stream")


def test_open_streams_do_not_hold_up_the_end_of_the_gateway(tmp_path: Path, broker_url: str) -> None:
    settings = Settings(home=tmp_path, port=free_port(), broker_url=broker_url)
    with running_gateway(settings) as gateway:
        opened = Resources.open(settings)
        job_id = add_job(opened)
        opened.close()
        with httpx.stream("GET", f"{gateway.url}/v1/jobs/{job_id}/events", timeout=30) as response:
            lines = response.iter_lines()
            assert next(events_of(lines))["event"] == "state"
            gateway.process.send_signal(signal.SIGTERM)
            assert [line for line in lines if line] == []  # the stream ends as a whole answer
        gateway.process.wait(20)
        assert "timeout graceful shutdown exceeded" not in gateway.log.read_text()


def test_events_are_closed_where_the_client_leaves_in_mid_stream() -> None:
    closed = False

    async def numbers() -> AsyncGenerator[bytes]:
        nonlocal closed
        try:
            yield b"1"
            yield b"2"
        finally:
            closed = True

    async def send(message: Message) -> None:
        if message.get("body"):
            raise OSError

    async def receive() -> Message:
        raise AssertionError

    async def scenario() -> None:
        events, streams = numbers(), Streams(1)
        response = EventStream(streams, events)
        with pytest.raises(ClientDisconnect):
            await response({"type": "http", "method": "GET", "asgi": {"spec_version": "2.4"}}, receive, send)
        assert closed
        streams.enter()

    asyncio.run(scenario())
