"""The service and its workers."""

from fastapi import APIRouter

from api.dependencies import Open
from api.schemas.system import SystemOut, WorkerOut
from api.version import VERSION
from services import presence

router = APIRouter(prefix="/v1/system", tags=["service"])


@router.get("")
def system(resources: Open) -> SystemOut:
    """Version, devices, and the workers seen in the last 30 seconds with their queues and load."""
    with resources.database.snapshot() as session:
        workers = [WorkerOut.of(worker) for worker in presence.workers(session)]
    devices = sorted({"cpu", *(f"cuda:{device}" for worker in workers for device in worker.devices)})
    return SystemOut(version=VERSION, devices=devices, workers=workers)
