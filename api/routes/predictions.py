"""Prediction: one request, one answer, from ONNX Runtime in this process."""

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.dependencies import ModelName, Open
from api.multipart import MultipartReader, Part, boundary_of
from api.openapi import reference
from api.schemas.models import PredictionsOut
from api.strict_json import loads, require_json
from services import registry
from services.errors import Invalid, UnsupportedMediaType
from services.requests import PredictRequest
from services.resources import Resources
from services.serving.inputs import MAX_BATCH
from services.serving.predictions import Predictions, Predictor, ServedModel

router = APIRouter(prefix="/v1/models", tags=["prediction"])

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
VERSION = r"^([1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9._-]{0,62})$"


_BINARY = {"type": "string", "format": "binary"}
_FILES = {"type": "object", "required": ["file"], "properties": {"file": {"type": "array", "items": _BINARY}}}
PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": reference(PredictRequest)},
            "multipart/form-data": {"schema": _FILES},
            **{media_type: {"schema": _BINARY} for media_type in IMAGE_TYPES},
        },
    }
}
Run = Callable[[Predictor, ServedModel, int], Predictions]


def _from_json(body: bytes, predictor: Predictor, model: ServedModel, top_k: int) -> Predictions:
    value = loads(body)
    try:
        request = PredictRequest.model_validate(value)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None
    return predictor.predict_values(model, request.inputs, top_k)


def _from_files(files: list[bytes], predictor: Predictor, model: ServedModel, top_k: int) -> Predictions:
    return predictor.predict_files(model, files, top_k)


def _from_multipart(boundary: bytes, body: bytes, predictor: Predictor, model: ServedModel, top_k: int) -> Predictions:
    files: list[bytearray] = []

    def begin(part: Part) -> None:
        if part.name != "file":
            raise Invalid.field("part_unexpected", ["body"], "send the images as parts named `file`")
        files.append(bytearray())

    def data(part: Part, piece: bytes) -> None:
        files[-1] += piece

    reader = MultipartReader(boundary, begin, data, max_parts=MAX_BATCH)
    reader.feed(body)
    reader.finish()
    return predictor.predict_files(model, [bytes(file) for file in files], top_k)


async def _reader(request: Request) -> Run:
    """How the body is to be read, by its type; the type is checked before the body is read."""
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        require_json(request)
        return partial(_from_json, await request.body())
    if media_type == "multipart/form-data":
        return partial(_from_multipart, boundary_of(content_type), await request.body())
    if media_type in IMAGE_TYPES:
        return partial(_from_files, [await request.body()])
    known = ", ".join(("application/json", "multipart/form-data", *IMAGE_TYPES))
    raise UnsupportedMediaType("media_type_unknown", f"Send the inputs as one of {known}.")


def _find(resources: Resources, name: str, version: str) -> ServedModel:
    with resources.database.snapshot() as session:
        found = registry.version(session, name, version)
    path = resources.artifacts.path(found.onnx_sha256)
    return ServedModel(name, found.number, found.onnx_sha256, path, found.signature)


def _timed(run: Callable[[], Predictions], submitted_at: float) -> tuple[Predictions, str]:
    queue_seconds = time.perf_counter() - submitted_at
    predictions = run()
    steps = {"queue": queue_seconds, "decode": predictions.decode_seconds, "infer": predictions.infer_seconds}
    return predictions, ", ".join(f"{name};dur={seconds * 1000:.3f}" for name, seconds in steps.items())


@router.post("/{model}/predict", openapi_extra=PREDICT_BODY)
async def predict(
    request: Request,
    response: Response,
    resources: Open,
    model: ModelName,
    version: Annotated[str, Query(pattern=VERSION, description="A number, an alias or `latest`.")] = "latest",
    top_k: Annotated[int, Query(ge=1, le=1000, description="How many classes to name.")] = 5,
) -> PredictionsOut:
    """Predict one image, several images, or rows.

    `Server-Timing` says what waiting for a thread, decoding and running the network took, in milliseconds.
    """
    served = await run_in_threadpool(_find, resources, model, version)
    run = await _reader(request)
    work = partial(run, request.app.state.predictor, served, top_k)
    predictions, timing = await run_in_threadpool(_timed, work, time.perf_counter())
    response.headers["server-timing"] = timing
    return PredictionsOut.model_validate({"model": model, "version": served.version, "predictions": predictions.items})
