"""What the data plane takes and gives."""

from collections.abc import Mapping
from typing import NamedTuple

from services.serving.model import ServedModel

Headers = Mapping[bytes, bytes]
"""Names in lower case, each once."""


class Response(NamedTuple):
    """An answer. `head` is its header lines as they go onto the wire, all but the length, each with its end."""

    status: int
    head: bytes
    body: bytes
    model: ServedModel | None = None
    """Whose answer it is, as far as that is known."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The same by name."""
        lines = [line.split(b": ", 1) for line in self.head.split(b"\r\n") if line]
        return [(name, value) for name, value in lines]
