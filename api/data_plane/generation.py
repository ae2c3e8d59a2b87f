"""`POST /v1/models/{model}/generate` and its like: what only versions that code or generate are asked for.

Samples come as the client's `Accept` says: one picture, JSON, or a zip of pictures; rows of a table, codes and scores
only as JSON.
"""

from collections.abc import Sequence
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
from services.serving.generation.asked import Asked, Looking, Path, Sampling
from services.serving.generation.calls import Coded, CodedCall, run
from services.serving.model import ServedModel
from services.serving.predictions import INLINE_BYTES, Predictor, Wish

PNG, ZIP = "image/png", "application/zip"
PICTURES = (JSON, PNG, ZIP)
"""What samples that are images may be answered as."""
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
    coded = await run(predictor, call)
    num_bytes = sum(output.nbytes for output in coded.outputs.values())
    return await predictor.aside(num_bytes, respond, coded, headers)


def respond(coded: Coded, headers: Headers) -> Response:
    """The response that tells what a call came to."""
    model, form = coded.model, form_of(headers, coded.call, coded.model)
    times = coded.queue_seconds * 1000, coded.decode_seconds * 1000, coded.infer_seconds * 1000
    head = HEAD % (form.encode(), *times)
    if (seed := coded.told.get("seed")) is not None:
        head += SEED % seed
    if form == PNG:
        return Response(200, head, samples.picture(coded), model)
    if form == ZIP:
        return Response(200, head, samples.archive(coded), model)
    content = {"model": model.name, "version": model.version, "variant": model.variant or None, **samples.words(coded)}
    return Response(200, head, orjson.dumps(content, default=base64_of, option=orjson.OPT_SERIALIZE_NUMPY), model)


def form_of(headers: Headers, call: str, model: ServedModel) -> str:
    """The content type of an answer. Raises `NotAcceptable` naming those that there are."""
    offered = PICTURES if call not in IN_NUMBERS and samples.are_images(model) else (JSON,)
    return negotiated(headers.get(b"accept", b""), offered)


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
            return Sampling(document(body, GenerateRequest))
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
