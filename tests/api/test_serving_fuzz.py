"""A hundred thousand predictions, good and bad, from many connections at once: nobody gets another's answer."""

import asyncio
import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import onnxruntime
import psutil
import pytest
from PIL import Image

from services.resources import Resources
from services.settings import Settings
from tests.api.conftest import MIB, Gateway, add_version, running_gateway
from tests.api.data_plane.wire import chunked, request
from tests.serving_models import (
    addition,
    image_classifier,
    image_signature,
    lookup,
    mirror,
    slow,
    tensors_signature,
)
from tests.stack import free_port, wait_until

NUM_REQUESTS = 100_000
NUM_CONNECTIONS = 48
MAX_GROWTH_BYTES = 150 * MIB
GRAPHS = {
    "mirror": mirror(),
    "lengths": mirror("L"),
    "sums": addition(),
    "table": lookup(),
    "slow": slow(turns=300),
    "shades": image_classifier(),
}
SESSIONS = {name: onnxruntime.InferenceSession(graph) for name, graph in GRAPHS.items()}
DATATYPES = {"float32": "FP32", "int64": "INT64", "uint8": "UINT8"}
INVALID = {400, 404, 415, 422}
TOO_LATE = {200, 429, 504}

Feeds = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    """A gateway with a model of every kind; `slow` runs on threads."""
    settings = Settings(home=tmp_path_factory.mktemp("fuzz"), port=free_port(), broker_url=broker_url)
    with running_gateway(settings) as running:
        resources = Resources.open(settings)
        for name, graph in GRAPHS.items():
            own = {} if name == "shades" else {"trusted": False, **dict.fromkeys(("bounded", "steady"), name != "slow")}
            signature = image_signature() if name == "shades" else tensors_signature()
            add_version(resources, name, graph, signature, **own)
        resources.close()
        yield running


@dataclass(frozen=True)
class Ask:
    """A request, the statuses that may answer it, and what is right if it is 200."""

    message: bytes
    statuses: set[int]
    check: Callable[[dict[str, str], bytes], None]


def expected(name: str, feeds: Feeds) -> dict[str, np.ndarray]:
    """What ONNX Runtime itself makes of these inputs."""
    session = SESSIONS[name]
    return dict(zip((each.name for each in session.get_outputs()), session.run(None, feeds), strict=True))


def close(given: Any, right: np.ndarray) -> None:
    np.testing.assert_allclose(np.array(given, right.dtype).reshape(right.shape), right, rtol=1e-5, atol=1e-5)


def by_rows(name: str, feeds: Feeds) -> tuple[str, bytes, str, tuple[str, ...], Any]:
    """`/v1` with JSON rows."""
    rows = list(zip(*(array.tolist() for array in feeds.values()), strict=True))
    inputs = [row[0] if len(feeds) == 1 else dict(zip(feeds, row, strict=True)) for row in rows]
    right = expected(name, feeds)

    def check(_: dict[str, str], body: bytes) -> None:
        predictions = json.loads(body)["predictions"]
        for output, array in right.items():
            close([each["outputs"][output] for each in predictions], array)

    return f"/v1/models/{name}/predict", json.dumps({"inputs": inputs}).encode(), "application/json", (), check


def by_protocol(name: str, feeds: Feeds, binary: bool) -> tuple[str, bytes, str, tuple[str, ...], Any]:
    """`/v2`, as JSON or with binary data both ways."""
    right, inputs = expected(name, feeds), []
    for key, array in feeds.items():
        given = {"name": key, "shape": list(array.shape), "datatype": DATATYPES[array.dtype.name]}
        data = {"parameters": {"binary_data_size": array.nbytes}} if binary else {"data": array.ravel().tolist()}
        inputs.append({**given, **data})
    request_id = f"{random.getrandbits(64):x}"
    text = json.dumps({"id": request_id, "inputs": inputs, "parameters": {"binary_data_output": binary}}).encode()

    def check(headers: dict[str, str], body: bytes) -> None:
        start = int(headers.get("inference-header-content-length", len(body)))
        answer = json.loads(body[:start])
        assert answer["id"] == request_id
        assert [each["name"] for each in answer["outputs"]] == list(right)
        for each in answer["outputs"]:
            array, size = right[each["name"]], each.get("parameters", {}).get("binary_data_size", 0)
            close(np.frombuffer(body[start : start + size], array.dtype) if binary else each["data"], array)
            start += size

    body = text + b"".join(array.tobytes() for array in feeds.values()) if binary else text
    headers = (f"Inference-Header-Content-Length: {len(text)}",) if binary else ()
    return f"/v2/models/{name}/infer", body, "application/json", headers, check


def by_image() -> tuple[str, bytes, str, tuple[str, ...], Any]:
    """`/v1` with a PNG."""
    pixels = np.random.default_rng().integers(0, 256, (2, 2), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    (right,) = expected("shades", {"image": pixels[None, None]})["probabilities"]

    def check(_: dict[str, str], body: bytes) -> None:
        (prediction,) = json.loads(body)["predictions"]
        close([each["probability"] for each in prediction["top_k"]], -np.sort(-right))
        assert prediction["index"] == right.argmax()

    return "/v1/models/shades/predict", buffer.getvalue(), "image/png", (), check


def some_feeds() -> tuple[str, Feeds]:
    """A model and random inputs for it."""
    rows = random.choice((1, 1, 1, 2, 3))
    generator = np.random.default_rng()
    name = random.choices(("mirror", "lengths", "sums", "table", "slow"), (4, 4, 3, 2, 2))[0]
    if name == "table":
        return name, {"x": generator.integers(0, 10, rows)}
    if name == "sums":
        return name, {key: generator.random((rows, 2), np.float32) for key in ("a", "b")}
    return name, {"x": generator.random((rows, random.choice((3, 5, 40)) if name == "lengths" else 4), np.float32)}


def spoilt(path: str, body: bytes, content_type: str) -> tuple[str, bytes, str, tuple[str, ...]]:
    """The request with something wrong in it."""
    match random.randrange(6):
        case 0:
            return path, body[: random.randrange(len(body))], content_type, ()
        case 1:
            return path.replace("/models/", "/models/no-"), body, content_type, ()
        case 2:
            return path, body, content_type, ("X-Timeout-Ms: never",)
        case 3:
            return path, b'{"inputs": [[[["a"]]]]}', "application/json", ()
        case 4:
            return (
                path,
                b'{"inputs": [{"name": "x", "shape": [1, 9], "datatype": "FP32", "data": []}]}',
                "text/plain",
                (),
            )
        case _:
            return path, random.randbytes(random.randrange(300)), random.choice(("image/png", content_type)), ()


def some_ask() -> Ask:
    """Any request, four of five of them good."""
    way = random.randrange(8)
    if way == 0:
        path, body, content_type, headers, check = by_image()
    else:
        name, feeds = some_feeds()
        made = by_rows(name, feeds) if way < 3 and name != "slow" else by_protocol(name, feeds, way % 2 == 0)
        path, body, content_type, headers, check = made
    frame = chunked if random.random() < 0.05 else request
    kind = random.random()
    if kind < 0.10:
        # A PNG that lacks no more than its end still has all its pixels.
        statuses = INVALID | {200} if content_type == "image/png" else INVALID
        path, body, content_type, headers = spoilt(path, body, content_type)
        return Ask(frame(path, body, *headers, content_type=content_type), statuses, check)
    if kind < 0.13:
        feeds = {"x": np.array([random.choice((10, -11, 2**40))])}
        wrong = f"[{feeds['x'][0]}]"
        body = b'{"inputs": %s}' % wrong.encode()
        return Ask(frame("/v1/models/table/predict", body), {422}, check)
    if kind < 0.18:
        headers = (*headers, f"X-Timeout-Ms: {random.choice((1, 2, 5))}", f"X-Priority: {random.randint(1, 9)}")
        return Ask(frame(path, body, *headers, content_type=content_type), TOO_LATE, check)
    return Ask(frame(path, body, *headers, content_type=content_type), {200}, check)


@dataclass
class Client:
    """One connection at a time; `counts` is shared by all."""

    port: int
    counts: Counter[str]

    async def run(self) -> None:
        """Ask until all have asked enough."""
        reader = writer = None
        while self.counts["asked"] < NUM_REQUESTS:
            self.counts["asked"] += 1
            if writer is None or reader is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            ask, leaves = some_ask(), random.random()
            if leaves < 0.02:  # in the middle of the request, or of the answer
                writer.write(ask.message[: random.randrange(len(ask.message))] if leaves < 0.01 else ask.message)
                await asyncio.sleep(random.choice((0, 0, 0.001)))
                writer.transport.abort()
                reader = writer = None
                self.counts["left"] += 1
                continue
            writer.write(ask.message)
            status, headers, body = await self._answer(reader)
            self.counts[str(status)] += 1
            assert status in ask.statuses, (status, body[:300], ask.message[:300])
            if status == 200:
                ask.check(headers, body)
            if headers.get("connection") == "close":
                writer.close()
                reader = writer = None
        if writer is not None:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
        return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


def metric(gateway: Gateway, name: str) -> float:
    """A gauge of the gateway."""
    lines = httpx.get(f"{gateway.url}/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@pytest.mark.slow
def test_a_hundred_thousand_predictions_from_many_connections(fuzzed: Gateway) -> None:
    process = psutil.Process(fuzzed.process.pid)
    counts: Counter[str] = Counter()
    sizes: list[int] = []

    async def measure() -> None:
        while True:
            await asyncio.sleep(0.2)
            if counts["asked"] > NUM_REQUESTS // 10:
                sizes.append(process.memory_info().rss)

    async def scenario() -> None:
        measuring = asyncio.create_task(measure())
        async with asyncio.TaskGroup() as group:
            for _ in range(NUM_CONNECTIONS):
                group.create_task(Client(fuzzed.settings.port, counts).run())
        measuring.cancel()
        with suppress(asyncio.CancelledError):
            await measuring

    started_at = time.monotonic()
    asyncio.run(scenario())
    print(f"{time.monotonic() - started_at:.0f} s, {dict(counts)}, RSS {sizes[0] // MIB} to {max(sizes) // MIB} MiB")
    assert fuzzed.process.poll() is None
    assert max(sizes) - sizes[0] < MAX_GROWTH_BYTES
    assert counts["200"] > 0.75 * NUM_REQUESTS
    assert min(counts[status] for status in ("left", "422", "504")) > 100
    wait_until(lambda: metric(fuzzed, "syllabus_queued_rows") == 0, "the end of all queues", seconds=20)
    assert metric(fuzzed, "syllabus_queued_bytes") == 0
    asyncio.run(Client(fuzzed.settings.port, Counter(asked=NUM_REQUESTS - 500)).run())
    assert "Traceback" not in fuzzed.log.read_text()
