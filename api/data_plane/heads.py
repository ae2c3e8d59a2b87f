"""Heads of plain predictions, read once: a client sends the same one again and again."""

from typing import NamedTuple

from api.data_plane.messages import Headers
from api.data_plane.targets import Target

END = b"\r\n\r\n"
MAX_HEADS = 1024
MAX_BYTES = 2048


class Head(NamedTuple):
    """What a request's head says."""

    target: Target
    headers: Headers
    request_id: str
    """As the client gave it; empty if it did not."""
    num_body_bytes: int
    keep_alive: bool


class Heads:
    """The heads of whole requests that have been parsed, by their bytes: equal bytes say the same."""

    def __init__(self) -> None:
        self._heads: dict[bytes, Head] = {}

    def recall(self, packet: bytes) -> tuple[Head, bytes] | None:
        """The head and the body of a packet that is one whole request, if its head is known."""
        end = packet.find(END) + len(END)
        head = self._heads.get(packet[:end])
        if head is None or len(packet) - end != head.num_body_bytes:
            return None
        return head, packet[end:]

    def remember(self, packet: bytes, head: Head) -> None:
        """Keep the head of a packet that is one whole request and nothing else.

        Where the parser took other bytes for the head's end than the first empty line (it passes over empty lines
        before a request, say), the lengths do not add up and nothing is kept.
        """
        end = packet.find(END) + len(END)
        if end <= MAX_BYTES and len(packet) - end == head.num_body_bytes:
            if len(self._heads) >= MAX_HEADS:
                del self._heads[next(iter(self._heads))]
            self._heads[packet[:end]] = head
