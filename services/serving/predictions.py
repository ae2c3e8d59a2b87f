"""Predictions, whatever brought the inputs: decode, run the network, name the answers."""

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import structlog

from services.errors import Conflict, Invalid, SyllabusError
from services.registry import LATEST
from services.resources import Resources
from services.serving import cuda
from services.serving.answers import AS_USUAL, Naming
from services.serving.batch import Answer, Done, Ticket, answer_of, too_late
from services.serving.calls import Call, Found, InferCall, Inference, PredictCall, Predictions
from services.serving.directory import INFER, Directory
from services.serving.engine import DEFAULT_PRIORITY, Engine, Loaded, deadline_after
from services.serving.given import Decoding, Given
from services.serving.metrics import ServingMetrics
from services.serving.model import DECODER, ENCODER, GRAPHS, ServedModel, ranges
from services.serving.network import Feeds
from services.serving.protocol.requests import InferRequest, check_outputs, check_ranges, decode
from services.serving.shadow import Shadow
from services.serving.side_threads import SideThreads
from services.serving.writing import Parts, Search, Writer, limits

log = structlog.get_logger(__name__)

INLINE_BYTES = 16 * 1024
"""What is no longer is taken in hand on the event loop: the way to a thread and back would take longer."""
Result = TypeVar("Result")


class Wish(NamedTuple):
    """What a request asks for beside its inputs: which file is to answer, and by when."""

    deadline: float
    """By the clock of `services.serving.engine.deadline_after`."""
    version: str = "latest"
    variant: str | None = None
    priority: int = DEFAULT_PRIORITY
    call: str = INFER
    """What is asked: see `Entry.resolve`."""


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
        self.side = SideThreads(cores)

    def ready(self, name: str, wish: Wish) -> Found | None:
        """What answers a wish, if nothing has to be read or loaded for it.

        Raises `NotFound`, `Unavailable`, and `Conflict` for a version that cannot do what is asked.
        """
        entry = self.directory.fresh(name)
        if entry is None:
            return None
        model = entry.resolve(wish.version, wish.variant, wish.call)
        loaded = self.engine.find(model)
        return None if loaded is None else Found(entry, model, loaded)

    async def find(self, name: str, wish: Wish) -> Found:
        """The same, read and loaded if need be.

        Raises the same, and `DeadlineExceeded` if loading takes longer; it goes on all the same.
        """
        if (found := self.ready(name, wish)) is not None:
            return found
        entry = await self.directory.get(name)
        model = entry.resolve(wish.version, wish.variant, wish.call)
        return Found(entry, model, await _in_time(wish.deadline, self.engine.load(model)))

    def begin_predict(self, name: str, wish: Wish, given: Given, naming: Naming) -> PredictCall | None:
        """The call of a prediction for which nothing has to be waited for but its run; None for any other.

        Raises `NotFound`, `UnsupportedMediaType` if the model does not take what is given, `Invalid`, `TooLarge`,
        `Conflict` and `Unavailable`.
        """
        if (begun := self.begin_decode(name, wish, given)) is None:
            return None
        found, decoding = begun
        started_at = time.monotonic()
        feeds = decoding.feeds()
        return _predict_call(found, feeds, decoding, wish, naming, time.monotonic() - started_at)

    async def predict(
        self, name: str, wish: Wish, given: Given, naming: Naming = AS_USUAL, searched: Search | None = None
    ) -> Predictions:
        """Predict; with `searched` texts, by a search. Raises as `begin_predict`, and `TooManyRequests` and
        `DeadlineExceeded`."""
        found = await self.find(name, wish)
        writer = None if searched is None else await self._writer(found, wish, searched)
        decoding = await self.opened(found, given)
        feeds, seconds = await self.decode(found, wish, given, decoding)
        if writer is not None:
            return await writer.predict(feeds, decoding.cut, seconds)
        call = _predict_call(found, feeds, decoding, wish, naming, seconds)
        answer = await answer_of(partial(self.submit, call))
        return await self.aside(call.effort(answer), call.answer, answer)

    async def _writer(self, found: Found, wish: Wish, searched: Search) -> Writer:
        """What writes by a version's parts. Raises `Conflict` and `Invalid` for what it cannot, and as `find`."""
        width, max_length = limits(found.model, searched)
        models = [found.entry.part(found.model, graph) for graph in (ENCODER, DECODER)]
        parts = [await _in_time(wish.deadline, self.engine.load(model)) for model in models]
        return Writer(self.engine, found.model, Parts(*parts), wish.deadline, wish.priority, width, max_length)

    def begin_decode(self, name: str, wish: Wish, given: Given) -> tuple[Found, Decoding] | None:
        """What answers a wish, and its inputs opened, if they are decoded quickly; None for any other.

        Raises as `begin_predict`.
        """
        if given.num_bytes > INLINE_BYTES or (found := self.ready(name, wish)) is None:
            return None
        decoding = given.open(found.model, found.loaded.network, self._max_pixels)
        return (found, decoding) if decoding.is_quick else None

    async def opened(self, found: Found, given: Given) -> Decoding:
        """Inputs as the model that was found takes them. Raises `UnsupportedMediaType`, `Invalid` and `TooLarge`."""
        return await self.aside(given.num_bytes, given.open, found.model, found.loaded.network, self._max_pixels)

    async def decode(self, found: Found, wish: Wish, given: Given, decoding: Decoding) -> tuple[Feeds, float]:
        """Inputs decoded, and the time that it took. Raises `Invalid`, `TooManyRequests` and `DeadlineExceeded`."""
        started_at = time.monotonic()
        if decoding.is_quick:
            feeds = decoding.feeds()
        else:
            feeds = await self._decode_on_a_thread(found.loaded, wish, decoding, given.num_bytes)
        return feeds, time.monotonic() - started_at

    def begin_infer(self, name: str, wish: Wish, body: bytes, header_length: int | None) -> InferCall | None:
        """As `begin_predict`, for a request of the Open Inference Protocol (see `protocol.requests.decode`)."""
        text_bytes = len(body) if header_length is None else header_length
        if text_bytes > INLINE_BYTES or (found := self.ready(name, wish)) is None:
            return None
        request = decode(body, header_length, found.loaded.network.inputs)
        return None if "variant" in request.header.parameters else _infer_call(found, request, wish)

    async def infer(self, name: str, wish: Wish, body: bytes, header_length: int | None) -> Inference:
        """Answer a request of the Open Inference Protocol. Raises as `predict`."""
        found = await self.find(name, wish)
        text_bytes = len(body) if header_length is None else header_length
        request = await self.aside(text_bytes, decode, body, header_length, found.loaded.network.inputs)
        if (variant := request.header.parameters.get("variant")) is not None:
            found = await self.find(name, wish._replace(version=str(found.model.version), variant=str(variant)))
        call = _infer_call(found, request, wish)
        answer = await answer_of(partial(self.submit, call))
        return await self.aside(call.effort(answer), call.answer, answer)

    def submit(self, call: Call, done: Done) -> Ticket:
        """Queue a call (see `Engine.submit`); what is answered is compared with the shadow version, if there is one."""
        entry, model, loaded = call.found
        if entry.traffic is not None and (shadow := entry.shadow_of(model)) is not None:
            done = self.shadow.beside(call, shadow, done)
        return self.engine.submit(loaded, call.feeds, call.rows, done, call.deadline, call.priority)

    def is_quick(self, call: Call, answer: Answer) -> bool:
        """Whether an answer is put in words here and now, and not on a thread (see `aside`)."""
        return call.effort(answer) <= INLINE_BYTES

    async def aside(self, num_bytes: int, work: Callable[..., Result], *arguments: Any) -> Result:
        """Do what takes time by the byte: here if there are few, else on a thread."""
        if num_bytes <= INLINE_BYTES:
            return work(*arguments)
        return await self.side.run(num_bytes, work, *arguments)

    def admit(self, num_bytes: int, deadline: float) -> None:
        """Raise `TooManyRequests` if a body of so many bytes would be read, and answered, too late (see `aside`)."""
        if num_bytes > INLINE_BYTES:
            self.side.admit(num_bytes, deadline)

    async def preload(self, names: str) -> None:
        """Load models by name, with commas between them, or all by `*`; one that does not load is logged."""
        try:
            chosen = await self.directory.names() if names.strip() == "*" else names.split(",")
        except SyllabusError as error:
            log.warning("not_preloaded", model=names, error=error.detail)
            return
        for name in filter(None, map(str.strip, chosen)):
            try:
                await self.warm(name)
            except SyllabusError as error:
                log.warning("not_preloaded", model=name, error=error.detail)

    async def warm(self, name: str, version: str = LATEST) -> None:
        """Have all graphs of a version in memory. Raises as `find`."""
        found = await self.find(name, Wish(math.inf, version))
        calls = (found.model.generative or {}).get("calls", ())
        for call in {GRAPHS[call]: call for call in calls if call in GRAPHS}.values():
            await self.find(name, Wish(math.inf, str(found.model.version), call=call))

    def known(self, name: str, version: str, variant: str | None, call: str = INFER) -> ServedModel | None:
        """The file that a target names, as far as that is known without asking the database."""
        entry = self.directory.fresh(name)
        try:
            return None if entry is None else entry.resolve(version, variant, call)
        except SyllabusError:
            return None

    def close(self) -> None:
        """End the threads."""
        self.side.close()
        self.engine.close()

    async def _decode_on_a_thread(self, loaded: Loaded, wish: Wish, decoding: Decoding, num_bytes: int) -> Feeds:
        """What would be refused when decoded is refused before, and counts as waiting while it is decoded."""
        batcher = loaded.batcher()
        batcher.admit(decoding.rows, wish.deadline)
        batcher.rows_expected += decoding.rows
        try:
            return await _in_time(wish.deadline, self.side.run(num_bytes, decoding.feeds))
        finally:
            batcher.rows_expected -= decoding.rows


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


def _predict_call(
    found: Found, feeds: Feeds, decoding: Decoding, wish: Wish, naming: Naming, decode_seconds: float
) -> PredictCall:
    if naming.calibrated and found.model.temperature is None:
        detail = (
            f"Version {found.model.version} of model {found.model.name!r} has no temperature, which is fitted to the "
            "validation rows of a classification if some are answered wrong. Ask without `calibrated`."
        )
        raise Conflict("not_calibrated", detail)
    about, cut = decoding.about, decoding.cut
    return PredictCall(found, feeds, decoding.rows, wish.deadline, wish.priority, naming, about, cut, decode_seconds)


def _infer_call(found: Found, request: InferRequest, wish: Wish) -> InferCall:
    """What the request itself says of its deadline and priority is held against the headers' wish."""
    network, header = found.loaded.network, request.header
    check_outputs(header, network.outputs)
    check_ranges(request.inputs, ranges(found.model))
    deadline = wish.deadline
    if header.timeout_seconds is not None:
        deadline = min(deadline, deadline_after(header.timeout_seconds))
    rows = _common_rows(request.inputs) if network.batchable else 1
    return InferCall(found, request.inputs, rows, deadline, header.priority or wish.priority, header)
