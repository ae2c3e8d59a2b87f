"""Networks, queues and engines for tests, over files as the artifact store has them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry

from services.errors import SyllabusError
from services.serving.batch import Answer, Result, Ticket
from services.serving.batching import Batcher
from services.serving.engine import DEFAULT_PRIORITY, Engine, deadline_after
from services.serving.memory import QueueMemory
from services.serving.metrics import ServingMetrics
from services.serving.model import ServedModel
from services.serving.network import Network
from services.serving.runners import Runners
from services.serving.service_times import ServiceTimes
from services.serving.sessions import open_session
from tests.serving_models import tensors_signature
from tests.stack import wait_until

Tensors = Mapping[str, np.ndarray]


def served(
    directory: Path,
    onnx: bytes,
    signature: dict[str, Any] | None = None,
    *,
    name: str = "m",
    version: int = 1,
    trusted: bool = True,
    bounded: bool = True,
) -> ServedModel:
    """A model whose file lies in `directory` under its digest."""
    sha256 = hashlib.sha256(onnx).hexdigest()
    path = directory / sha256
    path.write_bytes(onnx)
    return ServedModel(name, version, "", sha256, path, signature or tensors_signature(), trusted, bounded)


def network_of(
    onnx: bytes,
    *,
    threads: int = 1,
    batchable: bool = True,
    bounded: bool = True,
    steady: bool = True,
    trusted: bool = True,
    alone: bool = False,
) -> Network:
    """A graph that is ready to run."""
    return Network(
        open_session(onnx, threads=threads, trusted=trusted),
        threads=threads,
        concurrency=max(1, 2 // threads),
        batchable=batchable,
        bounded=bounded,
        steady=steady,
        num_bytes=len(onnx),
        trusted=trusted,
        alone=alone,
    )


def floats(*shape: int, seed: int = 0) -> np.ndarray:
    """Random float32 numbers from 0 to 1."""
    return np.random.default_rng(seed).random(shape, np.float32)


def learned(seconds: float = 1e-4, max_rows: int = 64) -> ServiceTimes:
    """A table by which a batch of any size takes so long."""
    times = ServiceTimes(max_rows)
    rows = 1
    while rows <= max_rows:
        times.record(rows, seconds)
        rows *= 2
    return times


async def settled(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds; fail saying `what` did not happen."""
    await asyncio.to_thread(wait_until, condition, what, 30)


def count(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """The sum of the samples of this name that have these labels."""
    samples = [sample for metric in registry.collect() for sample in metric.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def batches(registry: CollectorRegistry, model: str = "m") -> dict[int, int]:
    """How many batches of a model were run, by their rows."""
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    return {
        int(sample.labels["rows"]): int(sample.value)
        for sample in samples
        if sample.name == "syllabus_model_batches_total" and sample.labels["model"] == model and sample.value
    }


class Asked(asyncio.Future[Answer]):
    """One request to a queue: a future that is cancelled when its client leaves."""

    ticket: Ticket

    def cancel(self, msg: Any | None = None) -> bool:
        """Leave the queue."""
        self.ticket.leave()
        return super().cancel(msg)

    def settle(self, result: Result) -> None:
        """Take what the request came to."""
        if isinstance(result, SyllabusError):
            self.set_exception(result)
        else:
            self.set_result(result)


def ask(batcher: Batcher, feeds: Tensors, deadline: float, priority: int = DEFAULT_PRIORITY) -> Asked:
    """Queue one request."""
    asked = Asked()
    rows, num_bytes = len(next(iter(feeds.values()))), sum(array.nbytes for array in feeds.values())
    asked.ticket = batcher.submit(feeds, rows, num_bytes, deadline, priority, asked.settle)
    return asked


@dataclass
class Bench:
    """Queues over the same runners, and what they counted."""

    registry: CollectorRegistry
    runners: Runners
    metrics: ServingMetrics

    def batcher(self, network: Network, times: ServiceTimes | None = None, name: str = "m") -> Batcher:
        """A queue of its own for a network."""
        loop = asyncio.get_running_loop()
        metrics = self.metrics.of(name, 1, "")
        return Batcher(network, times or learned(), self.runners, metrics, QueueMemory(2**28), loop)


@asynccontextmanager
async def bench(slots: int = 2) -> AsyncIterator[Bench]:
    """Runners with so many processors."""
    registry = CollectorRegistry()
    runners = Runners(slots, asyncio.get_running_loop())
    try:
        yield Bench(registry, runners, ServingMetrics(registry))
    finally:
        await asyncio.to_thread(runners.close)


@asynccontextmanager
async def engine(
    registry: CollectorRegistry | None = None, *, cores: int = 2, model_bytes: int = 2**30, queue_bytes: int = 2**28
) -> AsyncIterator[Engine]:
    """An engine on the processor."""
    metrics = ServingMetrics(registry or CollectorRegistry())
    opened = Engine(metrics, cores=cores, device="cpu", max_model_bytes=model_bytes, max_queue_bytes=queue_bytes)
    try:
        yield opened
    finally:
        await asyncio.to_thread(opened.close)


async def answered(opened: Engine, model: ServedModel, feeds: Tensors, seconds: float = 20) -> Answer:
    """What an engine makes of these inputs, however the model has to be loaded."""
    loaded = await opened.load(model)
    rows = len(next(iter(feeds.values())))
    return await opened.run(loaded, feeds, rows, deadline=deadline_after(seconds))


def later(seconds: float = 20) -> float:
    """A deadline that leaves enough time."""
    return deadline_after(seconds)
