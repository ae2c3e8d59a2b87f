"""The service itself."""

from datetime import datetime
from typing import Literal

from api.schemas.base import Schema, utc
from services.tables import Worker


class Health(Schema):
    """Whether the service works, and what is missing if not."""

    status: Literal["ok", "unavailable"]
    missing: list[str]


class WorkerOut(Schema):
    """A worker seen in the last 30 seconds; `busy` of its `slots` are at work, `load` is their share."""

    id: str
    host: str
    pid: int
    queues: list[str]
    devices: list[str]
    slots: int
    busy: int
    load: float
    started_at: datetime
    seen_at: datetime

    @classmethod
    def of(cls, worker: Worker) -> "WorkerOut":
        """The answer for a row."""
        return cls(
            id=worker.id,
            host=worker.host,
            pid=worker.pid,
            queues=worker.queues,
            devices=worker.devices,
            slots=worker.slots,
            busy=worker.busy,
            load=worker.busy / worker.slots,
            started_at=utc(worker.started_at),
            seen_at=utc(worker.seen_at),
        )


class SystemOut(Schema):
    """The service's version, the devices of its workers, and the workers."""

    version: str
    devices: list[str]
    workers: list[WorkerOut]
