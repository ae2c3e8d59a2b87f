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
from sqlalchemy import func, select, union

from services import datasets, lifecycle, transitions
from services.artifacts import remove_tree
from services.database import OUTAGE, now
from services.logs import configure
from services.queue import QUEUES
from services.resources import Resources
from services.settings import Settings
from services.tables import TERMINAL, Dataset, Job, JobArtifact, ModelVariant, ModelVersion, new_id

COLLECT_SECONDS = 60.0
ORPHAN_SECONDS = 600.0
"""How long a file that nothing names is left alone: it may be about to be named."""
UPLOAD_SECONDS = 3600.0
"""Likewise for an upload, which a slow client may be sending."""
LATE_SECONDS = 5.0
"""How long a job has waited when it is rung for again."""
MAX_RINGS = 64
"""Rings enough to wake every idle worker; each takes jobs until none waits."""
SECOND_LOOK_SECONDS = 2.0

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
        """Take jobs from workers whose lease has expired.

        After an outage of the database every lease looks expired, so it looks twice: a live worker renews in
        between.
        """
        with self.resources.database.snapshot() as session:
            suspects = lifecycle.expired(session)
        if not suspects:
            return
        time.sleep(SECOND_LOOK_SECONDS)
        cause = "its worker stopped answering"
        for job_id, token in suspects.items():
            with self.resources.database.transaction() as session:
                transitions.lock(session, job_id)
                if lifecycle.expired(session).get(job_id) != token:
                    continue
                job = lifecycle.interrupt(session, job_id, cause, max_attempts=self.resources.settings.max_attempts)
            log.warning("lease_expired", job_id=job_id, state=job.state)

    def ring_again(self) -> None:
        """Ring for jobs that have waited a while when the broker holds fewer rings than there are such jobs."""
        late = select(Job.queue, func.count()).where(
            Job.state == "queued", Job.queue.in_(QUEUES), Job.queued_at < now() - LATE_SECONDS
        )
        with self.resources.database.snapshot() as session:
            waiting = session.execute(late.group_by(Job.queue)).all()
        doorbell = self.resources.doorbell
        for queue, count in waiting:
            for _ in range(min(count, MAX_RINGS) - doorbell.depth(queue)):
                doorbell.ring(queue)

    def collect(self) -> None:
        """Delete files that no row names: arrays of deleted data sets, leftovers of ended jobs, orphans."""
        settings = self.resources.settings
        with self.resources.database.snapshot() as session:
            manifests = session.scalars(select(Dataset.manifest))
            digests = {datasets.directory(settings, each).name for each in manifests if each is not None}
            active = set(session.scalars(select(Job.id).where(Job.state.not_in(TERMINAL))))
        self._delete(settings.datasets.iterdir(), keep=digests, older_than=time.time() - COLLECT_SECONDS)
        self._delete(settings.jobs.iterdir(), keep=active, older_than=time.time() - COLLECT_SECONDS)
        self._delete(settings.uploads.iterdir(), keep=active, older_than=time.time() - UPLOAD_SECONDS)
        self._collect_artifacts()

    def _collect_artifacts(self) -> None:
        """Delete artifacts without a row, but none that a job under way may have stored and not yet recorded."""
        stored = [path for path in self.resources.artifacts.root.rglob("*") if path.is_file()]
        with self.resources.database.snapshot() as session:
            columns = (JobArtifact.sha256, ModelVersion.onnx_sha256, ModelVariant.onnx_sha256)
            named = set(session.scalars(union(*map(select, columns))))
            oldest = session.scalar(select(func.min(Job.started_at)).where(Job.state.in_(transitions.LEASED)))
        older_than = time.time() - ORPHAN_SECONDS
        self._delete(stored, keep=named, older_than=older_than if oldest is None else min(older_than, oldest))

    def _delete(self, paths: Iterable[Path], *, keep: set[str], older_than: float) -> None:
        for path in paths:
            if path.name in keep:
                continue
            try:
                if path.stat().st_mtime < older_than:
                    self._delete_one(path, older_than)
            except OSError as error:
                log.warning("orphan_not_deleted", path=path.name, error=str(error))

    def _delete_one(self, path: Path, older_than: float) -> None:
        doomed = path.rename(path.with_name(f".{new_id()}"))
        if doomed.stat().st_mtime >= older_than:  # it has just been placed again
            doomed.rename(path)
            return
        log.info("orphan_deleted", path=path.name)
        remove_tree(doomed) if doomed.is_dir() else doomed.unlink()


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
