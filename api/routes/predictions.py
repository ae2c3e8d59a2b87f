"""Prediction: one request, one answer, from ONNX Runtime in this process.

The work is done by `api.data_plane`; most requests come to it by a shorter way than this one (`api.connection`).
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from api.data_plane import messages
from api.data_plane.bodies import IMAGE_TYPES, media_type_of
from api.data_plane.messages import Headers
from api.data_plane.plane import MAX_TIMEOUT_MS, DataPlane
from api.data_plane.predict import TAKEN
from api.data_plane.targets import MAX_TOP_K, PREDICT, VARIANT, VERSION, Target
from api.dependencies import ModelName
from api.event_stream import EventStream, written
from api.openapi import also, reference
from api.schemas.models import PredictionsOut
from services.errors import SyllabusError
from services.requests.predictions import PredictRequest
from services.serving.answers import DEFAULT_TOP_K, Naming
from services.serving.engine import LAST_PRIORITY
from services.serving.writing import MAX_BEAM_WIDTH, Search

router = APIRouter(tags=["prediction"])

BINARY = {"type": "string", "format": "binary"}
FILES = {"type": "object", "required": ["file"], "properties": {"file": {"type": "array", "items": BINARY}}}
VersionQuery = Annotated[str, Query(pattern=f"^({VERSION})$", description="A number, an alias or `latest`.")]


def _whole_number(name: str, most: int, description: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": most}
    return {"name": name, "in": "header", "schema": schema, "description": description}


TIMES = [
    _whole_number("X-Timeout-Ms", MAX_TIMEOUT_MS, "How long the answer may take."),
    _whole_number("X-Priority", LAST_PRIORITY, "1 comes first; 5 is the default."),
]
PREDICT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": reference(PredictRequest)},
            "multipart/form-data": {"schema": FILES},
            "text/plain": {"schema": {"type": "string"}},
            **{media_type: {"schema": BINARY} for media_type in IMAGE_TYPES},
        },
    },
    "parameters": TIMES,
}

PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/png": {"schema": BINARY}},
        "description": "A prediction an input; with `Accept: image/png`, of a segmentation of one image, its mask.",
    }
}


@router.post(
    PREDICT,
    openapi_extra=PREDICT_BODY,
    response_model=PredictionsOut,
    responses=PICTURE | also(409, 429, 504),
    name="predict",
)
async def predict(
    request: Request,
    model: ModelName,
    version: VersionQuery = "latest",
    variant: Annotated[str | None, Query(pattern=f"^({VARIANT})$", description="Default: the version's.")] = None,
    top_k: Annotated[int, Query(ge=1, le=MAX_TOP_K, description="How many classes to name.")] = DEFAULT_TOP_K,
    calibrated: Annotated[
        bool, Query(description="Whether to answer at the temperature kept with the version.")
    ] = False,
    beam_width: Annotated[
        int | None, Query(ge=1, le=MAX_BEAM_WIDTH, description="How many texts to write at once.")
    ] = None,
    max_length: Annotated[int | None, Query(ge=1, le=9999, description="Units of a text that is written.")] = None,
) -> Response:
    """Predict one image, several images, rows, or texts.

    `Server-Timing` says what waiting for a turn, decoding and running the network took, in milliseconds.
    """
    headers = unique_headers(request)
    searched = None if beam_width is max_length is None else Search(beam_width, max_length)
    target = Target(
        "predict", PREDICT, request.scope["path"], model, version, variant, Naming(top_k, calibrated), searched
    )
    try:
        media_type_of(headers.get(b"content-type", b""), TAKEN)
    except SyllabusError as error:  # before the body is read
        return refused(request, target, error)
    return await answer(request, target, headers)


async def answer_or_events(request: Request, target: Target, headers: Headers) -> Response:
    """As `answer`, but for texts that the client wants as they are written."""
    plane = _plane(request)
    call = await plane.texts(target, headers, await request.body())
    if call is None:
        return await answer(request, target, headers)
    return EventStream(request.app.state.streams, _lines(plane.events(target, call)))


async def _lines(events: AsyncGenerator[tuple[bytes, bytes]]) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        async for name, data in events:
            yield written(name, data)


def refused(request: Request, target: Target, error: SyllabusError) -> Response:
    """The response to a request that is refused before its body is read."""
    return _response(request, _plane(request).failure(target, error), 0.0)


def unique_headers(request: Request) -> Headers:
    """The request's headers by name; of one that is repeated, the last."""
    return dict(request.headers.raw)


async def answer(request: Request, target: Target, headers: Headers) -> Response:
    """Read the body and have it answered; nothing is computed any more once the client has left."""
    body = await request.body()
    started_at = time.monotonic()
    work = asyncio.ensure_future(_plane(request).answer(target, headers, body))
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({work, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return _response(request, work.result(), time.monotonic() - started_at)
    finally:
        work.cancel()
        leaving.cancel()


def _plane(request: Request) -> DataPlane:
    plane: DataPlane = request.app.state.data_plane
    return plane


def _response(request: Request, answered: messages.Response, seconds: float) -> Response:
    _plane(request).count(answered, [seconds])
    response = Response(answered.body, answered.status)
    response.raw_headers += answered.headers
    return response


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
