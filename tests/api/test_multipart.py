"""Reading multipart/form-data piece by piece."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.multipart import MAX_PADDING_BYTES, MultipartReader, Part, boundary_of
from services.errors import Invalid

BOUNDARY = b"xYz"


def read(body: bytes, piece_bytes: int, max_parts: int = 5) -> list[tuple[Part, bytes]]:
    found: list[tuple[Part, bytearray]] = []
    reader = MultipartReader(
        BOUNDARY,
        lambda part: found.append((part, bytearray())),
        lambda part, data: found[-1][1].extend(data),
        max_parts=max_parts,
    )
    for start in range(0, len(body), piece_bytes):
        reader.feed(body[start : start + piece_bytes])
    reader.finish()
    return [(part, bytes(data)) for part, data in found]


def body_of(*contents: bytes) -> bytes:
    parts = [
        b'--xYz\r\nContent-Disposition: form-data; name="p%d"; filename="f"\r\nContent-Type: A/B; c=d\r\n\r\n%s\r\n'
        % (number, content)
        for number, content in enumerate(contents)
    ]
    return b"".join(parts) + b"--xYz--\r\n"


# Contents made of what boundaries are made of are the hard ones; none contains a whole boundary.
CONTENT = st.lists(st.sampled_from([b"\r", b"\n", b"-", b"--", b"xY", b"\r\n--xY", b"a", b"\x00\xff"])).map(b"".join)


@given(st.lists(CONTENT, min_size=1, max_size=5), st.integers(1, 200))
def test_contents_come_through_unchanged_however_they_are_cut(contents: list[bytes], piece_bytes: int) -> None:
    contents = [content for content in contents if b"\r\n--xYz" not in b"\r\n" + content] or [b""]
    read_back = read(body_of(*contents), piece_bytes)
    assert [content for _, content in read_back] == contents
    assert [part.name for part, _ in read_back] == [f"p{number}" for number in range(len(contents))]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_are_parts_or_invalid(body: bytes, piece_bytes: int) -> None:
    with pytest.raises(Invalid):
        read(b"--xYz\r\n" + body, piece_bytes)


def test_the_head_of_a_part_is_told() -> None:
    ((part, _),) = read(body_of(b"x"), 10)
    assert part == Part(name="p0", filename="f", content_type="a/b")


def test_the_number_of_parts_is_bounded() -> None:
    assert len(read(body_of(*[b""] * 5), 10)) == 5
    with pytest.raises(Invalid, match="more than 5 parts"):
        read(body_of(*[b""] * 6), 10)


@pytest.mark.parametrize(
    "body", [b"\r\n" * MAX_PADDING_BYTES + body_of(b""), body_of(b"") + b"x" * 3 * MAX_PADDING_BYTES]
)
def test_what_stands_outside_of_the_parts_is_bounded(body: bytes) -> None:
    with pytest.raises(Invalid, match="outside of the parts"):
        read(body, 1000)


def test_the_boundary_is_read_from_the_content_type() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
    for header in (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'x' * 71}",
    ):
        with pytest.raises(Invalid, match="boundary"):
            boundary_of(header)
