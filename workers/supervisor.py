"""Supervises one job: claims it, runs it in a child process, keeps its lease, records its end.

The child is told of a wish and given time to obey, then its process group is killed. While the database is
out of reach the child runs on; what it reports is kept and written later.
"""

import contextlib
import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, TypeVar

import orjson
import structlog
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, wait_exponential_jitter

from services import jobs, lifecycle
from services.artifacts import remove_tree
from services.database import OUTAGE, after_commit
from services.errors import Conflict, LeaseLost
from services.resources import Resources
from services.studies import trials
from services.tables import Job
from services.transitions import EventDraft
from workers import forkserver, recording
from workers.assignments import Slot, assign, provide, scratch_directory
from workers.child import Provision
from workers.wire import Message, encode, receive

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

FIRST_TICK_SECONDS = 0.02
TICK_SECONDS = 0.25
"""How often reports are written and wishes are read; more often at first, so that a job is seen to begin."""
BURST_SECONDS = 0.005
"""Silence after which what was reported together has all arrived."""
PAUSE_GRACE_SECONDS = 10.0
"""Time to save a checkpoint after a wish to pause, or when the worker stops."""
LAST_WORDS = ("outcome", "failed", "stopped")


@dataclass(frozen=True)
class Supervisor:
    """Runs jobs of one worker process."""

    resources: Resources
    worker_id: str
    stopping: threading.Event
    """Set when the worker shuts down: children save a checkpoint and their jobs are queued again, uncharged."""

    def run_next(self, queues: Collection[str], slot: Slot) -> bool:
        """Claim the job that has waited longest on these queues and see it through; False if none waits."""
        lease = self.resources.settings.lease_seconds
        with self.resources.database.transaction() as session:
            job = lifecycle.claim_next(session, queues, worker=self.worker_id, lease_seconds=lease)
        if job is None:
            return False
        with structlog.contextvars.bound_contextvars(job_id=job.id, kind=job.kind, attempt=job.attempt):
            log.info("job_claimed")
            return self._see_through(job, slot)

    def _see_through(self, job: Job, slot: Slot) -> bool:
        """Supervise a claimed job; False if this worker had better not take another at once."""
        try:
            self._supervise(job, slot)
        except LeaseLost:
            log.warning("lease_lost")
        except Exception as error:  # this worker failed, not the job: it is left to another attempt
            log.exception("supervision_failed")
            cause = f"its supervisor failed: {type(error).__name__}"
            with contextlib.suppress(LeaseLost):
                self.persist(lambda session: self._interrupt(session, job, cause, charged=True))
            return False
        finally:
            remove_tree(scratch_directory(self.resources, job))
        return True

    def _supervise(self, job: Job, slot: Slot) -> None:
        assignment = self.persist(lambda session: assign(session, self.resources, job, slot), reading=True)
        provision = provide(self.resources.settings, assignment, slot)
        child = Child(*forkserver.start(assignment, provision))
        try:
            last = Watch(self, job, child, provision).until_the_end()
        finally:
            child.kill()
        self._conclude(job, last)

    def _conclude(self, job: Job, last: Message) -> None:
        """Record the child's last word."""
        token = job.lease_token or ""
        if last["type"] == "outcome":
            last = self._succeed(job, token, last["data"])
        if last["type"] == "failed":
            self.persist(lambda session: lifecycle.fail(session, job.id, last["data"], token=token))
        if last["type"] in ("stopped", "died"):
            cause = last.get("cause", "its worker stopped")
            self.persist(lambda session: self._interrupt(session, job, cause, charged=last["type"] == "died"))
        self._forget(job.id)

    def _succeed(self, job: Job, token: str, outcome: dict[str, Any]) -> Message:
        try:
            self.persist(lambda session: recording.succeed(session, self.resources, job.id, token, outcome))
        except Conflict as error:
            return {"type": "failed", "data": {"code": error.code, "detail": error.detail}}
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            detail = f"The data could not be moved into place: {error.strerror}."
            return {"type": "failed", "data": {"code": "storage_full", "detail": detail}}
        return {"type": "recorded"}

    def _interrupt(self, session: Session, job: Job, cause: str, *, charged: bool) -> None:
        attempts = self.resources.settings.max_attempts
        lifecycle.interrupt(session, job.id, cause, max_attempts=attempts, charged=charged, token=job.lease_token)

    def _forget(self, job_id: str) -> None:
        """Delete what an ended job needs no more."""
        job = self.persist(lambda session: jobs.get(session, job_id), reading=True)
        log.info("job_left", state=job.state)
        if job.is_over:
            remove_tree(self.resources.settings.jobs / job_id)
            (self.resources.settings.uploads / job_id).unlink(missing_ok=True)

    def persist(self, work: Callable[[Session], Result], *, reading: bool = False) -> Result:
        """Run `work` in a transaction, which may only read, again and again while the database is out of reach."""
        database = self.resources.database
        transaction = database.snapshot if reading else database.transaction
        retrying = Retrying(
            retry=retry_if_exception_type(OUTAGE),
            wait=wait_exponential_jitter(multiplier=0.2, max=1),
            before_sleep=lambda state: log.warning("database_unreachable", attempt=state.attempt_number),
            reraise=True,
        )
        for attempt in retrying:
            with attempt, transaction() as session:
                return work(session)
        raise AssertionError("unreachable: the loop above ends by returning or raising")


class Child:
    """A running child process and its pipe."""

    def __init__(self, process: Any, connection: Any) -> None:
        self.process = process
        self.connection = connection

    def tell(self, wish: str) -> None:
        """Send a wish; a child that is gone needs none."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(encode({"wish": wish}))

    def kill(self) -> None:
        """End the child and all it started, and wait until it is gone."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            self.process.kill()  # it had no time to lead a group of its own, or is gone
        forkserver.reap(self.process)
        self.connection.close()

    def next_messages(self, until: float) -> tuple[list[Message], bool]:
        """The next burst of messages, none if none has come by `until`, and whether the pipe is at its end."""
        messages: list[Message] = []
        while wait([self.connection], BURST_SECONDS if messages else max(0.0, until - time.monotonic())):
            try:
                messages.append(receive(self.connection))
            except (EOFError, OSError):
                return messages, True
            if time.monotonic() >= until:
                break
        return messages, False


class Watch:
    """The time between a child's start and its end."""

    def __init__(self, supervisor: Supervisor, job: Job, child: Child, provision: Provision) -> None:
        self.supervisor = supervisor
        self.settings = supervisor.resources.settings
        self.job_id, self.token, self.child, self.provision = job.id, job.lease_token or "", child, provision
        self.events: list[EventDraft] = []
        self.progress: dict[str, Any] = {}
        self.artifacts: list[dict[str, Any]] = []
        self.suggestion: dict[str, Any] | None = None
        self.wish: str | None = None
        self.done_before = job.fraction if job.kind == "search" else 0.0
        """How much of the job was done before a worker had to do with it."""
        self.started_at = self.beat_at = time.monotonic()
        self.renew_at = 0.0
        self.kill_at = float("inf") if provision.max_seconds is None else self.started_at + provision.max_seconds

    def until_the_end(self) -> Message:
        """Pump reports and wishes until the child's last word, or its death. Raises `LeaseLost`."""
        while True:
            messages, gone = self.child.next_messages(until=self.beat_at)
            for message in messages:
                if message["type"] in LAST_WORDS:
                    return self._end(message)
                self._take(message)
            if gone:
                return self._end(self._died())
            if time.monotonic() >= self.beat_at:
                self._beat()
            if self.supervisor.stopping.is_set():
                self._ask("pause", PAUSE_GRACE_SECONDS)
            if time.monotonic() >= self.kill_at:
                return self._end(self._overstayed())

    def _take(self, message: Message) -> None:
        """Keep a report for the next beat; of progress only the last counts."""
        kind, data = message["type"], message["data"]
        if kind == "progress":
            self.events = [event for event in self.events if event[0] != "progress"]
            data = {**data, "fraction": self.done_before + (1 - self.done_before) * data["fraction"]}
            self.progress.update(data)
        if kind == "artifact":
            self.artifacts.append(data)
            data = {name: data[name] for name in ("name", "media_type", "size")}
        if kind == "suggested":
            self.suggestion = data
            given = orjson.dumps(data["parameters"]).decode()
            kind, data = "log", {"level": "info", "message": f"is given {given}"}
        self.events.append((kind, data))

    def _died(self) -> Message:
        """The last word for a child without one. A user's file that crashed its reader would do so again."""
        how = forkserver.reap(self.child.process)
        if self.provision.trusted or not forkserver.has_crashed(self.child.process):
            return {"type": "died", "cause": f"its process {how}"}
        detail = f"The file made the process that read it crash: it {how}. Check that the file is whole."
        return {"type": "failed", "data": {"code": "file_crashes", "detail": detail}}

    def _overstayed(self) -> Message:
        """The last word for a child that took too long: over a user's file, or to obey a wish."""
        if self.wish is not None:
            return {"type": "stopped"}
        detail = f"The job took longer than {self.provision.max_seconds:g} s; make the data or the model smaller."
        return {"type": "failed", "data": {"code": "time_limit", "detail": detail}}

    def _end(self, last: Message) -> Message:
        self.supervisor.persist(self._write)
        return last

    def _beat(self) -> None:
        """Write what has been reported, keep the lease, read the wish. In an outage the next beat tries again."""
        database = self.supervisor.resources.database
        try:
            if self.events or time.monotonic() >= self.renew_at:
                with database.transaction() as session:
                    state = self._write(session)
            else:
                with database.snapshot() as session:
                    state = lifecycle.state_under(session, self.job_id, self.token)
        except OUTAGE as error:
            log.warning("database_unreachable", error=str(error))
            return
        finally:
            self._plan_beat()
        self.events, self.progress, self.artifacts, self.suggestion = [], {}, [], None
        if state == "cancelling":
            self._ask("cancel", self.settings.cancel_grace_seconds)
        elif state == "pausing":
            self._ask("pause", PAUSE_GRACE_SECONDS)

    def _write(self, session: Session) -> str:
        after_commit(session, self._plan_renewal)
        state = lifecycle.beat(
            session,
            self.job_id,
            self.token,
            lease_seconds=self.settings.lease_seconds,
            events=self.events,
            progress=self.progress,
        )
        recording.keep(session, self.job_id, self.artifacts)
        if self.suggestion is not None:
            trials.suggest(session, self.job_id, **self.suggestion)
        return state

    def _plan_beat(self) -> None:
        now = time.monotonic()
        self.beat_at = now + min(TICK_SECONDS, max(FIRST_TICK_SECONDS, (now - self.started_at) / 5))

    def _plan_renewal(self) -> None:
        self.renew_at = time.monotonic() + self.settings.heartbeat_seconds

    def _ask(self, wish: str, grace_seconds: float) -> None:
        if self.wish != wish and self.wish != "cancel":
            self.wish = wish
            self.child.tell(wish)
            self.kill_at = time.monotonic() + grace_seconds
