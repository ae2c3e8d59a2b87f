"""What can be trained, and with what."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.dependencies import EntryName, Limit, Open
from api.schemas.base import Json, ListOf
from services.catalogue import Catalogue, Entry
from services.errors import Invalid

router = APIRouter(prefix="/v1", tags=["catalogue"])

# The lists of the catalogue have names for ids, so that a name is the cursor.
NameCursor = Annotated[str | None, Query(max_length=63, description="`next_cursor` of the page before.")]
Task = Annotated[str | None, Query(max_length=63, description="Only what is for this task.")]
Listing = Literal["tasks", "optimizers", "schedulers", "losses", "metrics"]


def _page(catalogue: Catalogue, listing: str, task: str | None, limit: int, cursor: str | None) -> ListOf[Json]:
    entries: list[Entry] = catalogue.snapshot[listing]
    if cursor is not None and all(entry["name"] != cursor for entry in entries):
        raise Invalid.field("cursor_unknown", ["query", "cursor"], "is no `next_cursor` of this list")
    found = [
        entry
        for entry in sorted(entries, key=lambda entry: entry["name"])
        if (task is None or task in entry.get("tasks", [task])) and (cursor is None or entry["name"] > cursor)
    ]
    page = found[:limit]
    return ListOf(items=page, next_cursor=page[-1]["name"] if len(found) > limit else None)


@router.get("/architectures")
def list_architectures(
    resources: Open, task: Task = None, limit: Limit = 100, cursor: NameCursor = None
) -> ListOf[Json]:
    """Architectures with the JSON Schema of their hyperparameters, defaults and search ranges."""
    return _page(resources.catalogue, "architectures", task, limit, cursor)


@router.get("/architectures/{architecture}")
def get_architecture(resources: Open, architecture: EntryName) -> Json:
    """One architecture."""
    return resources.catalogue.architecture(architecture)


@router.get("/training")
def get_training(resources: Open) -> Json:
    """The JSON Schema of a train job's `training`."""
    schema: Json = resources.catalogue.snapshot["training"]
    return schema


def _add_listing(listing: Listing) -> None:
    @router.get(f"/{listing}", name=f"list_{listing}", summary=f"List {listing}")
    def list_entries(resources: Open, task: Task = None, limit: Limit = 100, cursor: NameCursor = None) -> ListOf[Json]:
        return _page(resources.catalogue, listing, task, limit, cursor)


for _listing in ("tasks", "optimizers", "schedulers", "losses", "metrics"):
    _add_listing(_listing)
