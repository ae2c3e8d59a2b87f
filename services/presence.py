"""Which workers there are."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from services.database import now
from services.tables import Worker

SEEN_LATELY_SECONDS = 30.0
FORGOTTEN_SECONDS = 3600.0


def announce(session: Session, worker: Worker) -> None:
    """Say that a worker is alive; forgets those not seen for an hour."""
    session.execute(delete(Worker).where(Worker.seen_at < now() - FORGOTTEN_SECONDS))
    session.execute(update(Worker).where(Worker.id == session.merge(worker).id).values(seen_at=now()))


def leave(session: Session, worker_id: str) -> None:
    """Forget a worker that stopped."""
    session.execute(delete(Worker).where(Worker.id == worker_id))


def workers(session: Session) -> list[Worker]:
    """The workers seen in the last 30 seconds."""
    statement = select(Worker).where(Worker.seen_at >= now() - SEEN_LATELY_SECONDS)
    return list(session.scalars(statement.order_by(Worker.id)))


def has_gpu(session: Session) -> bool:
    """Whether a worker with a GPU was seen lately."""
    return any("gpu" in worker.queues and worker.devices for worker in workers(session))
