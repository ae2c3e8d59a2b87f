"""Triton's extensions of the Open Inference Protocol: configuration, statistics, and the model repository.

Bodies are read whatever their type is called: Triton's own client calls them nothing, or binary data.
"""

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from api.dependencies import ModelName, Open, Version
from api.openapi import reference
from api.schemas.inference_protocol import (
    IndexEntry,
    IndexRequest,
    LoadRequest,
    ModelConfiguration,
    Statistics,
    UnloadRequest,
)
from api.strict_json import loads
from services.registry import LATEST
from services.resources import Resources
from services.serving import statistics
from services.serving.configuration import configuration
from services.serving.engine import deadline_after
from services.serving.predictions import Predictor, Wish
from services.serving.repository import Repository

router = APIRouter(prefix="/v2", tags=["inference protocol: extensions"])
Body = TypeVar("Body", bound=BaseModel)


def _predictor(request: Request) -> Predictor:
    predictor: Predictor = request.app.state.predictor
    return predictor


Serving = Annotated[Predictor, Depends(_predictor)]


def _repository(resources: Open, predictor: Serving) -> Repository:
    return Repository(resources.database, predictor)


Models = Annotated[Repository, Depends(_repository)]


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body may be left out."""
    return {"requestBody": {"content": {"application/json": {"schema": reference(model)}}}}


async def _read(request: Request, model: type[Body]) -> Body:
    body = await request.body()
    try:
        return model.model_validate(loads(body) if body else {})
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None


@router.get("/models/{model}/config", response_model=ModelConfiguration)
async def model_config(resources: Open, predictor: Serving, model: ModelName) -> dict[str, Any]:
    """How the version is batched and run that answers when none is named."""
    return await _configuration(resources, predictor, model, LATEST)


@router.get("/models/{model}/versions/{version}/config", response_model=ModelConfiguration)
async def version_config(resources: Open, predictor: Serving, model: ModelName, version: Version) -> dict[str, Any]:
    """How a version is batched and run."""
    return await _configuration(resources, predictor, model, version)


async def _configuration(resources: Resources, predictor: Predictor, name: str, version: str) -> dict[str, Any]:
    timeout_seconds = resources.settings.predict_timeout_seconds
    _, _, loaded = await predictor.find(name, Wish(deadline_after(timeout_seconds), version))
    return configuration(name, loaded.network, timeout_seconds)


@router.get("/models/stats", response_model=Statistics)
async def all_statistics(request: Request, repository: Models) -> dict[str, Any]:
    """What all versions of all models that are served have done."""
    return _statistics(request, await repository.served_versions())


@router.get("/models/{model}/stats", response_model=Statistics)
async def model_statistics(request: Request, predictor: Serving, model: ModelName) -> dict[str, Any]:
    """What all versions of a model have done."""
    entry = await predictor.directory.get(model)
    entry.resolve()
    return _statistics(request, [(model, str(number)) for number in entry.versions])


@router.get("/models/{model}/versions/{version}/stats", response_model=Statistics)
async def version_statistics(
    request: Request, predictor: Serving, model: ModelName, version: Version
) -> dict[str, Any]:
    """What a version has done, its variants taken together."""
    entry = await predictor.directory.get(model)
    return _statistics(request, [(model, str(entry.resolve(version).version))])


def _statistics(request: Request, versions: list[statistics.Version]) -> dict[str, Any]:
    metrics = request.app.state.telemetry.collect(statistics.SAMPLES)
    return {"model_stats": statistics.documents(metrics, versions)}


@router.post("/repository/index", openapi_extra=_takes(IndexRequest), response_model=list[IndexEntry])
async def repository_index(request: Request, repository: Models) -> list[dict[str, Any]]:
    """All versions of all models, whether they are served or not; with `ready` those that can answer."""
    wish = await _read(request, IndexRequest)
    return await repository.index(only_ready=wish.ready or False)


@router.post("/repository/models/{model}/load", openapi_extra=_takes(LoadRequest), response_class=Response)
async def load(request: Request, repository: Models, model: ModelName) -> Response:
    """Serve a model that was unloaded. When this answers it is in memory, warm."""
    await _read(request, LoadRequest)
    await repository.load(model)
    return Response()


@router.post("/repository/models/{model}/unload", openapi_extra=_takes(UnloadRequest), response_class=Response)
async def unload(request: Request, repository: Models, model: ModelName) -> Response:
    """Answer no more requests for a model until it is loaded again, in every process of the gateway."""
    await _read(request, UnloadRequest)
    await repository.unload(model)
    return Response()
