"""`POST /v2/models/{model}/infer`: tensors in, tensors out (Open Inference Protocol, with Triton's binary data)."""

from api.compression import compress, decompress
from api.data_plane.messages import Headers, Response
from api.data_plane.targets import Target
from services.errors import Invalid
from services.serving.model import ServedModel
from services.serving.predictions import Predictor, Wish

HEADER_LENGTH = b"inference-header-content-length"
TIMING = b"server-timing: queue;dur=%.3f, infer;dur=%.3f\r\n"
JSON = b"content-type: application/json\r\n"
BINARY = b"content-type: application/octet-stream\r\ninference-header-content-length: %d\r\n"


async def answer(
    predictor: Predictor, target: Target, wish: Wish, headers: Headers, body: bytes, max_bytes: int
) -> tuple[ServedModel, Response]:
    """The outputs of one request, and whose they are. Raises errors of the tree."""
    if (encoding := headers.get(b"content-encoding")) is not None:
        body = await predictor.aside(max_bytes, decompress, body, encoding.decode("latin-1"), max_bytes)
    made = await predictor.infer(target.model, wish, body, _header_length(headers))
    content = made.body
    head = TIMING % (made.queue_seconds * 1000, made.infer_seconds * 1000)
    head += JSON if made.header_length is None else BINARY % made.header_length
    if (accepted := headers.get(b"accept-encoding")) is not None:
        content, chosen = await predictor.aside(len(content), compress, content, accepted.decode("latin-1"))
        if chosen is not None:
            head += b"content-encoding: %s\r\n" % chosen.encode()
    return made.model, Response(200, head, content)


def _header_length(headers: Headers) -> int | None:
    value = headers.get(HEADER_LENGTH)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 12:
        detail = "The header Inference-Header-Content-Length is a whole number of bytes from 0 up."
        raise Invalid("header_length_invalid", detail)
    return int(value)
