"""Compressed bodies: `Content-Encoding` of requests and `Accept-Encoding` of responses (RFC 9110, section 8.4)."""

import io
import zlib

from services.errors import Invalid, TooLarge, UnsupportedMediaType

CHUNK_BYTES = 64 * 1024
# The fastest level: tensors are noise to a compressor, and slower levels make little more of them.
LEVEL = 1

# How zlib is told the format: `deflate` in HTTP is zlib's own (RFC 1950), gzip is RFC 1952.
_WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


def decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body of a request that was sent with this `Content-Encoding`: gzip, deflate or identity.

    It is taken apart in small pieces and given up at `max_bytes`, so a bomb takes no more memory than that.
    Raises `UnsupportedMediaType` for another encoding or several, `TooLarge`, and `Invalid` for a body that
    is damaged, cut short, or more than one stream.
    """
    name = encoding.strip().lower()
    if name == "identity":
        return body
    if name not in _WINDOW_BITS:
        raise UnsupportedMediaType(
            "encoding_unknown",
            f"The Content-Encoding {encoding[:100]!r} is not known here; send gzip, deflate or none.",
        )
    decompressor = zlib.decompressobj(_WINDOW_BITS[name])
    compressed = io.BytesIO(body)
    pieces: list[bytes] = []
    num_bytes = 0
    while not decompressor.eof:
        data = decompressor.unconsumed_tail or compressed.read(CHUNK_BYTES)
        try:
            piece = decompressor.decompress(data, CHUNK_BYTES)
        except zlib.error:
            raise _damaged(name) from None
        if not data:
            raise _damaged(name)
        num_bytes += len(piece)
        if num_bytes > max_bytes:
            raise TooLarge("body_too_large", f"The uncompressed body is over the limit of {max_bytes} bytes.")
        pieces.append(piece)
    if decompressor.unused_data or compressed.read(1):
        raise _damaged(name)
    return b"".join(pieces)


def _damaged(name: str) -> Invalid:
    return Invalid(
        "body_damaged",
        f"The body is not one whole {name} stream and nothing else; compress it again and send all of it.",
    )


def compress(body: bytes, accept_encoding: str) -> tuple[bytes, str | None]:
    """The body of a response as its `Accept-Encoding` asks, and its `Content-Encoding`; None if it is left as it is.

    The encoding with the highest weight is taken, of equal ones the first; `*` asks for nothing.
    """
    weights: dict[str, float] = {"identity": 0.0}
    for choice in accept_encoding.lower().split(","):
        name, _, weight = choice.partition(";")
        if name.strip() in (*_WINDOW_BITS, "identity"):
            weights[name.strip()] = _weight(weight)
    name = max(weights, key=weights.__getitem__)
    if name == "identity":
        return body, None
    return zlib.compress(body, LEVEL, _WINDOW_BITS[name]), name


def _weight(parameter: str) -> float:
    """The value of `q=0.5`: 1 if there is none, 0 if it is not a weight."""
    name, _, value = parameter.replace(" ", "").partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name == "q" else 0.0
    except ValueError:
        return 0.0
