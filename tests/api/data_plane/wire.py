"""Requests and answers of HTTP/1.1 as bytes on a raw connection."""

import io
import json
import socket
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

PRICES = "/v1/models/prices/predict"
SHADES = "/v1/models/shades/predict"
MIRROR = "/v2/models/mirror/infer"
ENDLESS = "/v2/models/endless/infer"


@dataclass(frozen=True)
class Reply:
    """One answer; names of headers are in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """A header's value."""
        return dict(self.headers).get(name)


def head(path: str, *headers: str, method: str = "POST", version: str = "1.1", host: str = "localhost") -> bytes:
    """A request's head."""
    lines = [f"{method} {path} HTTP/{version}", f"Host: {host}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def request(path: str, body: bytes, *headers: str, content_type: str = "application/json", **options: str) -> bytes:
    """A whole request whose body has its length."""
    return head(path, f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers, **options) + body


def chunked(path: str, body: bytes, *headers: str, content_type: str = "application/json", size: int = 1000) -> bytes:
    """The same request with its body in chunks: the ordinary way."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return head(path, f"Content-Type: {content_type}", "Transfer-Encoding: chunked", *headers) + framed


def read(connection: socket.socket) -> Reply:
    """The next answer; nothing after it is read. Raises `ConnectionError` if there is none."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        received += _more(connection, 1)
    lines = received[:-4].decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
    status = int(lines[0].split()[1])
    body = bytearray()
    if status != 100:
        while len(body) < int(dict(headers)["content-length"]):
            body += _more(connection, int(dict(headers)["content-length"]) - len(body))
    return Reply(status, headers, bytes(body))


def _more(connection: socket.socket, most: int) -> bytes:
    piece = connection.recv(most)
    if not piece:
        raise ConnectionError("the connection was closed")
    return piece


def rows(*numbers: float) -> bytes:
    """A body for `prices`: a row for each number of rooms, in aachen."""
    return json.dumps({"inputs": [[number, "aachen"] for number in numbers]}).encode()


def tensor(array: np.ndarray, **parameters: Any) -> bytes:
    """A JSON body of the protocol for a model with one input of float32, `x`."""
    given = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "data": array.ravel().tolist()}
    return json.dumps({"inputs": [given], "parameters": parameters}).encode()


def binary(array: np.ndarray) -> tuple[bytes, str]:
    """The same with binary data both ways: a body and the header that it needs."""
    parameters = {"binary_data_size": array.nbytes}
    given = {"name": "x", "shape": list(array.shape), "datatype": "FP32", "parameters": parameters}
    text = json.dumps({"inputs": [given], "parameters": {"binary_data_output": True}}).encode()
    return text + array.tobytes(), f"Inference-Header-Content-Length: {len(text)}"


def png(shade: int, size: int = 8) -> bytes:
    """A grey image file."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()
