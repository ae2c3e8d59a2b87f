"""What the data plane takes and gives."""

from collections.abc import Mapping
from typing import NamedTuple

Headers = Mapping[bytes, bytes]
"""Names in lower case, each once."""


class Response(NamedTuple):
    """An answer; `headers` are all but its length."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
