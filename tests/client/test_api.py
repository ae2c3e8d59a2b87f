"""What the conveniences of the SDK send."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client.api import Syllabus
from client.errors import ApiError
from client.inputs import media_type
from tests.client.web import Handler, Request, serving

PNG = b"\x89PNG\r\n\x1a\n..."


def accept(handler: Handler, request: Request) -> None:
    handler.send(200, b'{"predictions": []}')


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"BM\x10\0", "image/bmp"),
        (b"RIFF\x10\0\0\0WAVE", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_an_image_is_known_by_its_first_bytes_not_its_name(start: bytes, kind: str) -> None:
    assert media_type(start) == kind


def test_one_image_is_the_body(tmp_path: Path) -> None:
    path = tmp_path / "digit.jpg"
    path.write_bytes(PNG)
    with serving(accept) as web, Syllabus(web.url) as api:
        for image in (path, str(path), PNG):
            api.predict("m", image, version="production", top_k=3)
    for request in web.requests:
        assert request.path == "/v1/models/m/predict?version=production&top_k=3"
        assert (request.headers["content-type"], request.body) == ("image/png", PNG)


def test_several_images_are_parts(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        path.write_bytes(PNG)
    with serving(accept) as web, Syllabus(web.url) as api:
        for images in (paths, [PNG, PNG], (paths[0], PNG)):
            api.predict("m", images)
    for request in web.requests:
        assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
        assert request.body.count(PNG) == 2


def test_rows_are_json() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.predict("m", [[1.5, None]])
    assert json.loads(web.requests[0].body) == {"inputs": [[1.5, None]]}


@pytest.mark.parametrize(
    "rows", [np.array([[1.5, 2.5]]), [np.array([1.5, 2.5], np.float32)], [[np.float32(1.5), 2.5]], ((1.5, 2.5),)]
)
def test_arrays_and_their_numbers_are_sent_as_lists(rows: Any) -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.predict("m", rows)
    assert json.loads(web.requests[0].body) == {"inputs": [[1.5, 2.5]]}
    assert web.requests[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("inputs", [[PNG, "a text"], [[PNG]], [{1, 2}], object()])
def test_what_cannot_be_sent_is_a_type_error_that_says_what_can(inputs: Any) -> None:
    with Syllabus("http://127.0.0.1:1") as api, pytest.raises(TypeError, match="give an image"):
        api.predict("m", inputs)


def test_a_variant_calibration_a_deadline_and_a_priority_are_asked_for() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        for inputs in (PNG, [PNG, PNG], [[1.5]]):
            api.predict("m", inputs, variant="int8", calibrated=True, timeout_ms=50, priority=1)
    for request in web.requests:
        assert request.path == "/v1/models/m/predict?version=latest&variant=int8&calibrated=true"
        assert (request.headers["x-timeout-ms"], request.headers["x-priority"]) == ("50", "1")


def test_what_has_a_deadline_is_asked_once() -> None:
    def late(handler: Handler, request: Request) -> None:
        handler.send(504, b'{"code": "deadline_passed"}')

    with serving(late) as web, Syllabus(web.url) as api, pytest.raises(ApiError):
        api.predict("m", [[1.5]], timeout_ms=1)
    assert len(web.requests) == 1


def test_a_train_request_holds_what_was_given() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.train("lenet", "digits", hyperparameters={"dropout": 0.1}, training={"epochs": 2})
    assert json.loads(web.requests[0].body) == {
        "kind": "train",
        "architecture": "lenet",
        "dataset": "digits",
        "hyperparameters": {"dropout": 0.1},
        "training": {"epochs": 2},
    }


def test_an_optimize_request_holds_what_was_given() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.optimize("m", version=2, variants=["int8"], max_accuracy_loss=0.02)
    assert json.loads(web.requests[0].body) == {
        "kind": "optimize",
        "model": "m",
        "version": 2,
        "variants": ["int8"],
        "max_accuracy_loss": 0.02,
        "calibration_samples": 256,
    }


def test_requests_that_train_many_times_hold_what_was_given() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.cross_validate("mlp", "iris", "leave_p_out", p=3, training={"epochs": 2})
        api.learning_curve("mlp", "iris", [0.5, 40], repeats=2, hyperparameters={"dropout": 0.1})
        api.validation_curve("linear", "diabetes", "hyperparameters.degree", (1, 2))
        api.bias_variance("mlp", "iris", resamples=9, seed=4)
    about = {"architecture": "mlp", "dataset": "iris"}
    nothing: dict[str, object] = {"hyperparameters": {}, "training": {}}
    assert [json.loads(request.body) for request in web.requests] == [
        {**about, **nothing, "kind": "cross_validate", "method": "leave_p_out", "p": 3, "training": {"epochs": 2}},
        {**about, **nothing, "kind": "learning_curve", "sizes": [0.5, 40], "repeats": 2}
        | {"hyperparameters": {"dropout": 0.1}},
        {**nothing, "kind": "validation_curve", "architecture": "linear", "dataset": "diabetes"}
        | {"parameter": "hyperparameters.degree", "values": [1, 2], "repeats": 1},
        {**about, **nothing, "kind": "bias_variance", "resamples": 9, "seed": 4},
    ]


def test_an_explain_request_holds_what_was_given() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.explain("m", methods=["deepdream"], samples=(3, 5), target="cat", deepdream={"octaves": 2})
    assert json.loads(web.requests[0].body) == {
        "kind": "explain",
        "model": "m",
        "version": "latest",
        "methods": ["deepdream"],
        "dataset": None,
        "split": "test",
        "samples": [3, 5],
        "target": "cat",
        "layer": None,
        "seed": 0,
        "deepdream": {"octaves": 2},
    }


def test_traffic_and_the_default_variant_are_put() -> None:
    with serving(accept) as web, Syllabus(web.url) as api:
        api.models.set_traffic("m", {1: 0.9, 2: 0.1}, shadow=3)
        api.models.delete_traffic("m")
        api.models.set_default_variant("m", "int8", 2)
    assert [(request.method, request.path) for request in web.requests] == [
        ("PUT", "/v1/models/m/traffic"),
        ("DELETE", "/v1/models/m/traffic"),
        ("PUT", "/v1/models/m/versions/2/default-variant"),
    ]
    assert json.loads(web.requests[0].body) == {"weights": {"1": 0.9, "2": 0.1}, "shadow": 3}
    assert json.loads(web.requests[2].body) == {"variant": "int8"}


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYLLABUS_URL", "http://example.org:1234/")
    with Syllabus() as api:
        assert api.base_url == "http://example.org:1234"


def test_a_mask_is_asked_for_as_a_picture() -> None:
    with serving(lambda handler, request: handler.send(200, PNG)) as web, Syllabus(web.url) as api:
        assert api.predict_mask("m", PNG, version=2) == PNG
    assert web.requests[0].path == "/v1/models/m/predict?version=2"
    assert web.requests[0].headers["accept"] == "image/png"


def test_a_model_that_answers_without_a_mask_is_an_error() -> None:
    with serving(accept) as web, Syllabus(web.url) as api, pytest.raises(ValueError, match="without a mask"):
        api.predict_mask("m", PNG)
