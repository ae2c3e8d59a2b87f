"""Predictions, whatever brought the inputs: decode, run the network, name the answers."""

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import structlog

from services.errors import Invalid, SyllabusError, UnsupportedMediaType
from services.resources import Resources
from services.serving import cuda, inputs
from services.serving.answers import Prediction, name_answers
from services.serving.batch import Answer, too_late
from services.serving.directory import Directory, Entry
from services.serving.engine import DEFAULT_PRIORITY, Engine, Loaded, deadline_after
from services.serving.inputs import ImageFiles
from services.serving.metrics import ServingMetrics
from services.serving.model import ServedModel
from services.serving.network import Feeds
from services.serving.protocol.requests import check_outputs, decode
from services.serving.protocol.responses import encode
from services.serving.shadow import Shadow

log = structlog.get_logger(__name__)

INLINE_PIXELS = 128 * 128
"""Images with no more pixels are decoded on the event loop: the way to a thread and back would take longer."""
INLINE_VALUES = 4096
"""Likewise for numbers in JSON."""
INLINE_BYTES = 16 * 1024
"""Likewise for texts and for what is compressed."""
Result = TypeVar("Result")


class Wish(NamedTuple):
    """What a request asks for beside its inputs: which file is to answer, and by when."""

    deadline: float
    """By the clock of `services.serving.engine.deadline_after`."""
    version: str = "latest"
    variant: str | None = None
    priority: int = DEFAULT_PRIORITY


class Decoding(NamedTuple):
    """Inputs that are still to be decoded: how many rows they make, whether that is quick, and how it is done."""

    rows: int
    is_quick: bool
    feeds: Callable[[], Feeds]


class Predictions(NamedTuple):
    """One prediction an input, in their order, who made them, and what the steps took."""

    model: ServedModel
    items: list[Prediction]
    queue_seconds: float
    decode_seconds: float
    infer_seconds: float


class Inference(NamedTuple):
    """What answers a request of the protocol: a body, the length of the JSON if binary data follow, and whose it is."""

    model: ServedModel
    body: bytes
    header_length: int | None
    queue_seconds: float
    infer_seconds: float


class Predictor:
    """Predictions of every registered model, from one engine."""

    @classmethod
    def open(cls, resources: Resources, metrics: ServingMetrics) -> "Predictor":
        """For the running event loop. Each of several gateway processes takes its share of the processors."""
        settings = resources.settings
        cores = max(1, len(os.sched_getaffinity(0)) // settings.gateway_workers)
        engine = Engine(
            metrics,
            cores=cores,
            device=cuda.choose(settings.serve_device),
            max_model_bytes=settings.max_model_bytes,
            max_queue_bytes=settings.max_queue_bytes,
        )
        directory = Directory(resources.database, resources.artifacts)
        return cls(engine, directory, max_pixels=settings.max_pixels, cores=cores)

    def __init__(self, engine: Engine, directory: Directory, *, max_pixels: int, cores: int) -> None:
        self.engine = engine
        self.directory = directory
        self.shadow = Shadow(engine)
        self._max_pixels = max_pixels
        self._decoders = ThreadPoolExecutor(cores, thread_name_prefix="decoder")

    async def predict_files(self, name: str, wish: Wish, files: Sequence[bytes], top_k: int) -> Predictions:
        """Predict image files.

        Raises `NotFound`, `UnsupportedMediaType` if the model takes no images, `Invalid`, `TooLarge`,
        `TooManyRequests`, `DeadlineExceeded` and `Unavailable`.
        """
        entry, model, loaded = await self.find(name, wish)
        if model.signature["modality"] != "image":
            msg = f'Model {model.name!r} takes rows, not images; send JSON as {{"inputs": [...]}}.'
            raise UnsupportedMediaType("model_takes_rows", msg)
        decoding = await self._of_files(model, files)
        return await self._predict(entry, model, loaded, wish, decoding, top_k)

    async def predict_values(self, name: str, wish: Wish, values: Sequence[Any], top_k: int) -> Predictions:
        """Predict values out of JSON: rows of a table, base64 or pixel lists of images, tensors. Raises as above."""
        entry, model, loaded = await self.find(name, wish)
        decoding = await self._of_values(model, loaded, values)
        return await self._predict(entry, model, loaded, wish, decoding, top_k)

    async def infer(self, name: str, wish: Wish, body: bytes, header_length: int | None) -> Inference:
        """Answer a request of the Open Inference Protocol (see `protocol.requests.decode`). Raises as above."""
        entry, model, loaded = await self.find(name, wish)
        text_bytes = len(body) if header_length is None else header_length
        if text_bytes <= INLINE_BYTES:
            request = decode(body, header_length, loaded.network.inputs)
        else:
            request = await self.aside(text_bytes, decode, body, header_length, loaded.network.inputs)
        check_outputs(request, loaded.network.outputs)
        if (variant := request.parameters.get("variant")) is not None:
            entry, model, loaded = await self.find(
                name, wish._replace(version=str(model.version), variant=str(variant))
            )
        if request.timeout_seconds is not None:
            wish = wish._replace(deadline=min(wish.deadline, deadline_after(request.timeout_seconds)))
        if request.priority:
            wish = wish._replace(priority=request.priority)
        rows = _common_rows(request.inputs) if loaded.network.batchable else 1
        answer = await self._run(entry, model, loaded, wish, request.inputs, rows)
        outputs = dict(zip(loaded.network.output_names, answer.outputs, strict=True))
        num_bytes = sum([output.nbytes for output in answer.outputs])
        if num_bytes <= INLINE_BYTES:
            content, length = encode(request, model.name, str(model.version), outputs)
        else:
            content, length = await self.aside(num_bytes, encode, request, model.name, str(model.version), outputs)
        return Inference(model, content, length, answer.queue_seconds, answer.infer_seconds)

    async def find(self, name: str, wish: Wish) -> tuple[Entry, ServedModel, Loaded]:
        """The model, the file of it that answers a wish, and that file in memory.

        Raises `NotFound`, `Unavailable`, and `DeadlineExceeded` if loading takes longer; it goes on all the same.
        """
        entry = self.directory.fresh(name) or await self.directory.get(name)
        model = entry.resolve(wish.version, wish.variant)
        loaded = self.engine.find(model)
        if loaded is None:
            loaded = await _in_time(wish.deadline, self.engine.load(model))
        return entry, model, loaded

    async def aside(self, num_bytes: int, work: Callable[..., Result], *arguments: Any) -> Result:
        """Do what takes time by the byte: here if there are few, else on a thread."""
        if num_bytes <= INLINE_BYTES:
            return work(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._decoders, work, *arguments)

    async def preload(self, names: str) -> None:
        """Load models by name, with commas between them, or all by `*`; one that does not load is logged."""
        try:
            chosen = await self.directory.names() if names.strip() == "*" else names.split(",")
        except SyllabusError as error:
            log.warning("not_preloaded", model=names, error=error.detail)
            return
        for name in filter(None, map(str.strip, chosen)):
            try:
                await self.find(name, Wish(math.inf))
            except SyllabusError as error:
                log.warning("not_preloaded", model=name, error=error.detail)

    def known(self, name: str, version: str, variant: str | None) -> ServedModel | None:
        """The file that a target names, as far as that is known without asking the database."""
        entry = self.directory.fresh(name)
        try:
            return None if entry is None else entry.resolve(version, variant)
        except SyllabusError:
            return None

    def close(self) -> None:
        """End the threads."""
        self._decoders.shutdown(cancel_futures=True)
        self.engine.close()

    async def _of_files(self, model: ServedModel, files: Sequence[bytes]) -> Decoding:
        given = model.signature["input"]
        # A header takes little time, unless there are many, or compressed texts in it.
        opened = await self.aside(sum(map(len, files)), ImageFiles, files, self._max_pixels)
        is_quick = opened.num_pixels <= INLINE_PIXELS
        return Decoding(len(files), is_quick, lambda: {given["name"]: opened.decode(given["shape"])})

    async def _of_values(self, model: ServedModel, loaded: Loaded, values: Sequence[Any]) -> Decoding:
        modality, rows = model.signature["modality"], len(values)
        if modality == "tensors":
            return Decoding(rows, False, lambda: inputs.decode_tensors(values, loaded.network))
        given = model.signature["input"]
        is_quick = rows * math.prod(given["shape"]) <= INLINE_VALUES
        if modality != "image":
            return Decoding(rows, is_quick, lambda: {given["name"]: inputs.decode_rows(values, given["columns"])})
        if all(isinstance(value, str) for value in values):
            return await self._of_files(model, inputs.decode_base64(values))
        return Decoding(rows, is_quick, lambda: {given["name"]: inputs.decode_pixels(values, given["shape"])})

    async def _predict(
        self, entry: Entry, model: ServedModel, loaded: Loaded, wish: Wish, decoding: Decoding, top_k: int
    ) -> Predictions:
        started_at = time.monotonic()
        if decoding.is_quick:
            feeds = decoding.feeds()
        else:
            feeds = await self._decode_on_a_thread(loaded, wish, decoding)
        decode_seconds = time.monotonic() - started_at
        answer = await self._run(entry, model, loaded, wish, feeds, decoding.rows)
        items = name_answers(model.signature, loaded.network.output_names, answer.outputs, top_k)
        return Predictions(model, items, answer.queue_seconds, decode_seconds, answer.infer_seconds)

    async def _decode_on_a_thread(self, loaded: Loaded, wish: Wish, decoding: Decoding) -> Feeds:
        """What would be refused when decoded is refused before, and counts as waiting while it is decoded."""
        batcher = loaded.batcher()
        batcher.admit(decoding.rows, wish.deadline)
        batcher.rows_expected += decoding.rows
        try:
            work = asyncio.get_running_loop().run_in_executor(self._decoders, decoding.feeds)
            return await _in_time(wish.deadline, work)
        finally:
            batcher.rows_expected -= decoding.rows

    async def _run(
        self, entry: Entry, model: ServedModel, loaded: Loaded, wish: Wish, feeds: Feeds, rows: int
    ) -> Answer:
        answer = await self.engine.run(loaded, feeds, rows, deadline=wish.deadline, priority=wish.priority)
        if entry.traffic is not None and (shadow := entry.shadow_of(model)) is not None:
            self.shadow.compare(model, shadow, feeds, rows, answer.outputs)
        return answer


async def _in_time(deadline: float, work: Awaitable[Result]) -> Result:
    """Wait for what may take long, until a deadline of the monotonic clock. Raises `DeadlineExceeded`."""
    try:
        async with asyncio.timeout(None if math.isinf(deadline) else max(0.0, deadline - time.monotonic())):
            return await work
    except TimeoutError:
        raise too_late() from None


def _common_rows(feeds: Feeds) -> int:
    """The rows of the inputs of one request. Raises `Invalid` if they have not all as many."""
    if len(feeds) == 1:
        return len(next(iter(feeds.values())))
    rows = {name: len(array) for name, array in feeds.items()}
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{name!r} has {count}" for name, count in rows.items())
        raise Invalid("rows_differ", f"All inputs need as many rows (the first dimension); {counts}.")
    return next(iter(rows.values()))
