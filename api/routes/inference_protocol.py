"""The Open Inference Protocol over REST, for every registered model.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

import math
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response

from api.data_plane.targets import INFER, INFER_VERSION, Target
from api.dependencies import ModelName, Open, Version
from api.openapi import also, reference
from api.routes.predictions import answer, unique_headers
from api.routes.protocol_extensions import Serving
from api.schemas.inference_protocol import (
    InferenceRequest,
    InferenceResponse,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from api.version import VERSION
from services.errors import Unavailable
from services.registry import LATEST
from services.serving.predictions import Predictor, Wish
from services.serving.protocol.responses import metadata

router = APIRouter(tags=["inference protocol"])

EXTENSIONS = [
    "binary_tensor_data",
    "model_configuration",
    "model_repository",
    "model_repository(unload_dependents)",
    "schedule_policy",
    "statistics",
]
MODEL = "/v2/models/{model}"
MODEL_VERSION = "/v2/models/{model}/versions/{version}"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
# Not declared as a parameter: it decides how the body is read, whatever the body's type, which OpenAPI cannot say.
INFER_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "JSON; or JSON and then binary data, with the number of bytes of JSON in the header "
        "Inference-Header-Content-Length; or with 0 there the data of one input and nothing else. The header "
        "counts uncompressed bytes.",
        "required": True,
        "content": {"application/json": {"schema": reference(InferenceRequest)}, "application/octet-stream": _BINARY},
    },
}
INFER_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": _BINARY},
        "headers": {
            "Inference-Header-Content-Length": {
                "schema": {"type": "integer", "minimum": 1},
                "description": "Bytes of JSON at the beginning of the body; absent if all of it is JSON.",
            }
        },
    },
    **also(429, 504),
}

log = structlog.get_logger(__name__)


@router.get("/v2/", include_in_schema=False)
@router.get("/v2")
async def server_metadata() -> ServerMetadata:
    """The server and the extensions of the protocol that it has."""
    return ServerMetadata(name="syllabus", version=VERSION, extensions=EXTENSIONS)


@router.get("/v2/health/live")
async def server_live() -> ServerLive:
    """200 while the process answers at all."""
    return ServerLive(live=True)


@router.get("/v2/health/ready")
def server_ready(resources: Open) -> ServerReady:
    """200 when models can be looked up: when the database answers."""
    try:
        resources.database.ping()
    except Exception as error:  # whatever the cause, it does not answer
        log.warning("not_ready", part="database", error=type(error).__name__)
        raise Unavailable("database_unavailable", "The database does not answer.") from error
    return ServerReady(live=True, ready=True)


@router.get(MODEL)
async def model_metadata(predictor: Serving, model: ModelName) -> ModelMetadata:
    """The tensors of the version that answers when none is named, and the versions that can be."""
    return await _metadata(predictor, model, LATEST)


@router.get(MODEL_VERSION)
async def version_metadata(predictor: Serving, model: ModelName, version: Version) -> ModelMetadata:
    """The tensors of a version."""
    return await _metadata(predictor, model, version)


async def _metadata(predictor: Predictor, name: str, version: str) -> ModelMetadata:
    entry, _, loaded = await predictor.find(name, _at_any_time(version))
    versions = [str(number) for number in entry.versions]
    return ModelMetadata(**metadata(name, versions, loaded.network.inputs, loaded.network.outputs))


@router.get(f"{MODEL}/ready")
async def model_ready(predictor: Serving, model: ModelName) -> ModelReady:
    """200 when a model can answer; it is loaded for that. 503 if it was unloaded or cannot be loaded."""
    await predictor.find(model, _at_any_time(LATEST))
    return ModelReady(name=model, ready=True)


@router.get(f"{MODEL_VERSION}/ready")
async def version_ready(predictor: Serving, model: ModelName, version: Version) -> ModelReady:
    """As of a model, for one of its versions."""
    await predictor.find(model, _at_any_time(version))
    return ModelReady(name=model, ready=True)


def _at_any_time(version: str) -> Wish:
    """What is only looked up has no deadline that counts."""
    return Wish(math.inf, version)


@router.post(INFER, openapi_extra=INFER_BODY, response_model=InferenceResponse, responses=INFER_RESPONSES)
async def infer(request: Request, model: ModelName) -> Response:
    """Tensors in, tensors out: JSON, binary data after it, or both, by the version that answers when none is named.

    Bodies may be compressed, both ways: gzip or deflate.
    """
    target = Target("infer", INFER, request.scope["path"], model)
    return await answer(request, target, unique_headers(request))


@router.post(INFER_VERSION, openapi_extra=INFER_BODY, response_model=InferenceResponse, responses=INFER_RESPONSES)
async def infer_version(request: Request, model: ModelName, version: Version) -> Response:
    """As of a model, by one of its versions."""
    target = Target("infer", INFER_VERSION, request.scope["path"], model, version)
    return await answer(request, target, unique_headers(request))
