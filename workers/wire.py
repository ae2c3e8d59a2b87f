"""Messages between a supervisor and its child: JSON, since the child has read untrusted files.

From the child come `{"type": ..., "data": ...}`: `progress`, `metric`, `log`, `artifact`, of a trial
`suggested`, then one of `outcome`, `failed`, `stopped`. To the child goes `{"wish": "cancel" | "pause"}`.
"""

from multiprocessing.connection import Connection
from typing import Any

import orjson

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """A message as JSON; paths become text, a number that is not finite becomes null."""
    return orjson.dumps(message, default=str, option=orjson.OPT_SERIALIZE_NUMPY)


def receive(connection: Connection) -> Message:
    """Wait for one message. Raises `EOFError` when the other side is gone."""
    message: Message = orjson.loads(connection.recv_bytes())
    return message
