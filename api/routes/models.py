"""Models: look up, download, name versions."""

from fastapi import APIRouter, Request, Response

from api.dependencies import AliasName, Cursor, Limit, ModelName, Open, Version
from api.files import FILE_RESPONSES, file_response
from api.schemas.base import ListOf
from api.schemas.models import ModelOut, VersionOut
from api.strict_json import StrictRoute
from services import registry
from services.requests import AliasTarget

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=StrictRoute)


@router.get("")
def list_models(resources: Open, limit: Limit = 100, cursor: Cursor = None) -> ListOf[ModelOut]:
    """Models, newest first."""
    with resources.database.snapshot() as session:
        page = registry.page(session, limit=limit, cursor=cursor)
        return ListOf(items=[ModelOut.of(model) for model in page.items], next_cursor=page.next_cursor)


@router.get("/{model}")
def get_model(resources: Open, model: ModelName) -> ModelOut:
    """One model with its versions and aliases."""
    with resources.database.snapshot() as session:
        return ModelOut.of(registry.get(session, model))


@router.get("/{model}/versions/{version}")
def get_version(resources: Open, model: ModelName, version: Version) -> VersionOut:
    """One version by number, alias or `latest`."""
    with resources.database.snapshot() as session:
        return VersionOut.of(model, registry.version(session, model, version))


@router.get("/{model}/versions/{version}/onnx", response_class=Response, responses=FILE_RESPONSES)
def get_onnx(request: Request, resources: Open, model: ModelName, version: Version) -> Response:
    """The ONNX file, with its SHA-256 as ETag."""
    with resources.database.snapshot() as session:
        found = registry.version(session, model, version)
    path, name = resources.artifacts.path(found.onnx_sha256), f"{model}-{found.number}.onnx"
    return file_response(request, path, sha256=found.onnx_sha256, name=name, media_type="application/octet-stream")


@router.put("/{model}/aliases/{alias}")
def set_alias(resources: Open, model: ModelName, alias: AliasName, target: AliasTarget) -> ModelOut:
    """Let an alias name a version; it may have named another before."""
    with resources.database.transaction() as session:
        return ModelOut.of(registry.set_alias(session, model, alias, target.version))


@router.delete("/{model}/aliases/{alias}", status_code=204)
def delete_alias(resources: Open, model: ModelName, alias: AliasName) -> None:
    """Remove an alias; the version stays."""
    with resources.database.transaction() as session:
        registry.delete_alias(session, model, alias)
