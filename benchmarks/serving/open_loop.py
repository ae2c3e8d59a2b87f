"""Load that comes by the clock, whether or not earlier requests were answered: an open loop over raw sockets."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.serving.wrk import Post

PATIENCE_SECONDS = 30
BROKEN = 0


@dataclass(frozen=True)
class Outcome:
    """One request: how late it was sent, its answer's status (`BROKEN`: none) and the seconds until that was there."""

    late: float
    status: int
    seconds: float


class Client:
    """Keep-alive connections to one port of 127.0.0.1, as many as there are requests under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def offer(self, post: Post, rate: float, seconds: float) -> list[Outcome]:
        """Send `post` `rate` times a second, evenly spaced, and wait for all answers."""
        loop = asyncio.get_running_loop()
        request = encode(post)
        started_at = loop.time()
        sent = []
        for number in range(round(rate * seconds)):
            due_at = started_at + number / rate
            if (early := due_at - loop.time()) > 0:
                await asyncio.sleep(early)
            sent.append(asyncio.create_task(self._send(request, loop.time() - due_at)))
        return await asyncio.gather(*sent)

    async def ask(self, post: Post) -> Outcome:
        """Send one request now."""
        return await self._send(encode(post), 0.0)

    async def close(self) -> None:
        """Close the connections."""
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()
        self._idle.clear()

    async def _send(self, request: bytes, late: float) -> Outcome:
        loop = asyncio.get_running_loop()
        sent_at = loop.time()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status = await self._exchange(request)
        except (OSError, EOFError, TimeoutError):
            status = BROKEN
        return Outcome(late, status, loop.time() - sent_at)

    async def _exchange(self, request: bytes) -> int:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            status, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(int(headers["content-length"]))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection", "") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return status


def encode(post: Post) -> bytes:
    """The request as HTTP/1.1."""
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(post.body)), **post.headers}
    lines = [f"POST {post.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + post.body


def parse_head(head: bytes) -> tuple[int, Mapping[str, str]]:
    """Status and headers, names in lower case."""
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, value in pairs}
