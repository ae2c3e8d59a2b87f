"""The doorbell: tells workers through the broker that a job is waiting on a queue.

No truth lives in the broker, not even which job it is: whoever hears a ring takes the jobs that have waited
longest, one after another, until none waits. So a ring too many claims nothing, a ring that gets lost is
made up for by the next one or by the sweeper, and a worker that was busy needs none.
"""

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

from services.settings import Settings

QUEUES = ("gpu", "cpu", "io")
TASK = "syllabus.run_waiting_jobs"
PATIENCE_SECONDS = 1.0

log = structlog.get_logger(__name__)


def make_celery(settings: Settings, *, answer_seconds: float = 30.0) -> Celery:
    """The Celery app, configured so that the broker decides nothing; it has `answer_seconds` to answer.

    JSON only (a pickle is refused), results ignored, early acknowledgement, no prefetch, no restart of
    tasks by the broker: all of that is the database's business.
    """
    app = Celery("syllabus", broker=settings.broker)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,
        task_create_missing_queues=True,
        worker_disable_prefetch=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_connect_timeout": PATIENCE_SECONDS,
            "socket_timeout": answer_seconds,
            "max_retries": 0,
        },
    )
    return app


class Doorbell:
    """Rings the broker's queues."""

    def __init__(self, settings: Settings) -> None:
        self._app = make_celery(settings, answer_seconds=PATIENCE_SECONDS)

    def ring(self, queue: str) -> None:
        """Say that a job waits on `queue`. A broker out of reach is logged: the sweeper will ring again."""
        try:
            self._app.send_task(TASK, queue=queue, retry=False)
        except (OperationalError, OSError) as error:
            log.warning("doorbell_unreachable", queue=queue, error=str(error))

    def depth(self, queue: str) -> int:
        """How many rings wait on `queue`. Raises `kombu.exceptions.OperationalError` or `OSError`."""
        with self._app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE_SECONDS)
            channel = connection.default_channel
            return int(channel.client.llen(queue))

    def ping(self) -> None:
        """Raise `kombu.exceptions.OperationalError` or `OSError` if the broker does not answer."""
        self.depth("cpu")

    def close(self) -> None:
        """Close the connections to the broker."""
        self._app.close()
