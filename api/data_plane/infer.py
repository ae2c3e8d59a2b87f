"""`POST /v2/models/{model}/infer`: tensors in, tensors out (Open Inference Protocol, with Triton's binary data)."""

from api.compression import compress
from api.data_plane.messages import Headers, Response
from api.data_plane.targets import Target
from services.errors import Invalid
from services.serving.batch import Answer
from services.serving.calls import InferCall, Inference
from services.serving.predictions import Predictor, Wish

HEADER_LENGTH = b"inference-header-content-length"
TIMING = b"server-timing: queue;dur=%.3f, infer;dur=%.3f\r\n"
JSON = b"content-type: application/json\r\n"
BINARY = b"content-type: application/octet-stream\r\ninference-header-content-length: %d\r\n"


def begin(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> InferCall | None:
    """The call of a request for which nothing has to be waited for but its run. Raises errors of the tree."""
    return predictor.begin_infer(target.model, wish, body, _header_length(headers))


async def answer(predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes) -> Response:
    """The response to any request. Raises errors of the tree."""
    made = await predictor.infer(target.model, wish, body, _header_length(headers))
    return await predictor.aside(len(made.body), respond, made, headers)


def end(call: InferCall, answer: Answer, headers: Headers) -> Response:
    """The response to a request that was begun. Raises errors of the tree."""
    return respond(call.answer(answer), headers)


def respond(made: Inference, headers: Headers) -> Response:
    """The response that tells an answer, compressed if the request's headers ask for that."""
    head = TIMING % (made.queue_seconds * 1000, made.infer_seconds * 1000)
    head += JSON if made.header_length is None else BINARY % made.header_length
    body = made.body
    if (accepted := headers.get(b"accept-encoding")) is not None:
        body, chosen = compress(body, accepted.decode("latin-1"))
        if chosen is not None:
            head += b"content-encoding: %s\r\n" % chosen.encode()
    return Response(200, head, body, made.model)


def _header_length(headers: Headers) -> int | None:
    value = headers.get(HEADER_LENGTH)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 12:
        detail = "The header Inference-Header-Content-Length is a whole number of bytes from 0 up."
        raise Invalid("header_length_invalid", detail)
    return int(value)
