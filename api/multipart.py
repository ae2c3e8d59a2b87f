"""Reading `multipart/form-data` piece by piece with hard bounds (RFC 7578), over python-multipart's parser."""

from collections.abc import Callable
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.errors import Invalid

# What may stand before the first part and after the last one: senders put nothing there.
MAX_PADDING_BYTES = 64 * 1024
MAX_BOUNDARY_BYTES = 70  # RFC 2046, section 5.1.1


@dataclass(frozen=True)
class Part:
    """The head of one part. `filename` is the client's word: it is never used as a path."""

    name: str
    filename: str | None
    content_type: str


def _invalid(msg: str) -> Invalid:
    return Invalid.field("multipart_invalid", ["body"], msg)


def boundary_of(content_type: str) -> bytes:
    """The boundary in a Content-Type header. Raises `Invalid`."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        raise _invalid(f"the Content-Type needs a boundary of 1 to {MAX_BOUNDARY_BYTES} characters")
    return boundary


class MultipartReader:
    """Calls `begin(part)` and `data(part, bytes)` as a body is fed. All methods raise `Invalid`."""

    def __init__(
        self,
        boundary: bytes,
        begin: Callable[[Part], None],
        data: Callable[[Part, bytes], None],
        *,
        max_parts: int,
    ) -> None:
        self._begin = begin
        self._data = data
        self._max_parts = max_parts
        self._num_parts = 0
        self._padding_bytes = 0
        self._inside = False
        self._ended = False
        self._part: Part | None = None
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = bytearray(), bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_end": self._on_end,
            },
        )

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the body."""
        if not self._inside:
            self._padding_bytes += len(data)
            # Only whole pieces are counted: the first part may begin within this one.
            if self._padding_bytes - len(data) > MAX_PADDING_BYTES:
                raise _invalid("too many bytes outside of the parts")
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _invalid(f"not valid multipart/form-data: {error}") from None

    def finish(self) -> None:
        """Check that the closing boundary has come."""
        if not self._ended:
            raise _invalid("the body ends before its closing boundary")

    def _on_part_begin(self) -> None:
        self._inside = True
        self._num_parts += 1
        if self._num_parts > self._max_parts:
            raise _invalid(f"more than {self._max_parts} parts")
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value).strip(b" \t")
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name")
        if disposition != b"form-data" or name is None:
            raise _invalid("every part needs `Content-Disposition: form-data; name=...`")
        filename = options.get(b"filename")
        self._part = Part(
            name=name.decode("utf-8", "replace"),
            filename=None if filename is None else filename.decode("utf-8", "replace"),
            content_type=self._headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower(),
        )
        self._begin(self._part)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        assert self._part is not None  # noqa: S101 - the parser gives the headers first
        self._data(self._part, data[start:end])

    def _on_end(self) -> None:
        self._inside = False
        self._ended = True
        self._padding_bytes = 0
