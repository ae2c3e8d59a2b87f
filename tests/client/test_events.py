"""The event-stream parser and a job's events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.events import EventParser, JobEvent, ServerSentEvent

TEXT = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)
EVENTS = st.lists(
    st.builds(
        ServerSentEvent,
        type=TEXT.filter(bool),
        data=st.lists(TEXT, min_size=1, max_size=3).map("\n".join),
        id=TEXT,
    ),
    max_size=5,
)


def wire(event: ServerSentEvent, newline: str) -> str:
    data = newline.join(f"data: {line}" for line in event.data.split("\n"))
    return f"event: {event.type}{newline}id: {event.id}{newline}{data}{newline}{newline}"


def parse(*chunks: bytes) -> list[ServerSentEvent]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(EVENTS, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_events_survive_any_cut_of_the_stream(events: list[ServerSentEvent], newline: str, data: st.DataObject) -> None:
    stream = "".join(wire(event, newline) for event in events).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert parse(*chunks) == events


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_bytes_make_the_parser_raise(chunks: list[bytes]) -> None:
    parse(*chunks)


def test_a_comment_is_no_event() -> None:
    assert parse(b": still here\n\n") == []


def test_an_event_that_no_blank_line_ends_is_dropped() -> None:
    assert parse(b"data: half\n") == []


def test_an_id_holds_until_the_next_one() -> None:
    assert [event.id for event in parse(b"id: 7\ndata: a\n\ndata: b\n\n")] == ["7", "7"]


def test_an_id_with_a_nul_is_ignored() -> None:
    assert parse(b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n")[1].id == "1"


def test_the_id_of_an_unfinished_event_is_not_taken_over() -> None:
    parser = EventParser()
    list(parser.feed(b"id: 1\ndata: a\n\nid: 2\ndata: b\n"))
    assert parser.last_event_id == "1"


def test_only_one_space_after_the_colon_is_dropped() -> None:
    assert parse(b"data:  a\n\n")[0].data == " a"


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse(b"\xef\xbb", b"\xbfdata: a\n\n")[0].data == "a"


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_terminal_state_is_final(state: str) -> None:
    assert JobEvent("1", "state", {"state": state}).is_final


@pytest.mark.parametrize(
    "event", [JobEvent("1", "state", {"state": "paused"}), JobEvent("1", "log", {"state": "failed"})]
)
def test_nothing_else_is_final(event: JobEvent) -> None:
    assert not event.is_final


def test_job_events_carry_json_objects() -> None:
    data = {"fraction": 0.5}
    assert JobEvent.parse(ServerSentEvent("progress", json.dumps(data), "3")) == JobEvent("3", "progress", data)
    with pytest.raises(ValueError):
        JobEvent.parse(ServerSentEvent("progress", "[1]", "3"))
