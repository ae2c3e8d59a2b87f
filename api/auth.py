"""Who may call: the API key, or without one only this machine's own programs.

One rule for both ways into the gateway: the router's, by a middleware in front of it, so that no route can be
forgotten, and the short way of predictions (`api.data_plane`).
"""

import hashlib
import hmac
import ipaddress
import math
import re
import time
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import problem_of
from services.errors import Forbidden, SyllabusError, TooManyRequests, Unauthorized
from services.settings import Settings

OPEN_PATHS = ("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready")
WATCHED_HEADERS = frozenset({b"host", b"origin", b"sec-fetch-site", b"authorization"})
KEY_PARAMETERS = frozenset({"access_token", "api_key", "api-key", "apikey", "key", "token"})
MAX_SITE_BYTES = 512
MAX_FAILURES = 20
"""Wrong keys from one address in `FAILURE_SECONDS` that are answered as such."""
FAILURE_SECONDS = 60.0
MAX_ADDRESSES = 10_000
"""Addresses that are counted apart; what comes from more is counted together."""
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


def is_same_site(host: bytes, origin: bytes | None, site: bytes | None) -> bool:
    """Whether a request to a gateway without a key comes from this machine's own pages or programs.

    A page of another site reaches 127.0.0.1 from the user's browser, by a plain form or by a name that it
    resolves to 127.0.0.1 (DNS rebinding). Its `Origin` or its `Host` then names that site.
    """
    # No name of this machine is longer, and what is remembered must not fill the memory.
    return len(host) + len(origin or b"") + len(site or b"") <= MAX_SITE_BYTES and _is_same_site(host, origin, site)


@lru_cache(1024)
def _is_same_site(host: bytes, origin: bytes | None, site: bytes | None) -> bool:
    if not _is_loopback_authority(host.decode("latin-1")) or site == b"cross-site":
        return False
    return origin is None or _is_loopback_authority(urlsplit(origin.decode("latin-1")).netloc)


class ApiKey:
    """The rule. With a key every path but health wants `Authorization: Bearer <key>`."""

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key
        self._digest = hashlib.sha256(key.get_secret_value().encode()).digest() if key else None

    def refusal(self, headers: Iterable[tuple[bytes, bytes]], query: bytes) -> SyllabusError | None:
        """Why a request with these raw headers and this raw query may not pass; None if it may."""
        found: dict[bytes, bytes] = {}
        for name, value in headers:
            if name in WATCHED_HEADERS:
                if name in found:  # which of the two counts is what attacks are about
                    return self._unauthorized() if self._digest else self._forbidden()
                found[name] = value
        if self._digest is not None:
            return self._key_refusal(found.get(b"authorization", b""), query)
        if is_same_site(found.get(b"host", b""), found.get(b"origin"), found.get(b"sec-fetch-site")):
            return None
        return self._forbidden()

    def _key_refusal(self, authorization: bytes, query: bytes) -> SyllabusError | None:
        if query:
            values = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
            if any(name.lower() in KEY_PARAMETERS or self._matches(value) for name, value in values):
                detail = "A key in the URL ends up in logs. Send it as `Authorization: Bearer` and renew it."
                return Unauthorized("key_in_query", detail)
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        return None if scheme.lower() == "bearer" and self._matches(token.strip()) else self._unauthorized()

    def _unauthorized(self) -> SyllabusError:
        return Unauthorized("unauthorized", "Send a valid API key as `Authorization: Bearer <key>`.")

    def _forbidden(self) -> SyllabusError:
        detail = "Without an API key the gateway answers requests to localhost from this machine only."
        return Forbidden("host_not_allowed", detail)

    def _matches(self, token: str) -> bool:
        # Digests have one length, so that the time taken says nothing about the key's.
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        return self._digest is not None and hmac.compare_digest(digest, self._digest)


class Guesses:
    """Requests without the right key, counted by the client's address in one process, anew each minute.

    Only they are refused: whoever has the key is let in, whatever else comes from the same address.
    """

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()
        self._end = 0.0

    def refusal(self, address: str) -> TooManyRequests | None:
        """Count one more; why it is not even told that its key is wrong."""
        now = time.monotonic()
        if now >= self._end:
            self._failures.clear()
            self._end = now + FAILURE_SECONDS
        if address not in self._failures and len(self._failures) >= MAX_ADDRESSES:
            address = ""
        self._failures[address] += 1
        if self._failures[address] <= MAX_FAILURES:
            return None
        detail = f"More than {MAX_FAILURES} requests a minute without the right API key; wait before you send another."
        return TooManyRequests("too_many_wrong_keys", detail, math.ceil(self._end - now))


class Authentication:
    """The middleware, in front of the router."""

    def __init__(self, app: ASGIApp, api_key: ApiKey) -> None:
        self.app = app
        self._api_key = api_key
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, 403 or 429, or pass the request on."""
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            refusal = self._api_key.refusal(scope["headers"], scope["query_string"])
            if isinstance(refusal, Unauthorized):
                refusal = self._guesses.refusal((scope["client"] or ("",))[0]) or refusal
            if refusal is not None:
                return await problem_of(scope["path"], refusal)(scope, receive, send)
        return await self.app(scope, receive, send)
