"""What the SDK sends to versions that code and generate, and what it makes of the answers."""

import base64
import json
from pathlib import Path

import pytest

from client.api import Syllabus
from client.errors import ApiError
from client.generation import End
from tests.client.web import Handler, Request, serving

PNG = b"\x89PNG\r\n\x1a\n..."


def accept(handler: Handler, request: Request) -> None:
    if request.headers["accept"] == "application/json":
        handler.send(200, b'{"codes": []}')
    else:
        handler.send(200, PNG, request.headers["accept"])


def test_samples_are_asked_for_as_json_or_as_a_file() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        assert api.models.generate("m", 3, seed=1, label="a") == {"codes": []}
        assert api.models.generate("m", z=[(1, 2)], label=("a",), version=2, form="zip") == PNG
        assert api.models.decode("m", [[1.0]], form="png") == PNG
    drawn, made, decoded = web.requests
    assert json.loads(drawn.body) == {"n": 3, "seed": 1, "label": "a", "temperature": 1.0}
    assert json.loads(made.body) == {"z": [[1, 2]], "seed": None, "label": ["a"], "temperature": 1.0}
    assert (made.path, made.headers["accept"]) == ("/v1/models/m/generate?version=2", "application/zip")
    assert (json.loads(decoded.body), decoded.headers["accept"]) == ({"codes": [[1.0]], "label": None}, "image/png")


def test_inputs_are_sent_as_for_a_prediction() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.models.encode("m", PNG, label="a b")
        api.models.anomaly("m", [[1, 2]])
        assert api.models.reconstruct("m", PNG, form="png") == PNG
    image, rows, picture = web.requests
    assert (image.path, image.body) == ("/v1/models/m/encode?version=latest&label=a+b", PNG)
    assert image.headers["content-type"] == "image/png"
    assert (rows.path, json.loads(rows.body)) == ("/v1/models/m/anomaly?version=latest", {"inputs": [[1, 2]]})
    assert picture.headers["accept"] == "image/png"


@pytest.mark.parametrize("end", [7, [0.5, 1], {"rooms": 3}, PNG])
def test_an_end_of_a_path_is_sent_in_its_own_form(end: End, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    with serving(accept) as web, Syllabus(web.url) as api:
        api.models.interpolate("m", end, path, steps=3, method="spherical")
    text = base64.b64encode(PNG).decode()
    body = json.loads(web.requests[0].body)
    assert body["from"] == (text if end == PNG else end)
    assert (body["to"], body["steps"], body["method"]) == (text, 3, "spherical")


def test_what_a_version_cannot_do_is_told() -> None:
    def refuse(handler: Handler, request: Request) -> None:
        handler.send(409, b'{"code": "call_unsupported", "title": "Conflict", "detail": "it can predict"}')

    with serving(refuse) as web, Syllabus(web.url) as api, pytest.raises(ApiError, match="it can predict") as failure:
        api.models.generate("m", form="png")
    assert (failure.value.status, failure.value.code) == (409, "call_unsupported")


def test_texts_come_as_they_are_written_and_at_last_the_whole() -> None:
    events = b'event: token\ndata: {"index": 0, "text": "a"}\n\nevent: done\ndata: {"texts": []}\n\n'
    with serving(lambda handler, _: handler.send(200, events, "text/event-stream")) as web, Syllabus(web.url) as api:
        assert list(api.models.write("m", seed=3, label=["x"], top_k=2)) == [{"index": 0, "text": "a"}, {"texts": []}]
    (asked,) = web.requests
    assert (asked.path, asked.headers["accept"]) == ("/v1/models/m/generate?version=latest", "text/event-stream")
    assert json.loads(asked.body) == {"n": 1, "label": ["x"], "seed": 3, "top_k": 2}


def test_an_error_in_the_middle_of_a_text_is_raised() -> None:
    problem = b'{"status": 504, "code": "deadline_exceeded", "title": "Late", "detail": "too late"}'
    events = b'event: token\ndata: {"index": 0, "text": "a"}\n\nevent: error\ndata: ' + problem + b"\n\n"
    with serving(lambda handler, _: handler.send(200, events, "text/event-stream")) as web, Syllabus(web.url) as api:
        pieces = api.models.write("m")
        assert next(pieces)["text"] == "a"
        with pytest.raises(ApiError, match="too late") as caught:
            next(pieces)
    assert (caught.value.status, caught.value.code) == (504, "deadline_exceeded")
