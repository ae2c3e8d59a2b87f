"""The OpenAPI document: FastAPI's own, with every error response declared by one rule."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.auth import OPEN_PATHS
from api.problems import MEDIA_TYPE, is_protocol
from api.schemas.base import Problem
from api.schemas.inference_protocol import IndexRequest, InferenceRequest, LoadRequest, ProtocolError, UnloadRequest
from services.requests.datasets import DatasetOptions
from services.requests.generation import DecodeRequest, GenerateRequest, InputsRequest, InterpolateRequest
from services.requests.predictions import PredictRequest

# Bodies that a route reads by itself, because JSON is only one of the types it takes.
BODIES = (
    *(DatasetOptions, PredictRequest, InferenceRequest, IndexRequest, LoadRequest, UnloadRequest),
    *(GenerateRequest, DecodeRequest, InputsRequest, InterpolateRequest),
)
METHODS = ("get", "post", "put", "delete")
# Any route may answer these.
ALWAYS = {
    "400": "The request could not be read.",
    "401": "No API key, or a wrong one.",
    "403": "Without an API key: not a request from this machine to localhost.",
    "422": "A value is wrong; `errors` names each field.",
    "429": "Too many requests; `Retry-After` says when to come back.",
    "500": "An internal error; the log has its cause under the X-Request-ID.",
    "503": "The database, the broker or a model is not ready.",
    "507": "No room is left on the disk.",
}
WITH_PATH = {"404": "What the path names does not exist."}
WITH_BODY = {
    "408": "The body arrives too slowly.",
    "413": "The body is over the limit.",
    "415": "A content type that the route does not read.",
}
BY_CODE = {
    "406": "None of the content types of `Accept` is answered.",
    "409": "The state of what was named does not allow it.",
    "416": "No such range of the file.",
    "429": ALWAYS["429"],
    "504": "The deadline passed before there was an answer.",
}


def also(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers these errors besides those that every route may answer."""
    return {code: {"description": BY_CODE[str(code)]} for code in codes}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, item[method]


def _content(media_type: str, model: type[BaseModel]) -> dict[str, Any]:
    return {media_type: {"schema": reference(model)}}


def _declare_errors(path: str, operation: dict[str, Any]) -> None:
    content = _content(MEDIA_TYPE, Problem)
    errors = dict(ALWAYS)
    if is_protocol(path):
        content = _content("application/json", ProtocolError)
        errors["400"] = "The request is wrong; `error` says what and how."
        errors.pop("422")
        operation["responses"].pop("422", None)
    if "{" in path:
        errors |= WITH_PATH
    if "requestBody" in operation:
        errors |= WITH_BODY
    for code, description in BY_CODE.items():
        if code in operation["responses"]:
            errors[code] = description
    for code, description in errors.items():
        if code == "503" and path == "/health/ready":
            continue  # its 503 says what is missing
        operation["responses"][code] = {"description": description, "content": content}


def _add_schema(document: dict[str, Any], model: type[BaseModel]) -> None:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= schema.pop("$defs", {}) | {model.__name__: schema}


def describe(app: FastAPI, *, with_key: bool) -> dict[str, Any]:
    """The document, made once. `with_key`: whether the routes want an API key."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    for model in (Problem, ProtocolError, *BODIES):
        _add_schema(document, model)
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    for path, operation in _operations(document):
        _declare_errors(path, operation)
        if with_key and path not in OPEN_PATHS:
            operation["security"] = [{"bearer": []}]
    if with_key:
        document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    app.openapi_schema = document
    return document


def reference(model: type[BaseModel]) -> dict[str, str]:
    """A reference to one of the models that are added by name."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}
