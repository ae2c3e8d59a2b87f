"""Server-sent events, as the HTML standard's section 9.2 has browsers read them.

`EventParser` turns bytes, cut anywhere, into raw events; `JobEvent` is one event of a job's stream.
"""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

TERMINAL_STATES = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class ServerSentEvent:
    """One dispatched event; `id` is the last id the stream has named so far, not only in this event."""

    type: str
    data: str
    id: str


@dataclass(frozen=True)
class JobEvent:
    """One event of a job: `type` is `state`, `progress`, `metric`, `log` or `artifact`; `data` its JSON object."""

    id: str
    type: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether the job's stream ends here."""
        return self.type == "state" and self.data.get("state") in TERMINAL_STATES

    @classmethod
    def parse(cls, event: ServerSentEvent) -> "JobEvent":
        """Read the data as a JSON object. Raises ValueError for anything else."""
        data = json.loads(event.data)
        if not isinstance(data, dict):
            raise ValueError(f"event {event.id!r} carries no JSON object")
        return cls(id=event.id, type=event.type, data=data)


class EventParser:
    """Incremental parser of `text/event-stream`; feed it the body's bytes in order."""

    def __init__(self) -> None:
        # utf-8-sig drops the one leading byte order mark that the standard allows.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._pending = ""
        self._after_cr = False
        self._data: list[str] = []
        self._type = ""
        self._id_buffer = ""
        self.last_event_id = ""

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Yield the events that `chunk` completes. An event that no blank line ends is never yielded."""
        for line in self._lines(self._decoder.decode(chunk)):
            if line:
                self._read_field(line)
            elif event := self._dispatch():
                yield event

    def _lines(self, text: str) -> Iterator[str]:
        """Complete lines; they end in LF, CR or CRLF, and a CRLF may be cut in two by a chunk boundary."""
        if self._after_cr and text:
            text = text.removeprefix("\n")
            self._after_cr = False
        self._after_cr = self._after_cr or text.endswith("\r")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines[0] = self._pending + lines[0]
        self._pending = lines.pop()
        yield from lines

    def _read_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id_buffer = value

    def _dispatch(self) -> ServerSentEvent | None:
        self.last_event_id = self._id_buffer
        data, kind = self._data, self._type
        self._data, self._type = [], ""
        if not data:
            return None
        return ServerSentEvent(type=kind or "message", data="\n".join(data), id=self.last_event_id)
