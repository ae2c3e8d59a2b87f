"""Lines of files of unknown honesty."""

import io

import pytest

from models.errors import JobError
from models.readers.lines import Lines
from models.readers.stream import CHUNK_BYTES


def lines(content: bytes, most: int = 100) -> Lines:
    return Lines(io.BytesIO(content), most, lambda detail: JobError("refused", detail), " of 'a.txt'")


def test_lines_keep_their_ends_and_are_counted() -> None:
    read = lines("\ufeffa\r\n\né".encode())
    assert list(read) == ["a\r\n", "\n", "é"]
    assert (read.number, read.bytes_read, read.line_bytes) == (3, 9, 2)


@pytest.mark.parametrize("length", [CHUNK_BYTES - 2, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 1])
def test_a_line_may_lie_across_pieces(length: int) -> None:
    assert list(lines(b"x" * length + b"\ny\n", length + 1)) == ["x" * length + "\n", "y\n"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"ok\n\xff\n", "Line 2 of 'a.txt' is not valid UTF-8"),
        (b"ok\na\0\n", "Line 2 of 'a.txt' holds a NUL byte"),
        ("ok\n".encode("utf-16"), "Line 1 of 'a.txt' is UTF-16"),
        (b"ok\n" + b"x" * 101, "Line 2 of 'a.txt' is longer than 100 bytes; break it into several"),
        (b"ok\n" + b"x" * 200 + b"\nok\n", "Line 2 of 'a.txt' is longer than 100 bytes"),
    ],
)
def test_what_is_no_line_is_refused_by_its_number(content: bytes, problem: str) -> None:
    with pytest.raises(JobError) as raised:
        list(lines(content))
    assert problem in raised.value.detail


def test_a_line_without_end_is_given_up_early() -> None:
    class Endless:
        taken = 0

        def read(self, size: int, /) -> bytes:
            self.taken += size
            return b"x" * size

    endless = Endless()
    with pytest.raises(JobError, match="longer"):
        next(Lines(endless, 2**20, lambda detail: JobError("refused", detail)))
    assert endless.taken <= 2**20 + 2 * CHUNK_BYTES
