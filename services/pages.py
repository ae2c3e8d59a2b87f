"""Cursor pagination: a page of rows and where the next one begins."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows and the cursor of the next page, None at the end."""

    items: list[Row]
    next_cursor: str | None


def newest_first(
    session: Session,
    statement: Select[Any],
    id_column: InstrumentedAttribute[str],
    limit: int,
    cursor: str | None,
) -> Page[Row]:
    """A page by descending id (ids sort by creation); `cursor` is the last id of the page before."""
    if cursor is not None:
        statement = statement.where(id_column < cursor)
    rows: list[Any] = list(session.scalars(statement.order_by(id_column.desc()).limit(limit + 1)))
    more = len(rows) > limit
    return Page(rows[:limit], getattr(rows[limit - 1], id_column.key) if more else None)
