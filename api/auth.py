"""Who may call: the API key, or without one only this machine's own programs.

Pure ASGI, in front of the router, so that no route can be forgotten.
"""

import hashlib
import hmac
import ipaddress
import re
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem, problem_of
from services.errors import Unauthorized
from services.settings import Settings

OPEN_PATHS = ("/health/live", "/health/ready")
KEY_PARAMETERS = frozenset({"access_token", "api_key", "api-key", "apikey", "key", "token"})
HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, IPv6 with or without brackets) is this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_loopback_authority(authority: str) -> bool:
    match = HOST.fullmatch(authority)
    return match is not None and is_loopback(match["name"])


def is_same_site(headers: Headers) -> bool:
    """Whether a request to a gateway without a key comes from this machine's own pages or programs.

    A page of another site reaches 127.0.0.1 from the user's browser, by a plain form or by a name that it
    resolves to 127.0.0.1 (DNS rebinding). Its `Origin` or its `Host` then names that site.
    """
    hosts = headers.getlist("host")
    origin = headers.get("origin")
    if len(hosts) != 1 or not _is_loopback_authority(hosts[0]):
        return False
    if headers.get("sec-fetch-site") == "cross-site":
        return False
    return origin is None or _is_loopback_authority(urlsplit(origin).netloc)


class ApiKey:
    """The middleware. With a key every path but health wants `Authorization: Bearer <key>`."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        key = settings.api_key
        self._digest = hashlib.sha256(key.get_secret_value().encode()).digest() if key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or pass the request on."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self.app(scope, receive, send)
        request = Request(scope)
        if self._digest is None:
            if is_same_site(request.headers):
                return await self.app(scope, receive, send)
            detail = "Without an API key the gateway answers requests to localhost from this machine only."
            response = problem(request, 403, "host_not_allowed", "Forbidden", detail)
            return await response(scope, receive, send)
        try:
            self._authorize(request)
        except Unauthorized as error:
            return await problem_of(request, error)(scope, receive, send)
        return await self.app(scope, receive, send)

    def _authorize(self, request: Request) -> None:
        query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if any(name.lower() in KEY_PARAMETERS or self._matches(value) for name, value in query):
            raise Unauthorized(
                "key_in_query", "A key in the URL ends up in logs. Send it as `Authorization: Bearer` and renew it."
            )
        values = request.headers.getlist("authorization")
        scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not self._matches(token.strip()):
            raise Unauthorized("unauthorized", "Send a valid API key as `Authorization: Bearer <key>`.")

    def _matches(self, token: str) -> bool:
        # Digests have one length, so that the time taken says nothing about the key's.
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        return self._digest is not None and hmac.compare_digest(digest, self._digest)
