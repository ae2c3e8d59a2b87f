"""JSON request bodies, read strictly: what two parsers could read in two ways is refused (RFC 8259, RFC 7493)."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from services.errors import Invalid, UnsupportedMediaType
from services.unique_keys import check_unique_keys

MAX_DEPTH = 64


def _refuse(position: int | str, msg: str) -> Invalid:
    return Invalid.field("json_invalid", ["body", position], msg)


def _check_depth(value: object) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH + 1):
        if not level:
            return
        values = (item.values() if isinstance(item, dict) else item for item in level)
        level = [child for children in values for child in children if isinstance(child, dict | list)]
    raise _refuse(0, f"nested deeper than {MAX_DEPTH} levels")


def loads(body: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Refused with `Invalid`: NaN and infinities, numbers beyond a double (`1e999`), nesting deeper than
    `MAX_DEPTH`, a key twice in one object, unpaired surrogates, and U+0000, which PostgreSQL cannot store.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refuse(error.pos, f"not valid JSON: {error.msg}") from None
    if b"\\u0000" in body:
        raise _refuse(body.index(b"\\u0000"), "the character U+0000 is not allowed")
    _check_depth(value)
    check_unique_keys(body, len(value) if isinstance(value, dict) else 0)
    return value


def require_json(declared: str) -> None:
    """Raise `UnsupportedMediaType` unless this Content-Type declares JSON in UTF-8."""
    content_type, _, parameters = declared.partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if content_type.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise UnsupportedMediaType(
            "json_expected", "Send the body as JSON in UTF-8 with the header `Content-Type: application/json`."
        )


class StrictRequest(Request):
    """A request whose `json()` is strict."""

    async def json(self) -> Any:
        """The body's value. Raises `Invalid` and `UnsupportedMediaType`."""
        if not hasattr(self, "_value"):
            require_json(self.headers.get("content-type", ""))
            self._value = loads(await self.body())
        return self._value


class StrictRoute(APIRoute):
    """A route whose JSON body, if it declares one, is read by `loads` above."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, given a request that has been parsed already."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            await strict.json()  # here, since FastAPI hides the cause of an error in parsing
            return await handle(strict)

        return handle_strictly
