"""What the routes share: the open resources, and the parameters that several of them take."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query as QueryParameter

from services.errors import Invalid
from services.resources import Resources

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
ALIAS = r"^[A-Za-z][A-Za-z0-9._-]{0,62}$"
ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
MAX_PAGE = 1000


def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


Open = Annotated[Resources, Depends(_resources)]


async def only_declared_query(request: Request) -> None:
    """Refuse a query parameter that the route does not declare: an option that is misspelt must not be passed over.

    Raises `Invalid`.
    """
    if not request.query_params:
        return
    declared = get_flat_params(request.scope["route"].dependant)
    known = [field.alias for field in declared if isinstance(field.field_info, QueryParameter)]
    for name in request.query_params:
        if name not in known:
            msg = f"unknown; the parameters are {', '.join(known) or 'none'}"
            raise Invalid.field("parameter_unknown", ["query", name], msg)


# A path parameter that does not fit its pattern names nothing that could exist: `api.problems` answers 404.
DatasetName = Annotated[str, Path(alias="dataset", pattern=NAME)]
ModelName = Annotated[str, Path(alias="model", pattern=NAME)]
AliasName = Annotated[str, Path(alias="alias", pattern=ALIAS)]
JobId = Annotated[str, Path(alias="job", pattern=ID)]
Version = Annotated[
    str, Path(alias="version", pattern=r"^([1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9._-]{0,62})$", examples=["latest"])
]
FileName = Annotated[str, Path(alias="artifact", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
EntryName = Annotated[str, Path(alias="architecture", pattern=NAME)]

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Most items on a page.")]
Cursor = Annotated[str | None, Query(pattern=ID, description="`next_cursor` of the page before.")]
