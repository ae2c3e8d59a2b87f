"""Data sets: upload, look at, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.dataset_options import DATASET_BODY, part_options, query_options
from api.dependencies import NAME, Cursor, DatasetName, Limit, Open
from api.openapi import also
from api.schemas.base import ListOf
from api.schemas.datasets import CreatedDatasetOut, DatasetOut, Rows
from api.uploads import Upload, received
from services import datasets, previews
from services.errors import Conflict
from services.requests.datasets import DatasetFormat, DatasetOptions
from services.resources import Resources

router = APIRouter(prefix="/v1/datasets", tags=["data sets"])

Name = Annotated[str, Query(pattern=NAME, description="Name of the new data set.")]
PREVIEW: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Rows,
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        "description": "A grid of images as PNG, or the first samples as rows.",
    }
}


@router.get("")
def list_datasets(resources: Open, limit: Limit = 100, cursor: Cursor = None) -> ListOf[DatasetOut]:
    """Built-in and uploaded data sets, newest first."""
    with resources.database.snapshot() as session:
        page = datasets.page(session, limit=limit, cursor=cursor)
        return ListOf(items=[DatasetOut.of(item) for item in page.items], next_cursor=page.next_cursor)


def _check_free(resources: Resources, name: str) -> None:
    with resources.database.snapshot() as session:
        datasets.check_free(session, name)


def _create(
    resources: Resources, name: str, format: DatasetFormat, options: DatasetOptions, upload: Upload
) -> CreatedDatasetOut:
    with resources.database.transaction() as session:
        dataset, job = datasets.create(
            session, resources, name=name, format=format, options=options, upload=upload.path, size=upload.size
        )
        return CreatedDatasetOut.created(dataset, job)


@router.post(
    "",
    status_code=202,
    responses=also(409),
    openapi_extra=DATASET_BODY,
)
async def create_dataset(
    request: Request,
    response: Response,
    resources: Open,
    name: Name,
    options: Annotated[DatasetOptions, Depends(query_options)],
    format: DatasetFormat = "auto",
) -> CreatedDatasetOut:
    """Upload a data set: the file is the body, or the part `file` of a multipart body.

    Everything but the file is checked before the body is read. The answer has the `ingest` job in `job`.
    """
    await run_in_threadpool(_check_free, resources, name)
    async with received(request, resources.settings.uploads) as upload:
        if upload.options is not None:
            options = part_options(upload.options)
        created = await run_in_threadpool(_create, resources, name, format, options, upload)
    response.headers["location"] = created.links["self"]
    return created


@router.get("/{dataset}")
def get_dataset(resources: Open, dataset: DatasetName) -> DatasetOut:
    """State, modality, splits with counts, classes, shapes, bytes and digest; the reason if it failed."""
    with resources.database.snapshot() as session:
        return DatasetOut.of(datasets.get(session, dataset))


@router.get("/{dataset}/preview", response_model=None, responses=PREVIEW | also(409))
def preview_dataset(
    resources: Open, dataset: DatasetName, n: Annotated[int, Query(ge=1, le=previews.MAX_SAMPLES)] = 16
) -> Response | Rows:
    """The first samples: a PNG grid of images, else rows: of a table, texts, trees or series."""
    with resources.database.snapshot() as session:
        found = datasets.get(session, dataset)
    if found.state != "ready" or found.manifest is None:
        raise Conflict("dataset_not_ready", f"Data set {dataset!r} is {found.state}; a preview needs it ready.")
    directory = datasets.directory(resources.settings, found.manifest)
    if found.manifest["modality"] == "image":
        return Response(previews.grid(directory, found.manifest, n), media_type="image/png")
    return Rows(rows=previews.rows(directory, found.manifest, n))


@router.delete("/{dataset}", status_code=204, responses=also(409))
def delete_dataset(resources: Open, dataset: DatasetName) -> None:
    """Delete a data set; 409 while a job uses it."""
    with resources.database.transaction() as session:
        datasets.delete(session, dataset)
