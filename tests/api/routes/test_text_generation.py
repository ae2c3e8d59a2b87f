"""Texts that a version writes: as JSON, or as they are written."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.data_plane.plane import DataPlane
from api.data_plane.targets import CALL_ROUTES, Target
from api.main import create_app
from services.settings import Settings
from tests.api.conftest import migrate, opened
from tests.api.routes.test_generation import Problem, answered, ask
from tests.generative_models import add_shades, add_writer

EVENTS = {"accept": "text/event-stream"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[TestClient]:
    """A gateway with a conditional version that writes, one that knows no classes, and one that draws images."""
    settings = Settings(home=tmp_path_factory.mktemp("texts"), broker_url=broker_url)
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as running:
        resources = opened(running)
        add_writer(resources)
        add_writer(resources, "free", conditional=False)
        add_shades(resources)
        yield running


def events(client: TestClient, model: str, body: Any, **headers: str) -> list[tuple[str, Any]]:
    response = ask(client, model, "generate", body, headers={**EVENTS, **headers})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def texts(client: TestClient, body: Any, model: str = "writer") -> list[str]:
    return [each["text"] for each in answered(client, model, "generate", body)["texts"]]


def test_texts_come_with_the_seed_that_gives_them_again(client: TestClient) -> None:
    first = answered(client, "writer", "generate", {"n": 6})
    assert (first["model"], first["version"], len(first["texts"])) == ("writer", 1, 6)
    assert sorted(each["label"] for each in first["texts"]) == ["dim"] * 3 + ["lit"] * 3
    assert all(set(each["text"]) <= set("abcd") for each in first["texts"])
    assert all(each["log_probability"] < 0 for each in first["texts"])
    again = answered(client, "writer", "generate", {"n": 6, "seed": first["seed"]})
    assert again["texts"] == first["texts"]
    assert answered(client, "writer", "generate", {"n": 6, "seed": first["seed"] ^ 1})["texts"] != first["texts"]


def test_a_text_is_the_same_whatever_the_number_and_the_greatest_length(client: TestClient) -> None:
    many = texts(client, {"n": 40, "seed": 3, "label": "lit"})
    assert texts(client, {"n": 3, "seed": 3, "label": "lit"}) == many[:3]
    assert texts(client, {"n": 40, "seed": 3, "label": "lit", "max_length": 4}) == [text[:4] for text in many]
    assert len(set(many)) > 10


def test_a_text_has_ended_or_is_as_long_as_it_may_be(client: TestClient) -> None:
    made = answered(client, "free", "generate", {"n": 40, "seed": 1, "max_length": 5})["texts"]
    assert {each["ended"] for each in made} == {True, False}
    assert all(each["ended"] or len(each["text"]) == 5 for each in made)
    assert all(each["label"] is None for each in made)


def test_it_goes_on_behind_a_start_of_which_letters_may_be_unknown(client: TestClient) -> None:
    for start in ("ab", "a\u017cb", "e\u0301a"):
        for text in texts(client, {"n": 5, "seed": 2, "label": "dim", "start": start}):
            assert text.startswith("\u00e9a" if start == "e\u0301a" else start)


def test_the_most_probable_text_is_one_alone(client: TestClient) -> None:
    greedy = texts(client, {"n": 4, "seed": 2, "label": "dim", "top_k": 1})
    assert len(set(greedy)) == 1
    assert texts(client, {"n": 4, "seed": 9, "label": "dim", "temperature": 1e-6}) == greedy
    assert texts(client, {"n": 4, "seed": 9, "label": "dim", "top_p": 1e-6}) == greedy


def test_the_events_are_the_tokens_and_at_last_the_whole(client: TestClient) -> None:
    body = {"n": 3, "seed": 5, "label": ["dim", "lit", "dim"], "start": "c"}
    *tokens, (last, whole) = events(client, "writer", body)
    assert last == "done"
    expected = answered(client, "writer", "generate", body)
    assert whole == expected
    assert {name for name, _ in tokens} == {"token"}
    for index, text in enumerate(expected["texts"]):
        pieces = [data["text"] for _, data in tokens if data["index"] == index]
        assert "c" + "".join(pieces) == text["text"]
        assert len(pieces) == len(text["text"]) - 1


def test_a_compressed_request_is_answered_with_events_too(client: TestClient) -> None:
    body = {"n": 2, "seed": 5, "label": "dim"}
    headers = {**EVENTS, "content-type": "application/json", "content-encoding": "gzip"}
    path = "/v1/models/writer/generate"
    response = client.post(path, content=gzip.compress(json.dumps(body).encode()), headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    whole = json.loads(response.text.strip().rpartition("data: ")[2])
    assert whole == answered(client, "writer", "generate", body)


def test_an_answer_that_comes_as_json_takes_its_time_though_events_are_named(client: TestClient) -> None:
    def seconds() -> float:
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if "_request_seconds_sum" in line and '"free"' in line)

    before = seconds()
    accept = {"accept": "application/json, text/event-stream;q=0.5"}
    assert len(ask(client, "free", "generate", {"n": 8, "seed": 1}, headers=accept).json()["texts"]) == 8
    assert seconds() > before


def test_a_deadline_ends_the_writing(client: TestClient, problem: Problem) -> None:
    late = {"x-timeout-ms": "1"}
    body = {"n": 64, "seed": 5, "top_k": 2, "max_length": 256}
    response = ask(client, "writer", "generate", body, headers=late)
    assert problem(response, 504, "deadline_exceeded")
    name, data = events(client, "writer", body, **late)[-1]
    assert (name, data["code"], data["status"]) == ("error", "deadline_exceeded", 504)


@pytest.mark.parametrize(
    ("model", "body", "code", "field"),
    [
        ("writer", {"label": "grey"}, "label_unknown", ["label"]),
        ("writer", {"n": 2, "label": ["dim"]}, "label_count", ["label"]),
        ("free", {"label": "dim"}, "label_unexpected", ["label"]),
        ("writer", {"z": [[0.0, 1.0]]}, "field_unexpected", ["z"]),
        ("writer", {"n": 65}, "too_many_texts", ["n"]),
        ("writer", {"n": 64, "max_length": 10_000}, "answer_too_large", ["max_length"]),
        ("writer", {"max_length": 3, "start": "abcd"}, "start_too_long", ["max_length"]),
        ("writer", {"start": "a" * 31}, "start_too_long", ["start"]),
        ("writer", {"start": "a" * 10_001}, "request_invalid", ["start"]),
        ("writer", {"top_k": 0}, "request_invalid", ["top_k"]),
        ("writer", {"top_p": 1.5}, "request_invalid", ["top_p"]),
        ("writer", {"temperature": 0}, "request_invalid", ["temperature"]),
        ("writer", {"prompt": "a"}, "request_invalid", ["prompt"]),
        ("shades", {"start": "a"}, "field_unexpected", ["start"]),
        ("shades", {"top_k": 3}, "field_unexpected", ["top_k"]),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream, */*;q=0.1"])
def test_what_is_wrong_is_named(
    client: TestClient, problem: Problem, model: str, body: Any, code: str, field: list[str], accept: str
) -> None:
    response = ask(client, model, "generate", body, headers={"accept": accept})
    assert problem(response, 422, code)["errors"][0]["loc"] == ["body", *field]


def test_images_come_as_no_events_and_texts_as_no_pictures(client: TestClient, problem: Problem) -> None:
    refused = problem(ask(client, "shades", "generate", {}, headers=EVENTS), 406, "not_acceptable")
    assert "image/png" in refused["detail"]
    refused = problem(ask(client, "writer", "generate", {}, headers={"accept": "image/png"}), 406, "not_acceptable")
    assert "text/event-stream" in refused["detail"]
    either = ask(
        client, "shades", "generate", {"n": 1}, headers={"accept": "text/event-stream, application/json;q=0.5"}
    )
    assert len(either.json()["images"]) == 1


def test_a_version_that_knows_no_classes_says_how_probable_a_text_is(client: TestClient, problem: Problem) -> None:
    (answer,) = answered(client, "free", "predict", {"inputs": ["abc"]})["predictions"]
    assert answer == {"log_probability": -4.0, "tokens": 4, "perplexity": pytest.approx(2.718281828)}
    assert problem(ask(client, "writer", "predict", {"inputs": ["abc"]}), 409, "call_unsupported")
    assert problem(ask(client, "writer", "encode", {"inputs": ["abc"]}), 409, "call_unsupported")


def test_the_writing_is_ended_with_its_events(client: TestClient) -> None:
    app: Any = client.app
    plane: DataPlane = app.state.data_plane

    async def scenario() -> None:
        target = Target("generate", CALL_ROUTES["generate"], "/v1/models/writer/generate", "writer", "latest")
        headers = {b"accept": b"text/event-stream", b"content-type": b"application/json"}
        call = await plane.texts(target, headers, b'{"n": 2, "top_k": 2, "max_length": 200}')
        assert call is not None
        events = plane.events(target, call)
        await anext(events)
        (writing,) = (task for task in asyncio.all_tasks() if "TextCall._write " in repr(task.get_coro()))
        await events.aclose()
        assert writing.cancelling()

    assert client.portal is not None
    client.portal.call(scenario)
