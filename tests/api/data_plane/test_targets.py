"""Request targets: what the short way takes, the framework takes too, and means the same by it."""

import asyncio
import urllib.parse
from collections.abc import Sequence
from typing import Any

import httptools
import pytest
from fastapi import FastAPI
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api import problems
from api.data_plane import targets
from api.data_plane.messages import Headers, Response
from api.data_plane.targets import CALL_ROUTES, INFER, INFER_VERSION, PREDICT, Target, is_prediction, parse
from api.routes import generation, inference_protocol, predictions
from services.serving.answers import Naming


class Noting:
    """Stands for the data plane: it notes what it is asked for."""

    target: Target | None = None

    async def answer(self, target: Target, headers: Headers, body: bytes) -> Response:
        """An empty answer."""
        self.target = target
        return Response(200, b"", b"")

    def count(self, response: Response, seconds: Sequence[float]) -> None:
        """Nothing is counted."""


def application() -> FastAPI:
    app = FastAPI(redirect_slashes=False)
    problems.install(app)
    app.include_router(predictions.router)
    app.include_router(generation.router)
    app.include_router(inference_protocol.router)
    return app


APP = application()


def by_the_framework(url: bytes) -> tuple[int, Target | None]:
    """The status that the ordinary way answers, and the target that it finds, from a scope as uvicorn makes it."""
    APP.state.data_plane = noting = Noting()
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    scope = {
        "type": "http",
        "method": "POST",
        "path": urllib.parse.unquote(path),
        "raw_path": parsed.path,
        "query_string": parsed.query or b"",
        "headers": [(b"content-type", b"application/json")],
        "state": {},
    }
    statuses: list[int] = []
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if message["type"] == "http.response.start" else [])

    asyncio.run(APP(scope, receive, send))
    return statuses[0], noting.target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (b"/v1/models/a/predict", Target("predict", PREDICT, "/v1/models/a/predict", "a")),
        (
            b"/v1/models/a.b-C_1/predict?version=3&top_k=2&variant=int8&calibrated=true",
            Target("predict", PREDICT, "/v1/models/a.b-C_1/predict", "a.b-C_1", "3", "int8", Naming(2, True)),
        ),
        (b"/v1/models/a/predict?version=latest", Target("predict", PREDICT, "/v1/models/a/predict", "a")),
        (b"/v1/models/%61/predict", Target("predict", PREDICT, "/v1/models/a/predict", "a")),
        (
            b"/v1/models/a/generate?version=3",
            Target("generate", CALL_ROUTES["generate"], "/v1/models/a/generate", "a", "3"),
        ),
        (
            b"/v1/models/a/encode?label=%C3%A9%20b",
            Target("encode", CALL_ROUTES["encode"], "/v1/models/a/encode", "a", label="é b"),
        ),
        (b"/v2/models/a/infer", Target("infer", INFER, "/v2/models/a/infer", "a")),
        (
            b"/v2/models/a/versions/7/infer",
            Target("infer", INFER_VERSION, "/v2/models/a/versions/7/infer", "a", "7"),
        ),
    ],
)
def test_what_clients_send_is_taken(url: bytes, target: Target) -> None:
    assert parse(url) == target
    assert by_the_framework(url) == (200, target)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (b"/v1/models//predict", 404),
        (b"/v1/models/a/predict/", 404),
        (b"/v1/models/-a/predict", 404),
        (b"/v1/models/" + b"a" * 64 + b"/predict", 404),
        (b"/v1/models/a%00/predict", 404),
        (b"/v1/models/a%0A/predict", 404),
        (b"/v1/models/%C3%A9/predict", 404),
        (b"/v1/models/a%2Fb/predict", 404),
        (b"/v1/models/a/predict?version=0", 422),
        (b"/v1/models/a/predict?version=1%0A", 422),
        (b"/v1/models/a/predict?version=", 422),
        (b"/v1/models/a/predict?top_k=0", 422),
        (b"/v1/models/a/predict?top_k=1001", 422),
        (b"/v1/models/a/predict?top_k=five", 422),
        (b"/v1/models/a/predict?variant=INT8", 422),
        (b"/v1/models/a/generate?version=0", 422),
        (b"/v1/models/a/encode?label=", 422),
        (b"/v1/models/a/generates", 404),
        (b"/v2/models/a/versions/0/infer", 404),
        (b"/v2/models/a/versions//infer", 404),
        (b"/v3/models/a/infer", 404),
    ],
)
def test_what_is_wrong_is_left_to_the_framework_which_says_so(url: bytes, status: int) -> None:
    assert parse(url) is None
    assert by_the_framework(url) == (400 if status == 422 and url.startswith(b"/v2") else status, None)


def anything_in(text: str) -> st.SearchStrategy[str]:
    """The text, or some of its characters encoded, doubled, left out or put in."""
    odd = st.sampled_from(["%2F", "%00", "%0a", "%", "%zz", "/", "//", "..", ".", "+", "%20", "é", "%C3%A9", "~", ";"])
    pieces = st.lists(
        st.tuples(st.integers(0, len(text)), st.sampled_from(["encode", "double", "drop", "insert"]), odd), max_size=2
    )

    def change(changes: list[tuple[int, str, str]]) -> str:
        result = text
        for place, how, extra in changes:
            character = result[place : place + 1]
            new = {
                "encode": "".join(f"%{byte:02X}" for byte in character.encode()),
                "double": character * 2,
                "drop": "",
                "insert": extra + character,
            }[how]
            result = result[:place] + new + result[place + 1 :]
        return result

    return pieces.map(change)


NAMES = st.one_of(
    st.from_regex(rf"\A{targets.MODEL}\Z"),
    st.sampled_from(["a", "stats", "prices", "a.b", "..", "", "%61", "A-1", "a b", "é", "a" * 63, "a" * 64]),
)
PATHS = st.one_of(
    NAMES.flatmap(lambda name: anything_in(f"/v1/models/{name}/predict")),
    st.tuples(NAMES, st.sampled_from(sorted(CALL_ROUTES))).flatmap(
        lambda pair: anything_in(f"/v1/models/{pair[0]}/{pair[1]}")
    ),
    NAMES.flatmap(lambda name: anything_in(f"/v2/models/{name}/infer")),
    st.tuples(NAMES, st.sampled_from(["1", "0", "01", "999999999", "9" * 10, "latest", "prod", "1a", "-1"])).flatmap(
        lambda pair: anything_in(f"/v2/models/{pair[0]}/versions/{pair[1]}/infer")
    ),
)
NUMBERS = ("1", "5", "0", "01", "+1", " 1", "1 ", "1.0", "1e1", "1000", "1001", "1_0", "%31", "1%0A", "1%00", "１", "٣")
VALUES = st.sampled_from([*NUMBERS, "latest", "prod", "int8", "", "true", "a=b", "x" * 64])
PAIRS = st.tuples(
    st.sampled_from(["version", "variant", "top_k", "label", "Version", "v", "version%20", "top%5Fk", ""]),
    st.sampled_from(["=", "", "=="]),
    VALUES,
).map("".join)
QUERIES = st.lists(PAIRS, max_size=3).flatmap(
    lambda pairs: st.sampled_from(["&", ";", "&&"]).map(lambda separator: separator.join(pairs))
)
ENDINGS = st.sampled_from(["", "", "", "#", "#version=2", "?"])


@settings(max_examples=1500, deadline=None)
@given(PATHS, st.none() | QUERIES, ENDINGS)
@example("/v1/models/a/predict", "version=1&version=1", "")
@example("/v1/models/a/predict", "top_k=5&owner=me", "")
@example("/v2/models/a/infer", "version=1", "")
@example("/v2/models/stats/infer", None, "")
def test_both_ways_mean_the_same(path: str, query: str | None, ending: str) -> None:
    url = (path + ("" if query is None else f"?{query}") + ending).encode("utf-8")
    try:
        httptools.HttpRequestParser(object()).feed_data(b"POST " + url + b" HTTP/1.1\r\n\r\n")
    except httptools.HttpParserError:
        return  # such a request gets no further than the parser
    target = parse(url)
    try:
        status, expected = by_the_framework(url)
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):  # uvicorn answers 400
        status, expected = 400, None
    if target is not None:
        assert target == expected
        assert is_prediction(target.path)
    elif expected is None:
        assert status in (400, 404, 405, 422)


def test_long_targets_are_not_remembered() -> None:
    """They would fill the memory: whoever sends them need not even have a key."""
    before = targets._parse.cache_info().currsize
    for number in range(50):
        assert parse(b"/v1/models/a/predict?version=%d&%s" % (number, b"x" * 60_000)) is None
    assert targets._parse.cache_info().currsize == before
    assert parse(b"/v1/models/" + b"%61" * 63 + b"/predict?version=" + b"v" * 63 + b"&top_k=1000") is not None
