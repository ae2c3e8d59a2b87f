"""`POST /v1/models/{model}/predict`: images or JSON in, named answers out."""

import base64
from functools import lru_cache

import orjson

from api.data_plane.bodies import IMAGE_TYPES, JSON, MULTIPART, TEXT, document, media_type_of, parts
from api.data_plane.messages import Headers, Response
from api.data_plane.targets import Target
from services.errors import Invalid
from services.requests.predictions import PredictRequest
from services.serving import given
from services.serving.answers import PICTURED, Prediction
from services.serving.batch import Answer
from services.serving.calls import PredictCall, Predictions
from services.serving.given import Given
from services.serving.inputs import MAX_BATCH
from services.serving.predictions import INLINE_BYTES, Predictor, Wish

TIMING = b"server-timing: queue;dur=%.3f, decode;dur=%.3f, infer;dur=%.3f\r\n"
HEAD = b"content-type: application/json\r\n" + TIMING
PICTURE_HEAD = b"content-type: image/png\r\nvary: accept\r\n" + TIMING
PNG = "image/png"
TAKEN = (JSON, MULTIPART, TEXT, *IMAGE_TYPES)


def begin(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> PredictCall | None:
    """The call of a request for which nothing has to be waited for but its run. Raises errors of the tree."""
    if len(body) > INLINE_BYTES or target.searched is not None:
        return None
    return predictor.begin_predict(target.model, wish, _given(headers, body), target.naming)


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
    return Response(200, HEAD % times, orjson.dumps(content, default=base64_of), model)


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


def base64_of(value: object) -> str:
    """Pictures as they stand in JSON."""
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return base64.b64encode(value).decode()


async def answer(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> Response:
    """The response to any request. Raises errors of the tree."""
    inputs = await predictor.aside(len(body), _given, headers, body)
    return respond(await predictor.predict(target.model, wish, inputs, target.naming, target.searched), headers)


def _given(headers: Headers, body: bytes) -> Given:
    content_type = headers.get(b"content-type", b"")
    media_type = media_type_of(content_type, TAKEN)
    if media_type == JSON:
        return given.values(document(body, PredictRequest).inputs, len(body))
    if media_type == TEXT:
        return given.text(body)
    return given.files(files(content_type, media_type, body))


def files(content_type: bytes, media_type: str, body: bytes) -> list[bytes]:
    """The image files of a body that is not JSON: itself, or its parts."""
    if media_type == MULTIPART:
        return [content for _, content in parts(content_type, body, ("file",), MAX_BATCH)]
    return [body]
