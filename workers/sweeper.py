"""`python -m workers.sweeper`: finds what died and what was left behind.

Every sweep ends or queues again the jobs whose lease has expired, and rings for queued jobs that the broker
does not know. Every minute it deletes files that nothing in the database names any more.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog
from kombu.exceptions import OperationalError
from sqlalchemy import func, select

from services import jobs, lifecycle
from services.artifacts import remove_tree
from services.database import OUTAGE, now
from services.logs import configure
from services.resources import Resources
from services.settings import Settings
from services.tables import TERMINAL, Dataset, Job, JobArtifact, ModelVersion

COLLECT_SECONDS = 60.0
ORPHAN_SECONDS = 600.0
"""How long a file that nothing names is left alone: it may be about to be named."""
RING_AGAIN_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Sweeper:
    """Sweeps one database, broker and home directory. Several may run; each change happens once."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self._collect_at = 0.0

    def sweep(self) -> None:
        """One round; an outage of database or broker is logged and left to the next."""
        steps: list[Callable[[], None]] = [self.rescue, self.ring_again]
        if time.monotonic() >= self._collect_at:
            self._collect_at = time.monotonic() + COLLECT_SECONDS
            steps.append(self.collect)
        for step in steps:
            try:
                step()
            except (*OUTAGE, OperationalError, OSError) as error:
                log.warning("sweep_postponed", step=step.__name__, error=str(error))

    def rescue(self) -> None:
        """Take jobs from workers whose lease has expired."""
        cause = "its worker stopped answering"
        with self.resources.database.transaction() as session:
            for job_id in lifecycle.expired(session):
                job = lifecycle.interrupt(session, job_id, cause, max_attempts=self.resources.settings.max_attempts)
                log.warning("lease_expired", job_id=job_id, state=job.state)
                if job.state == "queued":
                    jobs.ring(session, self.resources, job)

    def ring_again(self) -> None:
        """Ring for jobs that have waited a while when the broker holds fewer rings than there are such jobs."""
        late = select(Job.queue, func.count()).where(Job.state == "queued", Job.queued_at < now() - RING_AGAIN_SECONDS)
        with self.resources.database.transaction() as session:
            waiting = session.execute(late.group_by(Job.queue)).all()
        doorbell = self.resources.doorbell
        for queue, count in waiting:
            for _ in range(count - doorbell.depth(queue)):
                doorbell.ring(queue)

    def collect(self) -> None:
        """Delete files that no row names: arrays of deleted data sets, leftovers of ended jobs, orphans."""
        settings = self.resources.settings
        with self.resources.database.transaction() as session:
            digests = {
                str(manifest["digest"]).removeprefix("sha256:")
                for manifest in session.scalars(select(Dataset.manifest))
                if manifest is not None
            }
            active = set(session.scalars(select(Job.id).where(Job.state.not_in(TERMINAL))))
        self._delete(settings.datasets.iterdir(), keep=digests, min_age_seconds=COLLECT_SECONDS)
        self._delete(settings.jobs.iterdir(), keep=active, min_age_seconds=COLLECT_SECONDS)
        self._delete(settings.uploads.iterdir(), keep=active, min_age_seconds=ORPHAN_SECONDS)
        self._delete_orphaned_artifacts()

    def _delete_orphaned_artifacts(self) -> None:
        stored = [path for path in self.resources.artifacts.root.rglob("*") if path.is_file()]
        with self.resources.database.transaction() as session:
            named = set(session.scalars(select(JobArtifact.sha256).union(select(ModelVersion.onnx_sha256))))
        self._delete(stored, keep=named, min_age_seconds=ORPHAN_SECONDS)

    def _delete(self, paths: Iterable[Path], *, keep: set[str], min_age_seconds: float) -> None:
        for path in paths:
            if path.name in keep:
                continue
            try:
                age = time.time() - path.stat().st_mtime
            except FileNotFoundError:
                continue
            if age >= min_age_seconds:
                log.info("orphan_deleted", path=str(path.relative_to(self.resources.settings.root)))
                remove_tree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main() -> None:
    """Sweep until SIGTERM or SIGINT."""
    settings = Settings()
    configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    resources = Resources.open(settings)
    sweeper = Sweeper(resources)
    while not stop.is_set():
        sweeper.sweep()
        stop.wait(settings.sweep_seconds)
    resources.close()


if __name__ == "__main__":
    main()
