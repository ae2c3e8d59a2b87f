"""What all answers share. Times are RFC 3339 in UTC."""

from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Json = dict[str, Any]
Item = TypeVar("Item")


def utc(seconds: float) -> datetime:
    """Seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def utc_or_none(seconds: float | None) -> datetime | None:
    """As `utc`; None stays None."""
    return None if seconds is None else utc(seconds)


class Schema(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, protected_namespaces=(), ser_json_inf_nan="null")


class ListOf(Schema, Generic[Item]):
    """One page of a list; `next_cursor` is null at its end."""

    items: list[Item]
    next_cursor: str | None = None


class FieldProblem(Schema):
    """One wrong field."""

    loc: list[str | int]
    msg: str


class Problem(Schema):
    """RFC 9457 problem details; `code` is stable and for programs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldProblem] | None = None


class ErrorOut(Schema):
    """Why a job or a data set failed."""

    model_config = ConfigDict(extra="allow")

    code: str
    detail: str
