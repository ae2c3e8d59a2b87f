"""Jobs: submit, follow, stop, and fetch what they produced."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.dependencies import ID, Cursor, FileName, JobId, Limit, Open
from api.event_stream import EventStream, follow
from api.files import FILE_RESPONSES, file_response
from api.openapi import also
from api.schemas.base import ListOf
from api.schemas.jobs import ArtifactOut, JobOut, LogLine, SeriesOut
from api.strict_json import StrictRoute
from services import events, jobs
from services.requests.jobs import JobRequest
from services.transitions import JobState
from shapes.jobs import JobKind

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=StrictRoute)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[ -~]+$",
        description="The same key with the same body answers the same job.",
    ),
]
LastEventId = Annotated[int, Header(alias="Last-Event-ID", ge=0, le=2**31 - 1, description="Replay from after this.")]
Parent = Annotated[str | None, Query(pattern=ID, description="Only the trials of this search.")]
TEXT_OR_NDJSON: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        }
    }
}
_EVENT = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "event", "data")}}
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": _EVENT}}}}


@router.post("", status_code=202, responses=also(409))
def submit_job(
    resources: Open,
    response: Response,
    request: Annotated[JobRequest, Body(discriminator="kind")],
    idempotency_key: IdempotencyKey = None,
) -> JobOut:
    """Check a request completely, queue it and answer its job."""
    with resources.database.transaction() as session:
        job = jobs.submit(session, resources, request, idempotency_key=idempotency_key)
        answer = JobOut.of(job, jobs.queue_positions(session, [job]).get(job.id))
    response.headers["location"] = answer.links["self"]
    return answer


@router.get("")
def list_jobs(
    resources: Open,
    kind: JobKind | None = None,
    state: JobState | None = None,
    parent_id: Parent = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ListOf[JobOut]:
    """Jobs, newest first."""
    with resources.database.snapshot() as session:
        page = jobs.page(session, kind=kind, state=state, parent_id=parent_id, limit=limit, cursor=cursor)
        positions = jobs.queue_positions(session, page.items)
        items = [JobOut.of(job, positions.get(job.id)) for job in page.items]
    return ListOf(items=items, next_cursor=page.next_cursor)


@router.get("/{job}")
def get_job(resources: Open, job: JobId) -> JobOut:
    """One job."""
    with resources.database.snapshot() as session:
        found = jobs.get(session, job)
        return JobOut.of(found, jobs.queue_positions(session, [found]).get(found.id))


@router.post("/{job}/cancel", status_code=202, responses=also(409))
def cancel_job(resources: Open, job: JobId) -> JobOut:
    """Cancel a job; 409 when it is over."""
    with resources.database.transaction() as session:
        return JobOut.of(jobs.cancel(session, job))


@router.post("/{job}/pause", status_code=202, responses=also(409))
def pause_job(resources: Open, job: JobId) -> JobOut:
    """Pause a job; it goes on from its last checkpoint when resumed."""
    with resources.database.transaction() as session:
        return JobOut.of(jobs.pause(session, job))


@router.post("/{job}/resume", status_code=202, responses=also(409))
def resume_job(resources: Open, job: JobId) -> JobOut:
    """Queue a paused job again."""
    with resources.database.transaction() as session:
        resumed = jobs.resume(session, job)
        return JobOut.of(resumed, jobs.queue_positions(session, [resumed]).get(resumed.id))


@router.get("/{job}/events", response_class=StreamingResponse, responses=EVENTS | also(429))
async def follow_events(request: Request, resources: Open, job: JobId, last_event_id: LastEventId = 0) -> EventStream:
    """Server-sent events `state`, `progress`, `metric` and `log`, from the first on or after `Last-Event-ID`."""
    await run_in_threadpool(get_job, resources, job)
    streams = request.app.state.streams
    return EventStream(streams, follow(resources, streams, job, last_event_id))


@router.get("/{job}/metrics")
def get_metrics(resources: Open, job: JobId) -> SeriesOut:
    """Metrics by name, each thinned to at most 1,000 points."""
    with resources.database.snapshot() as session:
        jobs.get(session, job)
        series = events.series(session, job)
    return SeriesOut(series={name: [list(point) for point in points] for name, points in series.items()})


@router.get("/{job}/logs", response_class=Response, responses=TEXT_OR_NDJSON)
def get_logs(resources: Open, job: JobId, accept: Annotated[str, Header()] = "") -> Response:
    """The log as text, or as NDJSON when `Accept` asks for `application/x-ndjson`."""
    with resources.database.snapshot() as session:
        jobs.get(session, job)
        lines = [LogLine.of(event) for event in events.logs(session, job)]
    if "ndjson" in accept:
        ndjson = b"".join(orjson.dumps(line.model_dump()) + b"\n" for line in lines)
        return Response(ndjson, media_type="application/x-ndjson")
    return Response("".join(line.as_text() for line in lines), media_type="text/plain")


@router.get("/{job}/artifacts")
def list_artifacts(resources: Open, job: JobId) -> ListOf[ArtifactOut]:
    """The files that the job produced."""
    with resources.database.snapshot() as session:
        return ListOf(items=[ArtifactOut.of(artifact) for artifact in jobs.artifacts(session, job)])


@router.get("/{job}/artifacts/{artifact}", response_class=Response, responses=FILE_RESPONSES)
def get_artifact(request: Request, resources: Open, job: JobId, artifact: FileName) -> Response:
    """One of the files."""
    with resources.database.snapshot() as session:
        found = jobs.artifact(session, job, artifact)
    path = resources.artifacts.path(found.sha256)
    return file_response(request, path, sha256=found.sha256, name=found.name, media_type=found.media_type)
