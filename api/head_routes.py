"""HEAD wherever there is GET (RFC 9110, 9.3.2). Starlette sees to it for its own routes, FastAPI does not for its."""

from copy import copy

from fastapi import APIRouter
from fastapi.routing import APIRoute


def head_routes_of(router: APIRouter) -> APIRouter:
    """The GET routes of a router once more, under HEAD; the document, where they go without saying, has not these.

    The body is made and then left out by the server, but for files and events, which are not even begun.
    """
    heads = APIRouter()
    for route in router.routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            head = copy(route)
            head.methods, head.include_in_schema = {"HEAD"}, False
            heads.routes.append(head)
    return heads
