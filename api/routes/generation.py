"""What only versions that code or generate answer: samples, codes, reconstructions, paths and anomaly scores.

The work is done by `api.data_plane`, as that of predictions is.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api.data_plane.bodies import IMAGE_TYPES, JSON, MULTIPART
from api.data_plane.generation import EVENTS, PNG, ZIP, body_type_of, may_stream
from api.data_plane.targets import CALL_ROUTES, MAX_LABEL, Target
from api.dependencies import ModelName
from api.openapi import also, reference
from api.routes.predictions import (
    BINARY,
    FILES,
    TIMES,
    VersionQuery,
    answer,
    answer_or_events,
    refused,
    unique_headers,
)
from api.schemas.generation import AnomaliesOut, DecodedOut, EncodedOut, GeneratedOut, PathOut, ReconstructedOut
from services.errors import SyllabusError
from services.requests.generation import DecodeRequest, GenerateRequest, InputsRequest, InterpolateRequest

router = APIRouter(tags=["generation"])

Label = Annotated[
    str | None,
    Query(
        pattern=rf"(?s)^.{{1,{MAX_LABEL}}}$",
        description="The class of all inputs, for conditional models; JSON may name it in the body.",
    ),
]
TWO_IMAGES = {
    "type": "object",
    "required": ["from", "to"],
    "properties": {
        "from": BINARY,
        "to": BINARY,
        "steps": {"type": "integer"},
        "method": {"enum": ["linear", "spherical"]},
        "label": {"type": "string"},
    },
}
SEED_HEADER = {"X-Seed": {"schema": {"type": "integer"}, "description": "The seed that the samples were drawn from."}}


def _takes(model: type[BaseModel], **content: Any) -> dict[str, Any]:
    body = {JSON: {"schema": reference(model)}, **content}
    return {"requestBody": {"required": True, "content": body}, "parameters": TIMES}


def _inputs() -> dict[str, Any]:
    pictures = {media_type: {"schema": BINARY} for media_type in IMAGE_TYPES}
    return _takes(InputsRequest, **{MULTIPART: {"schema": FILES}, **pictures})


def _answers(description: str, *, pictured: bool = True, **fields: Any) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": BINARY} for media_type in (PNG, ZIP)} if pictured else {}
    return {200: {"description": description, "content": content, **fields}, **also(406, 409, 429, 504)}


def _generated() -> dict[int | str, dict[str, Any]]:
    answers = _answers(
        "Samples: one sheet, JSON, a file each, or texts as they are written, as `Accept` says.", headers=SEED_HEADER
    )
    answers[200]["content"][EVENTS] = {"schema": {"type": "string"}}
    return answers


async def _answer(request: Request, call: str, model: str, version: str, label: str | None = None) -> Response:
    headers = unique_headers(request)
    target = Target(call, CALL_ROUTES[call], request.scope["path"], model, version, label=label)
    try:
        body_type_of(call, headers.get(b"content-type", b""))
    except SyllabusError as error:  # before the body is read
        return refused(request, target, error)
    if call == "generate" and may_stream(headers):
        return await answer_or_events(request, target, headers)
    return await answer(request, target, headers)


@router.post(
    CALL_ROUTES["generate"],
    openapi_extra=_takes(GenerateRequest),
    response_model=GeneratedOut,
    responses=_generated(),
)
async def generate(request: Request, model: ModelName, version: VersionQuery = "latest") -> Response:
    """Draw samples, or write texts. The same request with the same seed is answered with the same bytes.

    With `Accept: text/event-stream` texts come as they are written: an event `token` for each token, with the `index`
    of its text, at the end `done` with what JSON would have been, or `error` with a problem.
    """
    return await _answer(request, "generate", model, version)


@router.post(
    CALL_ROUTES["encode"],
    openapi_extra=_inputs(),
    response_model=EncodedOut,
    responses=_answers("The codes.", pictured=False),
)
async def encode(request: Request, model: ModelName, version: VersionQuery = "latest", label: Label = None) -> Response:
    """The code of each input: an image, several images, or rows."""
    return await _answer(request, "encode", model, version, label)


@router.post(
    CALL_ROUTES["decode"],
    openapi_extra=_takes(DecodeRequest),
    response_model=DecodedOut,
    responses=_answers("Samples: one sheet, JSON, or a file each, as `Accept` says."),
)
async def decode(request: Request, model: ModelName, version: VersionQuery = "latest") -> Response:
    """The sample that each code stands for."""
    return await _answer(request, "decode", model, version)


@router.post(
    CALL_ROUTES["reconstruct"],
    openapi_extra=_inputs(),
    response_model=ReconstructedOut,
    responses=_answers("Reconstructions: one picture, JSON with their errors, or a file each, as `Accept` says."),
)
async def reconstruct(
    request: Request, model: ModelName, version: VersionQuery = "latest", label: Label = None
) -> Response:
    """Code and decode each input."""
    return await _answer(request, "reconstruct", model, version, label)


@router.post(
    CALL_ROUTES["interpolate"],
    openapi_extra=_takes(InterpolateRequest, **{MULTIPART: {"schema": TWO_IMAGES}}),
    response_model=PathOut,
    responses=_answers("Samples on the way: a strip, JSON, or a file each, as `Accept` says."),
)
async def interpolate(request: Request, model: ModelName, version: VersionQuery = "latest") -> Response:
    """Samples on the path between two seeds, codes or inputs."""
    return await _answer(request, "interpolate", model, version)


@router.post(
    CALL_ROUTES["anomaly"],
    openapi_extra=_inputs(),
    response_model=AnomaliesOut,
    responses=_answers("The scores.", pictured=False),
)
async def anomaly(
    request: Request, model: ModelName, version: VersionQuery = "latest", label: Label = None
) -> Response:
    """How unusual each input is, by a threshold that was learned on held-out rows."""
    return await _answer(request, "anomaly", model, version, label)
