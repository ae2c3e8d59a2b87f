"""Errors as RFC 9457 problem details: one table from the error tree to HTTP, one shape for every failure.

Under `/v2` the Open Inference Protocol has a shape of its own, `{"error": "..."}`, and 400 for what is wrong.
"""

import errno
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from services import errors
from services.database import explain
from services.errors import FieldError, Invalid, SyllabusError

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[SyllabusError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DeadlineExceeded: HTTPStatus.GATEWAY_TIMEOUT,
    errors.StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
}
PROTOCOL_PATHS = ("/v2", "/v2/")

log = structlog.get_logger(__name__)


def is_protocol(path: str) -> bool:
    """Whether a path is of the Open Inference Protocol."""
    return path == PROTOCOL_PATHS[0] or path.startswith(PROTOCOL_PATHS[1])


def problem(
    path: str,
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    field_errors: Sequence[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A failure's response; `instance` is the path without its query, which may hold secrets."""
    if is_protocol(path):
        status = 400 if status == HTTPStatus.UNPROCESSABLE_ENTITY else status
        content = orjson.dumps({"error": detail}, default=str)
        return Response(content, status, headers=dict(headers or {}), media_type="application/json")
    body: dict[str, Any] = {
        "type": f"urn:syllabus:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
    }
    if field_errors is not None:
        body["errors"] = list(field_errors)
    content = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def problem_of(path: str, error: SyllabusError) -> Response:
    """The response for an error of the tree. A class that is not in the table is a mistake of ours: 500."""
    status = next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), None)
    if status is None:
        log.error("unmapped_error", error=repr(error))
        return internal_error(path)
    headers: dict[str, str] = {}
    if isinstance(error, errors.TooManyRequests):
        headers["retry-after"] = str(error.retry_after_seconds)
    if isinstance(error, errors.Unavailable):
        headers["retry-after"] = "5"
    if isinstance(error, errors.Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="syllabus"'
    field_errors = error.errors if isinstance(error, Invalid) else None
    return problem(path, status, error.code, error.title, error.detail, field_errors=field_errors, headers=headers)


def internal_error(path: str) -> Response:
    """500 without a word about the cause; the log has it under the request's id."""
    detail = "An internal error occurred. The service's log has the cause under this answer's X-Request-ID."
    return problem(path, 500, "internal_error", "Internal error", detail)


def unexpected_error(path: str, error: Exception) -> Response:
    """The response for what no route foresaw: 507 for a full disk, 503 for a database that fails, else 500."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return problem_of(path, errors.StorageFull("storage_full", "No room is left on the disk; free some."))
    known = explain(error)
    return internal_error(path) if known is None else problem_of(path, known)


def _field_error(error: Mapping[str, Any], body: object) -> tuple[tuple[str | int, ...], str]:
    loc = list(error["loc"])
    if error["type"] in ("union_tag_not_found", "union_tag_invalid"):
        loc.append(error["ctx"]["discriminator"].strip("'"))
    elif isinstance(body, dict):
        if len(loc) > 1 and loc[1] == body.get("kind"):
            del loc[1]
        loc[1:] = _written(loc[1:], body)
    return tuple(loc), error["msg"]


def _written(loc: list[Any], value: Any) -> list[Any]:
    """A path without the names of a union's types, which pydantic puts where the client wrote no object."""
    kept = []
    for part in loc:
        if isinstance(part, int) or isinstance(value, dict):
            kept.append(part)
            is_there = part in value if isinstance(value, dict) else isinstance(value, list) and part < len(value)
            value = value[part] if is_there else None
    return kept


def field_errors_of(error: RequestValidationError) -> list[FieldError]:
    """Where and what, without the input: it may be huge or secret.

    Of a list whose items are wrong, pydantic also says that it is too short, since it counts those that are right; of
    a value that may be of several types it says why it is none of them. What is wrong within says it best.
    """
    wrong: dict[tuple[str | int, ...], list[str]] = {}
    for each in error.errors():
        loc, msg = _field_error(each, error.body)
        wrong.setdefault(loc, []).append(msg)
    around = {loc[:end] for loc in wrong for end in range(len(loc))}
    return [{"loc": list(loc), "msg": "; or: ".join(msgs)} for loc, msgs in wrong.items() if loc not in around]


def invalid_request(path: str, error: RequestValidationError) -> Response:
    """422; or 404 when the path names something that cannot exist, such as a data set `..%00`."""
    field_errors = field_errors_of(error)
    in_path = [each["loc"][-1] for each in field_errors if each["loc"][0] == "path"]
    if in_path:
        return problem_of(path, errors.NotFound(f"{in_path[0]}_not_found", f"There is no such {in_path[0]}."))
    detail = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in field_errors)
    return problem_of(path, Invalid("request_invalid", detail, field_errors))


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """As `invalid_request`."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the type for mypy
    return invalid_request(request.scope["path"], error)


async def on_syllabus_error(request: Request, error: Exception) -> Response:
    """Every error of the tree, by the table."""
    assert isinstance(error, SyllabusError)  # noqa: S101 - narrows the type for mypy
    return problem_of(request.scope["path"], error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself answers: no such path, no such method, no such range."""
    assert isinstance(error, HTTPException)  # noqa: S101 - narrows the type for mypy
    status = HTTPStatus(error.status_code)
    codes = {404: "route_not_found", 405: "method_not_allowed", 416: "range_not_satisfiable"}
    code = codes.get(status, status.phrase.lower().replace(" ", "_"))
    headers = dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # The router names the methods of the first route that matched, and there may be more on the path.
        path = getattr(request.scope.get("route"), "path", "")
        methods = [method.upper() for method in request.app.openapi()["paths"].get(path, ())]
        methods += ["HEAD"] if "GET" in methods else []
        headers["Allow"] = ", ".join(methods) or headers.get("Allow", "")
    return problem(request.scope["path"], status, code, status.phrase, error.detail, headers=headers)


async def on_client_disconnect(request: Request, error: Exception) -> Response:
    """Nobody is left to read this; it ends the request without an error in the log."""
    detail = "The client left in mid-request."
    return problem(request.scope["path"], 400, "client_disconnected", "Client disconnected", detail)


def install(app: FastAPI) -> None:
    """Answer every failure of `app` as problem+json. Unexpected exceptions: see `api.request_id`."""
    app.add_exception_handler(SyllabusError, on_syllabus_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(ClientDisconnect, on_client_disconnect)
