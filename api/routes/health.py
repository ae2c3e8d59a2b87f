"""Health and readiness, which tell the truth, and metrics."""

import time

import structlog
from fastapi import APIRouter, Request, Response

from api.dependencies import Open
from api.schemas.system import Health
from services.resources import Resources

router = APIRouter(tags=["service"])
log = structlog.get_logger(__name__)


@router.get("/health/live")
async def live() -> Health:
    """200 while the process answers at all."""
    return Health(status="ok", missing=[])


def _missing(resources: Resources) -> list[str]:
    missing: list[str] = []
    for name, part in (("database", resources.database), ("broker", resources.doorbell)):
        started_at = time.perf_counter()
        try:
            part.ping()
        except Exception as error:  # whatever the cause, the part does not answer
            seconds = round(time.perf_counter() - started_at, 3)
            log.warning("not_ready", part=name, error=type(error).__name__, seconds=seconds)
            missing.append(name)
    return missing


@router.get("/health/ready", responses={503: {"model": Health, "description": "What is missing."}})
def ready(resources: Open, response: Response) -> Health:
    """200 when the database and the broker answer, else 503 with what is missing."""
    missing = _missing(resources)
    response.status_code = 503 if missing else 200
    return Health(status="unavailable" if missing else "ok", missing=missing)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text."}},
)
def metrics(request: Request) -> Response:
    """Requests by route and status, jobs by state, workers alive."""
    return Response(request.app.state.telemetry.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
