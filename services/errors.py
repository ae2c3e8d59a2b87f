"""The errors that a caller can cause or must know of.

```
SyllabusError
├── NotFound               what was named does not exist
├── Conflict               the state of what was named does not allow the request
├── Invalid                a value is wrong; `errors` names each field and the remedy
├── TooLarge               a body, file or image is over a limit
├── UnsupportedMediaType   a content type that the route does not read
├── NotAcceptable          no content type that the client accepts is answered
├── Unauthorized           no API key, or a wrong one
├── Forbidden              without an API key: not a request from this machine to itself
├── TooManyRequests        a queue is full; `retry_after_seconds` says when to come back
├── DeadlineExceeded       the time that the caller allowed has passed
├── Unavailable            the database, the broker or a model is not ready
├── StorageFull            no room left on the disk
└── LeaseLost              a worker wrote under a lease that is no longer its own
```
`api.problems` maps each class to its HTTP status in one table.
"""

from collections.abc import Sequence
from typing import TypedDict


class FieldError(TypedDict):
    """One wrong field: where it is (`["body", "training", "epochs"]`) and what is wrong with it."""

    loc: list[str | int]
    msg: str


class SyllabusError(Exception):
    """Base of all errors of this service.

    `code` is stable and for programs (`dataset_not_found`), `detail` is for people and names the remedy.
    """

    title = "Error"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class NotFound(SyllabusError):
    """What was named does not exist."""

    title = "Not found"


class Conflict(SyllabusError):
    """The state of what was named does not allow the request."""

    title = "Conflict"


class Invalid(SyllabusError):
    """A value is wrong; `errors` names each field, or the body where it is wrong as a whole."""

    title = "Invalid request"

    def __init__(self, code: str, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(code, detail)
        self.errors = list(errors) or [FieldError(loc=["body"], msg=detail)]

    @classmethod
    def field(cls, code: str, loc: Sequence[str | int], msg: str) -> "Invalid":
        """One wrong field, named by its place in the request."""
        return cls(code, f"{'.'.join(map(str, loc))}: {msg}", [{"loc": list(loc), "msg": msg}])


class TooLarge(SyllabusError):
    """A body, file or image is over a limit."""

    title = "Too large"


class UnsupportedMediaType(SyllabusError):
    """A content type that the route does not read."""

    title = "Unsupported media type"


class NotAcceptable(SyllabusError):
    """No content type that the client accepts is answered."""

    title = "Not acceptable"


class Unauthorized(SyllabusError):
    """No API key was sent, or a wrong one."""

    title = "Unauthorized"


class Forbidden(SyllabusError):
    """Without an API key: not a request from this machine to itself."""

    title = "Forbidden"


class TooManyRequests(SyllabusError):
    """A queue is full."""

    title = "Too many requests"

    def __init__(self, code: str, detail: str, retry_after_seconds: int) -> None:
        super().__init__(code, detail)
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(SyllabusError):
    """The time that the caller allowed has passed."""

    title = "Deadline exceeded"


class Unavailable(SyllabusError):
    """The database, the broker or a model is not ready."""

    title = "Service unavailable"


class StorageFull(SyllabusError):
    """No room is left on the disk."""

    title = "Storage full"


class LeaseLost(SyllabusError):
    """A worker wrote under a lease that is no longer its own; the write changed nothing."""

    title = "Lease lost"
