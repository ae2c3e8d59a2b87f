"""The HTTP connection to the service: authentication, errors, and repeats of what is safe to repeat."""

import ipaddress
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from client.errors import ApiError, Unreachable

Json = dict[str, Any]

# Answers after which the same request may succeed by itself: RFC 6585 (429), RFC 9110, 15.6 (the others).
TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
MAX_DELAY_SECONDS = 5.0


class Connection:
    """A pool of connections to one service.

    A repeatable request is sent at most `1 + retries` times while the service cannot be reached or answers
    with a transient status, after doubling delays or the `Retry-After` the service names.
    """

    def __init__(self, base_url: str, api_key: str | None, timeout_seconds: float, retries: int = 3) -> None:
        self.base_url = base_url.rstrip("/")
        self.retries = retries
        headers = {"User-Agent": "syllabus-client", "Accept": "application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._client = httpx.Client(
            base_url=self.base_url,
            headers=headers,
            timeout=timeout_seconds,
            # A proxy of the environment cannot reach a service on this machine.
            trust_env=not _is_loopback(httpx.URL(base_url).host),
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def request(self, method: str, path: str, *, repeatable: bool | None = None, **options: Any) -> httpx.Response:
        """Send a request; `options` are httpx's. By default GET and PUT count as repeatable.

        Raises ApiError for an answer of 400 or more and Unreachable for none.
        """
        repeats = self.retries if (method in {"GET", "PUT"} if repeatable is None else repeatable) else 0
        for attempt in range(repeats + 1):
            try:
                response = self._client.request(method, path, **options)
            except httpx.RequestError as cause:
                if attempt == repeats:
                    raise Unreachable(self.base_url, cause) from cause
                delay = backoff_seconds(attempt)
            else:
                if not response.is_error:
                    return response
                error = ApiError.from_response(response)
                if attempt == repeats or error.status not in TRANSIENT_STATUSES:
                    raise error
                delay = min(error.retry_after_seconds or backoff_seconds(attempt), MAX_DELAY_SECONDS)
            time.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def json(self, method: str, path: str, **options: Any) -> Json:
        """Send a request whose answer is a JSON object. Another answer is not from this service: Unreachable."""
        response = self.request(method, path, **options)
        try:
            answer = response.json()
        except ValueError as cause:
            raise Unreachable(self.base_url, cause) from cause
        if not isinstance(answer, dict):
            raise Unreachable(self.base_url, ValueError("the answer is no JSON object"))
        return answer

    def is_ok(self, path: str) -> bool:
        """Whether a GET answers with success; False when it does not answer at all."""
        try:
            return self._client.get(path).is_success
        except httpx.RequestError:
            return False

    def items(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Json]:
        """Every item of a list, page after page."""
        query = {name: value for name, value in (params or {}).items() if value is not None}
        while True:
            page = self.json("GET", path, params=query)
            yield from page["items"]
            if not page.get("next_cursor"):
                return
            query["cursor"] = page["next_cursor"]

    @contextmanager
    def stream(self, path: str, method: str = "GET", **options: Any) -> Iterator[httpx.Response]:
        """Ask for a body that is read while it arrives. Raises like `request`; nothing is repeated."""
        try:
            with self._client.stream(method, path, **options) as response:
                if response.is_error:
                    response.read()
                    raise ApiError.from_response(response)
                yield response
        except httpx.RequestError as cause:
            raise Unreachable(self.base_url, cause) from cause


def path_of(*segments: str | int) -> str:
    """`/v1/...` with each segment escaped, so that no name can step out of its place in the path."""
    return "/".join(["/v1", *(quote(str(segment), safe="") for segment in segments)])


def backoff_seconds(attempt: int) -> float:
    """The delay after the attempt numbered from 0: 0.1 s, doubling, at most `MAX_DELAY_SECONDS`."""
    return min(0.1 * 2.0 ** min(attempt, 16), MAX_DELAY_SECONDS)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
