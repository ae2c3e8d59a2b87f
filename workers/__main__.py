"""`python -m workers --queues gpu,cpu`: one worker process, a Celery consumer that supervises children."""

import argparse
import os
import queue
import socket
import threading
import warnings
from pathlib import Path
from typing import Any

import structlog
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, worker_ready, worker_shutting_down

from services import presence
from services.logs import configure
from services.queue import QUEUES, TASK, make_celery
from services.resources import Resources
from services.settings import Settings
from services.tables import Worker, new_id
from workers import forkserver
from workers.assignments import Slot
from workers.supervisor import Supervisor

ANNOUNCE_SECONDS = 10.0
LISTEN_SECONDS = 0.05
"""How soon a slot that has become free listens to the broker again; Celery's own loop takes up to a second."""
log = structlog.get_logger(__name__)


def gpus() -> list[str]:
    """The GPUs that CUDA will see, as it numbers them; found without torch, by the NVIDIA driver's device files."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [device for device in chosen.split(",") if device not in ("", "-1")]
    return [str(number) for number, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]


def slots(queues: list[str], concurrency: int, devices: list[str]) -> list[Slot]:
    """One slot a GPU where the worker serves GPU jobs and has one, else `concurrency` slots that share the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if "gpu" in queues and devices:
        return [Slot(threads=max(1, cores // len(devices)), device=device) for device in devices]
    return [Slot(threads=max(1, cores // concurrency)) for _ in range(concurrency)]


class WorkerProcess:
    """The parts of one worker: its supervisor, its free slots and its announcements."""

    def __init__(self, resources: Resources, queues: list[str], concurrency: int) -> None:
        self.resources = resources
        self.queues = queues
        self.devices = gpus() if "gpu" in queues else []
        self.slots = slots(queues, concurrency, self.devices)
        self.id = new_id()
        self.stopping = threading.Event()
        self._free: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        for slot in self.slots:
            self._free.put(slot)
        self._supervisor = Supervisor(resources, self.id, self.stopping)

    def run_waiting_jobs(self) -> None:
        """Run the jobs that wait, one after another, in a free slot."""
        slot = self._free.get()
        try:
            while not self.stopping.is_set() and self._supervisor.run_next(self.queues, slot):
                pass
        finally:
            self._free.put(slot)

    def announce_until_stopped(self) -> None:
        """Tell the database every 10 s that this worker is alive."""
        while not self.stopping.is_set():
            try:
                with self.resources.database.transaction() as session:
                    presence.announce(session, self._presence())
            except Exception as error:  # whatever it is, the next announcement may succeed
                log.warning("not_announced", error=str(error))
            self.stopping.wait(ANNOUNCE_SECONDS)

    def leave(self) -> None:
        """Take this worker off the list."""
        with self.resources.database.transaction() as session:
            presence.leave(session, self.id)

    def _presence(self) -> Worker:
        return Worker(
            id=self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=self.queues,
            devices=self.devices,
            slots=len(self.slots),
            busy=len(self.slots) - self._free.qsize(),
        )


def main() -> None:
    """Parse the command line and consume until stopped."""
    parser = argparse.ArgumentParser(prog="python -m workers", description="Run jobs of some queues.")
    parser.add_argument("--queues", default="gpu,cpu", help=f"comma-separated, of {', '.join(QUEUES)}")
    parser.add_argument("--concurrency", type=int, default=1, help="jobs at once on a CPU; they share its cores")
    arguments = parser.parse_args()
    queues = arguments.queues.split(",")
    if unknown := set(queues) - set(QUEUES):
        parser.error(f"--queues: unknown {', '.join(sorted(unknown))}; choose of {', '.join(QUEUES)}")
    if arguments.concurrency < 1:
        parser.error("--concurrency: must be at least 1")
    consume(Settings(), queues, arguments.concurrency)


def consume(settings: Settings, queues: list[str], concurrency: int) -> None:
    """Serve the queues until SIGTERM or SIGINT: then children save checkpoints and their jobs are given back."""
    configure(settings.log_level)
    setup_logging.connect(lambda **_: None, weak=False)  # Celery leaves logging alone when somebody listens here
    # Running as root is dangerous with pickle; only JSON is accepted here, and containers run as a user.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    forkserver.warm(queues)
    resources = Resources.open(settings)
    worker = WorkerProcess(resources, queues, concurrency)
    app = make_celery(settings)

    app.task(worker.run_waiting_jobs, name=TASK)

    @worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def listen_again_soon(sender: Any, **_: Any) -> None:
        sender.hub.call_repeatedly(LISTEN_SECONDS, lambda: None)

    @worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
    def stop(**_: Any) -> None:
        worker.stopping.set()

    threading.Thread(target=worker.announce_until_stopped, daemon=True).start()
    app.worker_main(
        [
            "--quiet",
            "worker",
            "--pool=threads",
            f"--concurrency={len(worker.slots)}",
            f"--queues={','.join(queues)}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
        ]
    )
    worker.leave()
    resources.close()


if __name__ == "__main__":
    main()
