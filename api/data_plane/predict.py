"""`POST /v1/models/{model}/predict`: images or JSON in, named answers out."""

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
from services.requests import PredictRequest
from services.serving.inputs import MAX_BATCH
from services.serving.model import ServedModel
from services.serving.predictions import Predictor, Wish

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
JSON, MULTIPART = "application/json", "multipart/form-data"
HEAD = b"content-type: application/json\r\nserver-timing: queue;dur=%.3f, decode;dur=%.3f, infer;dur=%.3f\r\n"
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


async def answer(
    predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes
) -> tuple[ServedModel, Response]:
    """The predictions of one request, and who made them. Raises errors of the tree."""
    content_type = headers.get(b"content-type", b"")
    media_type = media_type_of(content_type)
    if media_type == JSON:
        values = await predictor.aside(len(body), _inputs, body)
        made = await predictor.predict_values(target.model, wish, values, target.top_k)
    else:
        files = [body]
        if media_type == MULTIPART:
            files = await predictor.aside(len(body), _parts, content_type.decode("latin-1"), body)
        made = await predictor.predict_files(target.model, wish, files, target.top_k)
    model = made.model
    content = {
        "model": model.name,
        "version": model.version,
        "variant": model.variant or None,
        "predictions": made.items,
    }
    head = HEAD % (made.queue_seconds * 1000, made.decode_seconds * 1000, made.infer_seconds * 1000)
    return model, Response(200, head, orjson.dumps(content))


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
