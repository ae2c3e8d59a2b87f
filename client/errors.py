"""What can go wrong between a program and the service.

```
SyllabusError
├── ApiError            the service refused the request or failed at it: status, code and detail say why
├── Unreachable         no answer: connection refused, broken off, or too slow
├── WaitTimeout         a job or data set was not done in the time the caller gave it
└── ChecksumMismatch    a downloaded file is not the one the service announced
```
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import httpx


class FieldError(TypedDict):
    """One wrong field: where it is in the request, and what is wrong with it."""

    loc: list[str | int]
    msg: str


class SyllabusError(Exception):
    """Base of all errors this client raises on its own account."""


class Unreachable(SyllabusError):
    """No answer from the service: connection refused, broken off, or too slow."""

    def __init__(self, base_url: str, cause: Exception | None = None) -> None:
        reason = f" ({cause})" if cause is not None and str(cause) else ""
        super().__init__(f"no answer from {base_url}{reason}; is the service running, and is the URL right?")
        self.base_url = base_url


class WaitTimeout(SyllabusError, TimeoutError):
    """A job or data set was not done in the time the caller gave it; it goes on by itself."""


class ChecksumMismatch(SyllabusError):
    """A downloaded file is not the one the service announced; it was not kept."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"the download has SHA-256 {actual}, but the service announced {expected}; try again")
        self.expected = expected
        self.actual = actual


class ApiError(SyllabusError):
    """The service refused the request (4xx) or failed at it (5xx).

    `code` is stable and for programs, `detail` is for people; `errors` names the wrong fields of a 422;
    `retry_after_seconds` is set when the service said when to come back.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.errors = list(errors)
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        headline = f"{self.title} ({self.status} {self.code})"
        fields = [f"  {field_path(error['loc'])}: {error['msg']}" for error in self.errors]
        # For a single wrong field `detail` often repeats what its line says.
        repeated = any(error["msg"] in self.detail for error in self.errors)
        if self.detail and not repeated and self.detail != self.title:
            headline += f": {self.detail}"
        return "\n".join([headline, *fields])

    @property
    def refused(self) -> bool:
        """Whether the fault is in the request (4xx), so that repeating it unchanged cannot help."""
        return 400 <= self.status < 500

    def problem(self) -> dict[str, Any]:
        """The error as a problem document (RFC 9457)."""
        document: dict[str, Any] = {
            "status": self.status,
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
        }
        return document | ({"errors": self.errors} if self.errors else {})

    @classmethod
    def from_response(cls, response: httpx.Response) -> "ApiError":
        """Read an error answer whose body is loaded; one that is no problem document (a proxy's) too."""
        try:
            body = response.json()
        except ValueError:
            body = None
        problem = {"title": response.reason_phrase, **(body if isinstance(body, dict) else {})}
        error = cls.of({**problem, "status": response.status_code})
        error.retry_after_seconds = _seconds(response.headers.get("Retry-After"))
        return error

    @classmethod
    def of(cls, problem: Mapping[str, Any]) -> "ApiError":
        """The error that a problem document (RFC 9457) tells of."""
        status = int(problem["status"])
        return cls(
            status=status,
            code=str(problem.get("code") or f"http_{status}"),
            title=str(problem.get("title") or "Error"),
            detail=str(problem.get("detail") or ""),
            errors=_field_errors(problem.get("errors")),
        )


def field_path(loc: Sequence[str | int]) -> str:
    """`["body", "training", "epochs"]` as `training.epochs`, indices in brackets."""
    parts = loc[1:] if len(loc) > 1 and loc[0] == "body" else loc
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".") or "body"


def _field_errors(value: object) -> list[FieldError]:
    """The well-formed entries of a problem's `errors`."""
    entries = value if isinstance(value, list) else []
    return [
        {"loc": [part if isinstance(part, int) else str(part) for part in entry["loc"]], "msg": str(entry["msg"])}
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("loc"), list) and "msg" in entry
    ]


def _seconds(value: str | None) -> float | None:
    """`Retry-After` in its delay form (RFC 9110, 10.2.3); a date counts as absent."""
    return float(value) if value is not None and value.isascii() and value.isdigit() else None
