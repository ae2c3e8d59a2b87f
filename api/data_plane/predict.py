"""`POST /v1/models/{model}/predict`: images or JSON in, named answers out."""

import base64
from functools import lru_cache
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.data_plane.messages import Headers, Response
from api.data_plane.targets import Target
from api.multipart import MultipartReader, Part, boundary_of
from api.strict_json import loads, require_json
from services.errors import Invalid, UnsupportedMediaType
from services.requests.predictions import PredictRequest
from services.serving import given
from services.serving.answers import PICTURED, Prediction
from services.serving.batch import Answer
from services.serving.calls import PredictCall, Predictions
from services.serving.given import Given
from services.serving.inputs import MAX_BATCH
from services.serving.predictions import INLINE_BYTES, Predictor, Wish

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
JSON, MULTIPART = "application/json", "multipart/form-data"
TIMING = b"server-timing: queue;dur=%.3f, decode;dur=%.3f, infer;dur=%.3f\r\n"
HEAD = b"content-type: application/json\r\n" + TIMING
PICTURE_HEAD = b"content-type: image/png\r\nvary: accept\r\n" + TIMING
PNG = "image/png"
KNOWN_TYPES = (JSON, MULTIPART, *IMAGE_TYPES)


@lru_cache(256)
def media_type_of(content_type: bytes) -> str:
    """The media type of a Content-Type that is read here. Raises `UnsupportedMediaType` or `Invalid`."""
    declared = content_type.decode("latin-1")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type not in KNOWN_TYPES:
        raise UnsupportedMediaType("media_type_unknown", f"Send the inputs as one of {', '.join(KNOWN_TYPES)}.")
    if media_type == JSON:
        require_json(declared)
    if media_type == MULTIPART:
        boundary_of(declared)
    return media_type


def begin(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> PredictCall | None:
    """The call of a request for which nothing has to be waited for but its run. Raises errors of the tree."""
    if len(body) > INLINE_BYTES:
        return None
    return predictor.begin_predict(target.model, wish, _given(headers, body), target.top_k)


def end(call: PredictCall, answer: Answer, headers: Headers) -> Response:
    """The response to a request that was begun. Raises errors of the tree."""
    return respond(call.answer(answer), headers)


def respond(made: Predictions, headers: Headers) -> Response:
    """The response that tells the predictions."""
    model = made.model
    times = made.queue_seconds * 1000, made.decode_seconds * 1000, made.infer_seconds * 1000
    if model.signature["task"] in PICTURED and wants_picture(headers.get(b"accept", b"")):
        return Response(200, PICTURE_HEAD % times, _picture(made.items), model)
    content = {
        "model": model.name,
        "version": model.version,
        "variant": model.variant or None,
        "predictions": made.items,
    }
    return Response(200, HEAD % times, orjson.dumps(content, default=_base64), model)


@lru_cache(256)
def wants_picture(accept: bytes) -> bool:
    """Whether a client asks for PNG rather than JSON: whichever it names first."""
    named = [part.partition(";")[0].strip().lower() for part in accept.decode("latin-1").split(",")]
    return next((name == PNG for name in named if name in (PNG, JSON, "*/*")), False)


def _picture(items: list[Prediction]) -> bytes:
    if len(items) > 1:
        msg = f"{len(items)} images make as many pictures, and image/png holds one; send one, or accept {JSON}"
        raise Invalid.field("one_picture_only", ["header", "accept"], msg)
    return bytes(items[0]["mask"])


def _base64(value: object) -> str:
    """Pictures as they stand in JSON."""
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return base64.b64encode(value).decode()


async def answer(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> Response:
    """The response to any request. Raises errors of the tree."""
    inputs = await predictor.aside(len(body), _given, headers, body)
    return respond(await predictor.predict(target.model, wish, inputs, target.top_k), headers)


def _given(headers: Headers, body: bytes) -> Given:
    content_type = headers.get(b"content-type", b"")
    media_type = media_type_of(content_type)
    if media_type == JSON:
        return given.values(_inputs(body))
    if media_type == MULTIPART:
        return given.files(_parts(content_type.decode("latin-1"), body))
    return given.files([body])


def _inputs(body: bytes) -> list[Any]:
    value = loads(body)
    try:
        return PredictRequest.model_validate(value).inputs
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None


def _parts(content_type: str, body: bytes) -> list[bytes]:
    files: list[bytearray] = []

    def begin(part: Part) -> None:
        if part.name != "file":
            raise Invalid.field("part_unexpected", ["body"], "send the images as parts named `file`")
        files.append(bytearray())

    def data(part: Part, piece: bytes) -> None:
        files[-1] += piece

    reader = MultipartReader(boundary_of(content_type), begin, data, max_parts=MAX_BATCH)
    reader.feed(body)
    reader.finish()
    return [bytes(file) for file in files]
