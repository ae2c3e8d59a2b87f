"""The serving engine: networks in memory, and requests batched for them. It knows no transport and no database.

All methods are for the event loop that it was made on. Loading and runs of more than a millisecond are on threads.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from services.errors import Invalid, Unavailable
from services.serving import cuda, loading
from services.serving.batch import Answer, Done, Ticket, answer_of
from services.serving.batching import Batcher
from services.serving.memory import QueueMemory
from services.serving.metrics import ModelMetrics, ServingMetrics
from services.serving.model import ServedModel
from services.serving.network import Feeds, Network
from services.serving.runners import Runners
from services.serving.service_times import ServiceTimes

DEFAULT_PRIORITY = 5
LAST_PRIORITY = 9
"""Priorities go from 1, which comes first, to this."""
MAX_SHAPES = 256
"""Shapes of one network that have a queue; the ones used least recently are forgotten."""
FAILED_LOAD_SECONDS = 5.0
"""For so long a load that failed is not tried again: each would take a thread, and read the file anew."""
MAX_LOADS = 4
"""Models that are loaded at once, on threads of their own: what hangs there must not hold up the database."""

ModelKey = tuple[str, int, str, str, str]


class Loaded:
    """A network in memory and its queues, one a shape."""

    def __init__(self, network: Network, times: ServiceTimes, make_batcher: Callable[[ServiceTimes], Batcher]) -> None:
        self.network = network
        self._make_batcher = make_batcher
        self._batchers: OrderedDict[object, Batcher] = OrderedDict()
        self._only = make_batcher(times) if network.has_one_shape else None

    @property
    def is_idle(self) -> bool:
        """Whether no request waits or runs."""
        return not self.num_rows

    @property
    def num_rows(self) -> int:
        """Rows that wait, run or are on their way."""
        batchers = [self._only] if self._only is not None else list(self._batchers.values())
        return sum(batcher.num_rows for batcher in batchers)

    def batcher(self, feeds: Feeds | None = None) -> Batcher:
        """The queue for inputs of this shape; without inputs, of the one shape or one that stands for all."""
        if self._only is not None:
            return self._only
        shape = None if feeds is None else tuple(feeds[name].shape[1:] for name in self.network.input_names)
        batcher = self._batchers.get(shape)
        if batcher is None:
            batcher = self._batchers[shape] = self._make_batcher(loading.new_times(self.network))
            self._forget_shapes()
        self._batchers.move_to_end(shape)
        return batcher

    def _forget_shapes(self) -> None:
        for shape, batcher in list(self._batchers.items())[: -MAX_SHAPES or None]:
            if batcher.is_idle:
                del self._batchers[shape]


class Engine:
    """Networks by model, version, variant and graph."""

    def __init__(
        self,
        metrics: ServingMetrics,
        *,
        cores: int,
        device: cuda.Device,
        max_model_bytes: int,
        max_queue_bytes: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._metrics = metrics
        self._cores = cores
        self._device = device
        self._max_model_bytes = max_model_bytes
        self._memory = QueueMemory(max_queue_bytes)
        self._runners = Runners(cores, self._loop)
        self._loaded: OrderedDict[ModelKey, Loaded] = OrderedDict()
        self._loads: dict[ModelKey, asyncio.Task[Loaded]] = {}
        self._failures: dict[ModelKey, Unavailable] = {}
        self._loaders = ThreadPoolExecutor(MAX_LOADS, thread_name_prefix="loader")

    @property
    def num_rows(self) -> int:
        """Rows that wait, run or are on their way, of all models in memory."""
        return sum(loaded.num_rows for loaded in list(self._loaded.values()))

    @property
    def queued_bytes(self) -> int:
        """Memory of the inputs that wait or run."""
        return self._memory.used

    def find(self, model: ServedModel) -> Loaded | None:
        """The model, if it is in memory."""
        loaded = self._loaded.get(model.key)
        if loaded is not None:
            self._loaded.move_to_end(model.key)
        return loaded

    def is_loading(self, model: ServedModel) -> bool:
        """Whether the model is on its way into memory."""
        return model.key in self._loads

    async def load(self, model: ServedModel) -> Loaded:
        """The model, loaded and warmed up if need be; all who wait for one load share it. Raises `Unavailable`."""
        if (loaded := self.find(model)) is not None:
            return loaded
        if (failure := self._failures.get(model.key)) is not None:
            raise Unavailable(failure.code, failure.detail)
        load = self._loads.get(model.key)
        if load is None:
            load = self._loads[model.key] = self._loop.create_task(self._load(model))
            load.add_done_callback(lambda load: self._loaded_or_not(model.key, load))
        # A client that leaves must not end the load for the others.
        return await asyncio.shield(load)

    async def _load(self, model: ServedModel) -> Loaded:
        work = self._loop.run_in_executor(self._loaders, loading.load, model, self._cores, self._device)
        network, times = await work
        metrics = self.metrics_of(model)

        def make_batcher(times: ServiceTimes) -> Batcher:
            return Batcher(network, times, self._runners, metrics, self._memory, self._loop)

        return Loaded(network, times, make_batcher)

    def _loaded_or_not(self, key: ModelKey, load: "asyncio.Task[Loaded]") -> None:
        """Keep what was loaded, unless it was unloaded meanwhile; remember for a while what failed."""
        is_wanted = self._loads.get(key) is load
        if is_wanted:
            del self._loads[key]
        if load.cancelled() or not is_wanted:
            return
        if isinstance(failure := load.exception(), Unavailable):
            self._failures[key] = failure
            self._loop.call_later(FAILED_LOAD_SECONDS, self._failures.pop, key, None)
        elif failure is None:
            self._loaded[key] = load.result()
            self._make_room()

    def _make_room(self) -> None:
        """Let go of what was used least recently; the newest stays, even if it alone is over the limit."""
        num_bytes = sum(loaded.network.num_bytes for loaded in self._loaded.values())
        for key, loaded in list(self._loaded.items())[:-1]:
            if num_bytes <= self._max_model_bytes:
                return
            if loaded.is_idle:
                num_bytes -= loaded.network.num_bytes
                del self._loaded[key]

    def unload(self, name: str) -> None:
        """Let go of all versions of a model; what runs comes to its end, what is being loaded is not kept."""
        for models in (self._loaded, self._loads, self._failures):
            for key in [key for key in models if key[0] == name]:
                del models[key]

    def submit(
        self, loaded: Loaded, feeds: Feeds, rows: int, done: Done, deadline: float, priority: int = DEFAULT_PRIORITY
    ) -> Ticket:
        """Queue inputs of so many rows, to be batched with others of their shape.

        `done` is called on the event loop with an answer, or with `DeadlineExceeded` when the deadline, by the
        monotonic clock, has passed, or `Invalid` if the network cannot be run on these inputs.
        Raises `TooManyRequests` if the queue is too long, and `Invalid` for inputs without elements.
        """
        num_bytes = 0
        for name, array in feeds.items():
            if not array.nbytes:  # ONNX Runtime 1.32 ends the process when a GRU gets a sequence of no length
                raise Invalid("input_empty", f"The input {name!r} has no elements; each dimension is at least 1.")
            num_bytes += array.nbytes
            if array.dtype.hasobject:
                num_bytes += sum(map(len, array.flat))
        return loaded.batcher(feeds).submit(feeds, rows, num_bytes, deadline, priority, done)

    async def run(
        self, loaded: Loaded, feeds: Feeds, rows: int, *, deadline: float, priority: int = DEFAULT_PRIORITY
    ) -> Answer:
        """Run inputs, and wait for the answer. Raises what `submit` raises and `done` gets."""
        return await answer_of(lambda done: self.submit(loaded, feeds, rows, done, deadline, priority))

    def metrics_of(self, model: ServedModel) -> ModelMetrics:
        """What is counted of a model."""
        return self._metrics.of(model.name, model.version, model.variant, model.graph)

    def close(self) -> None:
        """End the threads, and what they are running."""
        self._loaders.shutdown(wait=False, cancel_futures=True)
        self._runners.close()


def deadline_after(seconds: float) -> float:
    """The deadline so many seconds from now, by the clock that deadlines go by."""
    return time.monotonic() + seconds
