"""What serving counts, per model and version, for Prometheus and for the protocol's statistics.

Several gateway processes share their counters through files when `PROMETHEUS_MULTIPROC_DIR` names a directory
(documentation of prometheus_client, "Multiprocess Mode").
"""

import time
from collections.abc import Sequence
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.histograms import Histogram
from services.registry import MAIN
from services.serving.batch import Run

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
MODEL = ("model", "version", "variant", "graph")
PHASES = ("input", "infer", "output")
# Names are a model's, so that they are as many as there are models; those that do not exist are never counted.
MAX_MODELS = 4096


class ServingMetrics:
    """Counters and histograms in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, help: str, *labels: str) -> Counter:
            return Counter(f"syllabus_model_{name}", help, [*MODEL, *labels], registry=registry)

        def histogram(name: str, help: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"syllabus_model_{name}", help, [*MODEL, *labels], buckets=buckets, registry=registry)

        self.request_seconds = histogram(
            "request_seconds", "Time from a request to its answer, by HTTP status.", SECONDS, "code"
        )
        self.queue_seconds = histogram("queue_seconds", "Time a request waited for its batch to begin.", SECONDS)
        self.service_seconds = histogram("service_seconds", "Time a batch took to run.", SECONDS)
        self.batch_rows = histogram("batch_rows", "Rows of a batch.", ROWS)
        self.batches = counter("batches", "Batches run, by their rows.", "rows")
        self.batch_seconds = counter("batch_seconds", "Time of batches, by their rows and phase.", "rows", "phase")
        self.shared_seconds = counter(
            "shared_seconds", "Time of batches, once for each of their requests but the first, by phase.", "phase"
        )
        self.shadow = counter("shadow", "Answers compared with the shadow version's.", "result")
        self.last_batch = Gauge(
            "syllabus_model_last_batch_seconds",
            "Time of the last batch, in seconds since 1970.",
            MODEL,
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self.of = lru_cache(MAX_MODELS)(self._of)

    def _of(self, model: str, version: int, variant: str, graph: str = MAIN) -> "ModelMetrics":
        return ModelMetrics(self, (model, str(version), variant, graph))


class ModelMetrics:
    """The same for one file of one version, with what is the same at every request looked up once."""

    def __init__(self, metrics: ServingMetrics, labels: tuple[str, str, str, str]) -> None:
        self._metrics = metrics
        self._labels = labels
        self._queue_seconds = metrics.queue_seconds.labels(*labels)
        self._service_seconds = metrics.service_seconds.labels(*labels)
        self._batch_rows = metrics.batch_rows.labels(*labels)
        self._last_batch = metrics.last_batch.labels(*labels)
        self._request_seconds = metrics.request_seconds.labels(*labels, "200")
        self._of_rows = lru_cache(2048)(self._batches_of)

    def _batches_of(self, rows: int) -> tuple[Counter, Counter, Counter, Counter]:
        labels = (*self._labels, str(rows))
        phases = (self._metrics.batch_seconds.labels(*labels, phase) for phase in PHASES)
        return (self._metrics.batches.labels(*labels), *phases)  # type: ignore[return-value]

    def batch(self, rows: int, run: Run, queue_seconds: Sequence[float]) -> None:
        """Count one batch and the time that each of its requests had waited."""
        self._queue_seconds.observe_all(queue_seconds)
        self._service_seconds.observe(run.run_seconds)
        self._batch_rows.observe(rows)
        # A request may have any number of rows, but there must not be any number of series.
        batches, assembling, running, splitting = self._of_rows(min(rows, ROWS[-1]))
        batches.inc()
        self._last_batch.set(time.time())
        assembling.inc(run.assemble_seconds)
        running.inc(run.run_seconds)
        splitting.inc(run.split_seconds)
        if (others := len(queue_seconds) - 1) > 0:
            times = (run.assemble_seconds, run.run_seconds, run.split_seconds)
            for phase, seconds in zip(PHASES, times, strict=True):
                self._metrics.shared_seconds.labels(*self._labels, phase).inc(others * seconds)

    def answered(self, status: int, seconds: Sequence[float]) -> None:
        """Count answers of one status, and the time that each took."""
        histogram = self._request_seconds
        if status != 200:
            histogram = self._metrics.request_seconds.labels(*self._labels, str(status))
        histogram.observe_all(seconds)

    def compared(self, result: str) -> None:
        """Count one comparison with the shadow version: `agrees`, `differs`, `failed` or `dropped`."""
        self._metrics.shadow.labels(*self._labels, result).inc()
