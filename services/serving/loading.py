"""From a model's file to a network that is ready: loaded, measured and warm.

On a processor, how many threads one run should take is found by trying: many runs at once with a thread each, or
one after another with all threads, whichever answers more rows a second.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from services.errors import Unavailable
from services.serving import cuda
from services.serving.model import ServedModel
from services.serving.network import Network, Outputs
from services.serving.protocol.datatypes import DTYPES, TensorSpec
from services.serving.service_times import ServiceTimes
from services.serving.sessions import open_session, read_graph

WARM_UP_SECONDS = 1.0
"""About how long measuring may take; the first run of each size may take longer."""
FIRST_RUN_SECONDS = 30.0
REPEATS = 3
WIDE_SECONDS = 0.002
"""From this time of a single row on it is tried whether several threads are faster."""
MAX_ROWS = 64
MAX_BATCH_BYTES = 64 * 2**20
PROBED = (2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 32, 33)
"""Numbers of rows at which a batch's are held against the same rows alone."""


def load(model: ServedModel, cores: int, device: cuda.Device) -> tuple[Network, ServiceTimes]:
    """Load a model, choose its threads and warm it up. Takes seconds: not for the event loop.

    Raises `Unavailable` if the file is missing, altered, broken, or does not answer.
    """
    graph = read_graph(model.path, model.sha256)

    def open_network(threads: int) -> Network:
        session = open_session(graph, threads=threads, trusted=model.trusted, device=device)
        return cuda.network_class(session)(
            session,
            threads=threads,
            concurrency=max(1, cores // threads),
            batchable=model.signature.get("batchable", True),
            bounded=model.bounded,
            steady=model.steady,
            trusted=model.trusted,
            # A row's last bits depend on how many rows are run with it: see the decision about repeated samples.
            alone=model.repeats,
            num_bytes=2 * len(graph),  # the weights, and what ONNX Runtime makes of them
        )

    network = open_network(1)
    network.joins |= model.repeats and model.writes and rows_repeat(network)
    if not network.has_one_shape or not _answers(network, 1):
        return network, new_times(network)
    deadline = time.monotonic() + WARM_UP_SECONDS
    may_be_wide = device == "cpu" and cores > 1 and not model.repeats
    if may_be_wide and _fastest(network, 1, deadline) >= WIDE_SECONDS:
        wide = open_network(cores)
        if _answers(wide, 1) and _fastest(wide, 1, deadline) < _seconds_a_row_side_by_side(network, cores, deadline):
            network = wide
    return network, warm_up(network)


def rows_repeat(network: Network) -> bool:
    """Whether rows come to the same bits beside others as alone, as far as random ones show."""
    random = np.random.default_rng(0)

    def rows(spec: TensorSpec) -> np.ndarray:
        shape, dtype = (PROBED[-1], *spec.shape[1:]), DTYPES[spec.datatype]
        return random.standard_normal(shape).astype(dtype) if dtype.kind == "f" else random.integers(0, 2, shape, dtype)

    feeds = {spec.name: rows(spec) for spec in network.inputs}

    def run(first: int, end: int) -> Outputs:
        return network.run({name: array[first:end] for name, array in feeds.items()})

    alone = [np.concatenate(each) for each in zip(*(run(row, row + 1) for row in range(PROBED[-1])), strict=True)]
    return all(
        np.array_equal(together, expected[-count:])
        for count in PROBED
        for together, expected in zip(run(PROBED[-1] - count, PROBED[-1]), alone, strict=True)
    )


def new_times(network: Network) -> ServiceTimes:
    """An empty table, for batches that memory can hold."""
    if not network.batchable:
        return ServiceTimes(1)
    return ServiceTimes(max(1, min(MAX_ROWS, MAX_BATCH_BYTES // max(1, network.row_bytes))))


def warm_up(network: Network) -> ServiceTimes:
    """Measure ever larger batches, until they are slower by the row or time is up."""
    times = new_times(network)
    deadline = time.monotonic() + WARM_UP_SECONDS
    rows, slower = 1, 0
    while rows <= times.max_rows and slower < 2 and time.monotonic() < deadline:
        if rows > 1 and not _takes(network, rows):
            times.max_rows = rows // 2
            break
        per_row = times.seconds_per_row
        seconds = _fastest(network, rows, deadline)
        times.record(rows, seconds)
        slower = slower + 1 if per_row and seconds / rows > per_row else 0
        rows *= 2
    return times


def zeros(network: Network, rows: int) -> dict[str, np.ndarray]:
    """Inputs of so many rows that are all zero or empty; dimensions that vary are 1."""
    feeds = {}
    for spec in network.inputs:
        shape = [abs(size) for size in spec.shape]
        if spec.shape and spec.shape[0] == -1:
            shape[0] = rows
        dtype = DTYPES[spec.datatype]
        feeds[spec.name] = np.full(shape, "", dtype=object) if dtype == np.dtype(object) else np.zeros(shape, dtype)
    return feeds


def _takes(network: Network, rows: int) -> bool:
    """Whether so many rows can be run at once: they may need too much memory, or keep a loop from ending."""
    try:
        return _answers(network, rows)
    except Unavailable:
        return False


def _answers(network: Network, rows: int) -> bool:
    """The first run of a size, which takes the longest; whether the model takes zeros at all.

    Raises `Unavailable` if it does not end.
    """
    options = network.new_options()
    alarm = threading.Timer(FIRST_RUN_SECONDS, lambda: setattr(options, "terminate", True))
    alarm.start()
    try:
        network.run(zeros(network, rows), options)
    except Exception as error:
        if options.terminate:
            detail = f"The model did not answer within {FIRST_RUN_SECONDS:g} s."
            raise Unavailable("model_does_not_answer", detail) from error
        return False
    finally:
        alarm.cancel()
    return True


def _fastest(network: Network, rows: int, deadline: float) -> float:
    """The least of a few runs' times, in seconds; after the deadline none is begun but the first."""
    feeds = zeros(network, rows)
    fastest = float("inf")
    for _ in range(REPEATS):
        started_at = time.monotonic()
        network.run(feeds)
        fastest = min(fastest, time.monotonic() - started_at)
        if time.monotonic() > deadline:
            break
    return fastest


def _seconds_a_row_side_by_side(network: Network, runs: int, deadline: float) -> float:
    """The time a row takes when so many single rows run at once."""
    feeds = zeros(network, 1)

    def several(_: int) -> int:
        rows = 0
        while rows < REPEATS and (rows == 0 or time.monotonic() < deadline):
            network.run(feeds)
            rows += 1
        return rows

    with ThreadPoolExecutor(runs) as pool:
        started_at = time.monotonic()
        rows = sum(pool.map(several, range(runs)))
        return (time.monotonic() - started_at) / rows
