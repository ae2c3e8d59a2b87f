"""Models: register, look up, download, name versions, share traffic between them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dependencies import AliasName, Cursor, Limit, ModelName, Open, Version
from api.files import FILE_RESPONSES, file_response
from api.schemas.base import ListOf
from api.schemas.models import ModelOut, RegistrationOut, VersionOut
from api.strict_json import StrictRoute
from api.uploads import Upload, received
from services import registrations, registry
from services.errors import Invalid
from services.requests.base import NewModel
from services.requests.optimize import VariantName, VariantTarget
from services.requests.traffic import AliasTarget, TrafficTarget
from services.resources import Resources

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=StrictRoute)

Name = Annotated[NewModel, Query(description="The model; the file becomes its next version.")]
Variant = Annotated[VariantName | None, Query(description="A variant of the version; the version's own file if none.")]
Graph = Annotated[
    str, Query(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Which of the version's graphs; a variant is of `model`.")
]
_BINARY = {"type": "string", "format": "binary"}
MODEL_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _BINARY},
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": _BINARY}}
            },
        },
    }
}


def _forget(request: Request, model: str) -> None:
    """Let this process serve the model as it is now; every other learns of it by the model's revision."""
    request.app.state.directory.forget(model)


@router.get("")
def list_models(resources: Open, limit: Limit = 100, cursor: Cursor = None) -> ListOf[ModelOut]:
    """Models, newest first."""
    with resources.database.snapshot() as session:
        page = registry.page(session, limit=limit, cursor=cursor)
        return ListOf(items=[ModelOut.of(model) for model in page.items], next_cursor=page.next_cursor)


def _register(resources: Resources, name: str, upload: Upload) -> RegistrationOut:
    with resources.database.transaction() as session:
        job = registrations.create(session, resources, name=name, upload=upload.path, size=upload.size)
        return RegistrationOut.of(name, job)


@router.post("", status_code=202, openapi_extra=MODEL_BODY)
async def register_model(request: Request, response: Response, resources: Open, name: Name) -> RegistrationOut:
    """Register an ONNX file of your own: it is the body, or the part `file` of a multipart body.

    The answer has the `register` job in `job`, which examines the file and refuses what cannot be served or is not
    safe to: weights in other files, custom operators, graphs that do not end. There is a version when it succeeds.
    """
    async with received(request, resources.settings.uploads) as upload:
        if upload.options is not None:
            raise Invalid.field("part_unexpected", ["body", "options"], "a model takes no options; send `file` alone")
        created = await run_in_threadpool(_register, resources, name, upload)
    response.headers["location"] = created.links["self"]
    return created


@router.get("/{model}")
def get_model(resources: Open, model: ModelName) -> ModelOut:
    """One model with its versions, aliases and traffic."""
    with resources.database.snapshot() as session:
        return ModelOut.of(registry.get(session, model))


@router.get("/{model}/versions/{version}")
def get_version(resources: Open, model: ModelName, version: Version) -> VersionOut:
    """One version by number, alias or `latest`."""
    with resources.database.snapshot() as session:
        found = registry.version(session, model, version)
        return VersionOut.of(model, found, registry.graphs(session, [found])[found.number])


@router.get("/{model}/versions/{version}/onnx", response_class=Response, responses=FILE_RESPONSES)
def get_onnx(
    request: Request,
    resources: Open,
    model: ModelName,
    version: Version,
    variant: Variant = None,
    graph: Graph = registry.MAIN,
) -> Response:
    """The ONNX file of a version, of one of its variants or of another of its graphs, with its SHA-256 as ETag."""
    if variant is not None and graph != registry.MAIN:
        raise Invalid.field("graph_has_no_variants", ["query", "variant"], f"variants are of the graph {registry.MAIN}")
    with resources.database.snapshot() as session:
        found = registry.version(session, model, version)
        sha256 = registry.graph(session, found, graph).sha256
        sha256 = sha256 if variant is None else registry.variant(found, variant).onnx_sha256
    part = variant or (graph if graph != registry.MAIN else None)
    name = f"{model}-{found.number}.onnx" if part is None else f"{model}-{found.number}-{part}.onnx"
    path = resources.artifacts.path(sha256)
    return file_response(request, path, sha256=sha256, name=name, media_type="application/octet-stream")


@router.put("/{model}/versions/{version}/default-variant")
def set_default_variant(
    request: Request, resources: Open, model: ModelName, version: Version, target: VariantTarget
) -> VersionOut:
    """Choose the variant that is served when a request names none; null: the version's own file."""
    with resources.database.transaction() as session:
        found = registry.set_default_variant(session, model, version, target.variant)
        changed = VersionOut.of(model, found, registry.graphs(session, [found])[found.number])
    _forget(request, model)
    return changed


@router.put("/{model}/traffic")
def set_traffic(request: Request, resources: Open, model: ModelName, target: TrafficTarget) -> ModelOut:
    """Share requests that name no version, or `latest`, between versions by weight.

    A shadow version is asked beside the one that answers, and compared with it.
    """
    with resources.database.transaction() as session:
        changed = ModelOut.of(registry.set_traffic(session, model, target.model_dump()))
    _forget(request, model)
    return changed


@router.delete("/{model}/traffic", status_code=204)
def delete_traffic(request: Request, resources: Open, model: ModelName) -> None:
    """Let the latest version answer all requests that name none."""
    with resources.database.transaction() as session:
        registry.set_traffic(session, model, None)
    _forget(request, model)


@router.put("/{model}/aliases/{alias}")
def set_alias(request: Request, resources: Open, model: ModelName, alias: AliasName, target: AliasTarget) -> ModelOut:
    """Let an alias name a version; it may have named another before."""
    with resources.database.transaction() as session:
        changed = ModelOut.of(registry.set_alias(session, model, alias, target.version))
    _forget(request, model)
    return changed


@router.delete("/{model}/aliases/{alias}", status_code=204)
def delete_alias(request: Request, resources: Open, model: ModelName, alias: AliasName) -> None:
    """Remove an alias; the version stays."""
    with resources.database.transaction() as session:
        registry.delete_alias(session, model, alias)
    _forget(request, model)
