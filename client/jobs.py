"""`Syllabus.jobs`: submit, follow, steer and read jobs."""

import json
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from uuid import uuid4

import httpx

from client.downloads import save
from client.errors import ApiError, Unreachable, WaitTimeout
from client.events import TERMINAL_STATES, EventParser, JobEvent
from client.http import TRANSIENT_STATUSES, Connection, Json, backoff_seconds, path_of

# A stream is taken for dead when nothing arrives for this long; the service sends comments in between.
STREAM_SILENCE_SECONDS = 60.0

# Metric series: points (step, value) by name.
Series = dict[str, list[tuple[int, float]]]


class Jobs:
    """The jobs of one service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def submit(self, request: Json, *, idempotency_key: str | None = None) -> Json:
        """Queue a job (`{"kind": "train", ...}`) and return it.

        The request goes out under an idempotency key, a fresh one by default, so it is repeated safely when
        the answer got lost: the service makes one job of it. Raises ApiError, Unreachable.
        """
        key = idempotency_key or str(uuid4())
        return self._connection.json(
            "POST", path_of("jobs"), json=request, headers={"Idempotency-Key": key}, repeatable=True
        )

    def list(
        self,
        *,
        kind: str | None = None,
        state: str | None = None,
        parent_id: str | None = None,
        limit: int | None = None,
    ) -> Sequence[Json]:
        """The newest `limit` jobs (default: all), of one kind, in one state or of one search if given."""
        jobs = self._connection.items(path_of("jobs"), {"kind": kind, "state": state, "parent_id": parent_id})
        return list(islice(jobs, limit))

    def get(self, job_id: str) -> Json:
        """The job as it is now."""
        return self._connection.json("GET", path_of("jobs", job_id))

    def cancel(self, job_id: str) -> Json:
        """Wish the job to end. Raises ApiError 409 when it has ended already."""
        return self._connection.json("POST", path_of("jobs", job_id, "cancel"))

    def pause(self, job_id: str) -> Json:
        """Wish the job to save a checkpoint and stop. Raises ApiError 409 when its state does not allow it."""
        return self._connection.json("POST", path_of("jobs", job_id, "pause"))

    def resume(self, job_id: str) -> Json:
        """Queue a paused job again. Raises ApiError 409 when it is not paused."""
        return self._connection.json("POST", path_of("jobs", job_id, "resume"))

    def trials(self, job_id: str) -> Sequence[Json]:
        """The trials of a search so far, by number."""
        return list(self._connection.items(path_of("jobs", job_id, "trials")))

    def trials_csv(self, job_id: str) -> str:
        """The same as CSV, a line a trial."""
        return self._connection.request("GET", path_of("jobs", job_id, "trials"), headers={"Accept": "text/csv"}).text

    def add_trials(self, job_id: str, count: int) -> Json:
        """Give a search more trials. Raises ApiError 409 when they are over."""
        return self._connection.json("POST", path_of("jobs", job_id, "trials"), json={"add": count})

    def metrics(self, job_id: str) -> Series:
        """Every series as points (step, value), thinned to at most 1,000 a series."""
        series = self._connection.json("GET", path_of("jobs", job_id, "metrics"))["series"]
        return {name: [(step, value) for step, value in points] for name, points in series.items()}

    def logs(self, job_id: str) -> str:
        """The job's log as text, a line an entry."""
        return self._connection.request("GET", path_of("jobs", job_id, "logs"), headers={"Accept": "text/plain"}).text

    def log_entries(self, job_id: str) -> Sequence[Json]:
        """The job's log as objects."""
        path, headers = path_of("jobs", job_id, "logs"), {"Accept": "application/x-ndjson"}
        return [json.loads(line) for line in self._connection.request("GET", path, headers=headers).text.splitlines()]

    def artifacts(self, job_id: str) -> Sequence[Json]:
        """The files the job left: name, SHA-256, size and media type of each."""
        return list(self._connection.items(path_of("jobs", job_id, "artifacts")))

    def download(self, job_id: str, name: str, target: str | Path) -> Path:
        """Save one of the job's files to `target`, checked against its SHA-256. Raises ChecksumMismatch."""
        listed = {item["name"]: item for item in self.artifacts(job_id)}
        return self._save(job_id, listed.get(name, {"name": name, "sha256": ""}), Path(target))

    def download_all(self, job_id: str, directory: str | Path) -> Sequence[Path]:
        """Save every file of the job under `directory`, made if need be, each checked. Raises ChecksumMismatch."""
        target = Path(directory)
        target.mkdir(parents=True, exist_ok=True)
        return [self._save(job_id, item, target / item["name"]) for item in self.artifacts(job_id)]

    def wait(self, job_id: str, timeout_seconds: float | None = None) -> Json:
        """Return the job once it has succeeded, failed or been cancelled. Raises WaitTimeout."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        delay = 0.05
        while (job := self.get(job_id))["state"] not in TERMINAL_STATES:
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"job {job_id} was still {job['state']} after {timeout_seconds} s")
            time.sleep(delay)
            delay = min(delay * 1.5, 1.0)
        return job

    def events(self, job_id: str, *, after: str | None = None, give_up_seconds: float = 60.0) -> Iterator[JobEvent]:
        """Every event of the job, from the first (or the one following id `after`) to its final state.

        A broken stream is taken up again where it broke, so no event is missing or doubled. Raises
        ApiError when the service refuses, or either error when it has been gone for `give_up_seconds`.
        """
        last_id, failures = after, 0
        unreachable_since: float | None = None
        while True:
            heard = False
            try:
                for event in self._stream(job_id, last_id):
                    unreachable_since = None
                    if event is None:
                        continue
                    heard, failures, last_id = True, 0, event.id or last_id
                    yield event
                    if event.is_final:
                        return
                if not heard and self.get(job_id)["state"] in TERMINAL_STATES:
                    return  # `after` was the id of the final event
            except (Unreachable, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in TRANSIENT_STATUSES:
                    raise
                unreachable_since = unreachable_since or time.monotonic()
                if time.monotonic() - unreachable_since > give_up_seconds:
                    raise
            time.sleep(backoff_seconds(failures))
            failures += 1

    def _save(self, job_id: str, item: Json, target: Path) -> Path:
        path = path_of("jobs", job_id, "artifacts", item["name"])
        with self._connection.stream(path, headers={"Accept": "*/*"}) as body:
            return save(body, target, item["sha256"])

    def _stream(self, job_id: str, last_id: str | None) -> Iterator[JobEvent | None]:
        """The events of one connection, after a None that says that it was made."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        parser = EventParser()
        timeout = httpx.Timeout(10, read=STREAM_SILENCE_SECONDS)
        with self._connection.stream(path_of("jobs", job_id, "events"), headers=headers, timeout=timeout) as body:
            yield None
            for chunk in body.iter_bytes():
                for event in parser.feed(chunk):
                    yield JobEvent.parse(event)
