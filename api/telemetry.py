"""Prometheus metrics of the gateway, and of the service as the database knows it at the moment of a scrape."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import structlog
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from services import jobs, presence
from services.histograms import Histogram
from services.resources import Resources
from services.serving.engine import Engine
from services.serving.metrics import ServingMetrics

KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)

# Routes, methods and statuses are few; this only bounds what is remembered of them.
MAX_SERIES = 4096

log = structlog.get_logger(__name__)


class DatabaseCollector(Collector):
    """Jobs by state and workers alive, read when scraped; absent while the database does not answer."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources

    def collect(self) -> Iterator[Metric]:
        """The two gauges."""
        try:
            with self.resources.database.snapshot() as session:
                counts = jobs.count_by_state(session)
                num_workers = len(presence.workers(session))
        except Exception:
            log.exception("metrics_without_database")
            return
        by_state = GaugeMetricFamily("syllabus_jobs", "Jobs by state.", labels=["state"])
        for state, count in sorted(counts.items()):
            by_state.add_metric([state], count)
        yield by_state
        yield GaugeMetricFamily("syllabus_workers", "Workers seen in the last 30 seconds.", value=num_workers)


class EngineCollector(Collector):
    """What the serving engine of this process has to do at the moment of a scrape."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def collect(self) -> Iterator[Metric]:
        """The two gauges."""
        rows, num_bytes = self.engine.num_rows, self.engine.queued_bytes
        yield GaugeMetricFamily("syllabus_queued_rows", "Rows that wait or run in this process.", value=rows)
        yield GaugeMetricFamily("syllabus_queued_bytes", "Memory of their inputs.", value=num_bytes)


class Telemetry:
    """Counters of one gateway; with several processes, of all of them, through files that they share."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._exposed = self.registry
        self._shared: MultiProcessCollector | None = None
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            self._exposed = CollectorRegistry()
            self._shared = MultiProcessCollector(self._exposed)  # type: ignore[no-untyped-call]
        ProcessCollector(registry=self._exposed)
        GCCollector(registry=self._exposed)
        labels = ["route", "method", "status"]
        self._requests = Counter("syllabus_http_requests_total", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "syllabus_http_request_duration_seconds",
            "Time to the end of the answer.",
            ["route", "method"],
            buckets=BUCKETS_SECONDS,
            registry=self.registry,
        )
        self._of = lru_cache(MAX_SERIES)(self._labelled)
        self.serving = ServingMetrics(self.registry)

    def observe(self, route: str, method: str, status: int, seconds: Sequence[float]) -> None:
        """Count requests, and the time that each took. `status` is 0 if the client left before an answer."""
        requests, duration = self._of(route, method if method in KNOWN_METHODS else "other", status)
        requests.inc(len(seconds))
        duration.observe_all(seconds)

    def _labelled(self, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
        return self._requests.labels(route, method, str(status)), self._seconds.labels(route, method)

    def watch(self, resources: Resources, engine: Engine) -> None:
        """Add what the database knows, and what waits in this process."""
        self._exposed.register(DatabaseCollector(resources))
        self._exposed.register(EngineCollector(engine))

    def collect(self, names: Iterable[str]) -> Iterable[Metric]:
        """The metrics that have samples of these names, of all processes; with several, other metrics too."""
        if self._shared is not None:
            metrics: Iterable[Metric] = self._shared.collect()  # type: ignore[no-untyped-call]
            return metrics
        return self.registry.restricted_registry(names).collect()

    def render(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._exposed)
