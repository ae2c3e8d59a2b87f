"""`POST /v1/models/{model}/generate` and its like: what only versions that code or generate are asked for.

Samples come as the client's `Accept` says: one picture, JSON, or a zip of pictures; texts as JSON or as server-sent
events; rows of a table, codes and scores only as JSON.
"""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import lru_cache
from typing import Any

import orjson

from api.data_plane.bodies import JSON, MULTIPART, document, media_type_of, parts, validated
from api.data_plane.messages import Headers, Response
from api.data_plane.predict import TIMING, base64_of, files
from api.data_plane.targets import LABELLED, Target
from services.errors import Invalid, NotAcceptable
from services.requests.generation import DecodeRequest, GenerateRequest, InputsRequest, InterpolateRequest
from services.serving import given
from services.serving.batch import Answer
from services.serving.generation import samples
from services.serving.generation.asked import Asked, Generating, Looking, Path, Sampling
from services.serving.generation.calls import Coded, CodedCall
from services.serving.generation.texts import TextCall, Written
from services.serving.model import ServedModel
from services.serving.predictions import INLINE_BYTES, Predictor, Wish

PNG, ZIP, EVENTS = "image/png", "application/zip", "text/event-stream"
PICTURES = (JSON, PNG, ZIP)
"""What samples that are images may be answered as."""
TEXTS = (JSON, EVENTS)
"""Likewise texts."""
IN_NUMBERS = frozenset({"encode", "anomaly"})
"""Calls that answer no samples."""
HEAD = b"content-type: %s\r\nvary: accept\r\n" + TIMING
SEED = b"x-seed: %d\r\n"
BODIES: dict[str, tuple[str, ...]] = {
    "generate": (JSON,),
    "decode": (JSON,),
    "interpolate": (JSON, MULTIPART),
}
"""Content types that are read, where they are not those of a prediction."""
ENDS, OPTIONS = ("from", "to"), ("steps", "method", "label")


def begin(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> CodedCall | None:
    """The call of a request for which nothing has to be waited for but its run. Raises errors of the tree."""
    if len(body) > INLINE_BYTES:
        return None
    call = read(target, headers, body).begin(predictor, target.model, wish)
    if call is not None:
        form_of(headers, target.kind, call.found.model)
    return call


def end(call: CodedCall, answer: Answer, headers: Headers) -> Response:
    """The response to a request that was begun. Raises errors of the tree."""
    return respond(call.answer(answer), headers)


async def answer(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> Response:
    """The response to any request. Raises errors of the tree."""
    asked = await predictor.aside(len(body), read, target, headers, body)
    call = await asked.prepare(predictor, target.model, wish)
    form_of(headers, target.kind, call.found.model)
    made = await call.made(predictor)
    if isinstance(made, Written):
        return _respond_in_words(made, JSON)
    num_bytes = sum(output.nbytes for output in made.outputs.values())
    return await predictor.aside(num_bytes, respond, made, headers)


async def texts(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> TextCall | None:
    """The call of a request whose client would rather have events and can; None of any other: see `answer`.

    Raises errors of the tree.
    """
    call = await (await predictor.aside(len(body), read, target, headers, body)).prepare(predictor, target.model, wish)
    return call if isinstance(call, TextCall) and form_of(headers, target.kind, call.found.model) == EVENTS else None


async def events(predictor: Predictor, call: TextCall) -> AsyncGenerator[tuple[bytes, bytes]]:
    """Names and data of events: a `token` as each is written, `done` with the whole. Raises errors of the tree."""
    started_at = time.monotonic()
    async with aclosing(call.pieces(predictor)) as pieces:
        async for piece in pieces:
            yield b"token", orjson.dumps({"index": piece.place, "text": piece.text})
    yield b"done", _respond_in_words(call.written(time.monotonic() - started_at), EVENTS).body


def respond(coded: Coded, headers: Headers) -> Response:
    """The response that tells what a call came to."""
    form = form_of(headers, coded.call, coded.model)
    if form == PNG:
        return Response(200, _head(coded, form), samples.picture(coded), coded.model)
    if form == ZIP:
        return Response(200, _head(coded, form), samples.archive(coded), coded.model)
    return _respond_in_words(coded, form)


def _respond_in_words(made: Coded | Written, form: str) -> Response:
    model, words = made.model, made.told if isinstance(made, Written) else samples.words(made)
    content = {"model": model.name, "version": model.version, "variant": model.variant or None, **words}
    written = orjson.dumps(content, default=base64_of, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(200, _head(made, form), written, model)


def _head(made: Coded | Written, form: str) -> bytes:
    times = made.queue_seconds * 1000, made.decode_seconds * 1000, made.infer_seconds * 1000
    seed = made.told.get("seed")
    return HEAD % (form.encode(), *times) + (b"" if seed is None else SEED % seed)


def form_of(headers: Headers, call: str, model: ServedModel) -> str:
    """The content type of an answer. Raises `NotAcceptable` naming those that there are."""
    offered: tuple[str, ...] = (JSON,)
    if model.writes:
        offered = TEXTS
    elif call not in IN_NUMBERS and samples.are_images(model):
        offered = PICTURES
    return negotiated(headers.get(b"accept", b""), offered)


def may_stream(headers: Headers) -> bool:
    """Whether a client names events among what it accepts."""
    return EVENTS.encode() in headers.get(b"accept", b"").lower()


@lru_cache(256)
def negotiated(accept: bytes, offered: Sequence[str]) -> str:
    """Of the content types that are offered the one that a client would rather have; of equal ones its first.

    A range such as `*/*` asks for the first that is offered (RFC 9110, section 12.5.1).
    Raises `NotAcceptable` naming those that there are.
    """
    best, most = "", 0.0
    choices = [_weighted(choice) for choice in (accept.decode("latin-1") if accept.strip() else "*/*").split(",")]
    refused = {name for name, weight in choices if not weight}
    for name, weight in choices:
        is_range = name.endswith("/*")
        matching = (each for each in offered if name == each or (is_range and _is_within(each, name)))
        found = next((each for each in matching if each not in refused), "")
        if found and weight > most:
            best, most = found, weight
    if not best:
        raise NotAcceptable("not_acceptable", f"The answer comes as {' or '.join(offered)}; name one in `Accept`.")
    return best


def _is_within(media_type: str, media_range: str) -> bool:
    return media_range == "*/*" or media_type.startswith(media_range.removesuffix("*"))


def _weighted(choice: str) -> tuple[str, float]:
    """A content type and its weight `q`, which is 1 if none is given, and 0 if it is none."""
    name, *parameters = (part.strip().lower() for part in choice.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0


def read(target: Target, headers: Headers, body: bytes) -> Asked:
    """What a request asks for. Raises `UnsupportedMediaType`, `Invalid` and `RequestValidationError`."""
    content_type = headers.get(b"content-type", b"")
    media_type = body_type_of(target.kind, content_type)
    match target.kind:
        case "generate":
            return Generating(document(body, GenerateRequest))
        case "decode":
            return Sampling(document(body, DecodeRequest))
        case "interpolate":
            return Path(_path(content_type, media_type, body))
    if media_type == JSON:
        request = document(body, InputsRequest)
        return Looking(given.values(request.inputs), target.label if request.label is None else request.label)
    return Looking(given.files(files(content_type, media_type, body)), target.label)


def body_type_of(call: str, content_type: bytes) -> str:
    """The media type of a request's body. Raises `UnsupportedMediaType` or `Invalid`."""
    return media_type_of(content_type) if call in LABELLED else media_type_of(content_type, BODIES[call])


def _path(content_type: bytes, media_type: str, body: bytes) -> InterpolateRequest:
    if media_type == JSON:
        return document(body, InterpolateRequest)
    found: dict[str, Any] = {}
    for name, content in parts(content_type, body, (*ENDS, *OPTIONS, "file"), len(ENDS) + len(OPTIONS)):
        field = next((end for end in ENDS if end not in found), name) if name == "file" else name
        if field in found or field == "file":
            raise Invalid.field("part_unexpected", ["body", field], "send each part once, and two images")
        found[field] = content if field in ENDS else content.decode("utf-8", "replace")
    if str(found.get("steps", "")).isdecimal() and len(found["steps"]) < 10:
        found["steps"] = int(found["steps"])
    return validated(found, InterpolateRequest)
