"""A small real HTTP server whose answers a test writes down beforehand."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from client.http import Json


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """A running server: its URL, and the requests it got so far."""

    url: str
    requests: list[Request] = field(default_factory=list)


Answer = Callable[["Handler", Request], None]


class Handler(BaseHTTPRequestHandler):
    """Hands every request to the test's function."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        self.server.web.requests.append(request)
        self.server.answer(self, request)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any

    def send(self, status: int, body: bytes, media_type: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """Close the connection without (the rest of) an answer."""
        self.close_connection = True
        self.wfile.flush()

    def send_events(self, *chunks: bytes) -> None:
        """Stream chunks of an endless body, then drop the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.hang_up()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """A server on a free port of the loopback address."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.web = Web(f"http://127.0.0.1:{self.server_port}")


@contextmanager
def serving(answer: Answer) -> Iterator[Web]:
    """Run a server that answers with `answer` while the block lasts."""
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def problem(status: int, code: str, **more: object) -> Json:
    """A problem document as the service sends it."""
    return {"type": "about:blank", "title": "Refused", "status": status, "code": code, "detail": "No.", **more}
