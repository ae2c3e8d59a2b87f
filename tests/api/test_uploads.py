"""Attacks on uploads, against a gateway process: multipart bombs, names, a full disk."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from services.settings import Settings
from tests.api.conftest import MIB, Gateway, running_gateway
from tests.stack import free_port

BOUNDARY = b"b0und4ry"
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}


def part(name: str, content: bytes, headers: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; filename="f"\r\n{headers}\r\n'
    return b"--" + BOUNDARY + b"\r\n" + head.encode() + content + b"\r\n"


END = b"--" + BOUNDARY + b"--\r\n"
BOMBS = {
    "100,000-parts": lambda: part("file", b"x") * 100_000 + END,
    "a-million-fields": lambda: (
        (b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n') * 300_000 + END
    ),
    "endless-part-headers": lambda: b"--" + BOUNDARY + b"\r\n" + b"X: y\r\n" * 1_000_000,
    "one-endless-part-header": lambda: b"--" + BOUNDARY + b"\r\nX: " + b"y" * 50 * MIB,
    "preamble-of-line-breaks": lambda: b"\r\n" * 25 * MIB + part("file", b"x") + END,
    "preamble-of-text": lambda: b"x" * 50 * MIB,
    "endless-epilogue": lambda: part("file", b"x") + END + b"x" * 50 * MIB,
    "no-end": lambda: part("file", b"x" * MIB),
    "no-part": lambda: END,
    "no-file": lambda: part("options", b"{}") + END,
    "two-files": lambda: part("file", b"x") * 2 + END,
    "another-part": lambda: part("owner", b"x") + END,
    "nameless-part": lambda: b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
    "an-attachment": lambda: b"--" + BOUNDARY + b'\r\nContent-Disposition: attachment; name="file"\r\n\r\nx\r\n' + END,
    "long-options": lambda: part("options", b" " * MIB) + part("file", b"x") + END,
    "wrong-options": lambda: part("options", b'{"task": NaN}') + part("file", b"x") + END,
    "unknown-options": lambda: part("options", b'{"owner": "me"}') + part("file", b"x") + END,
    "options-of-another-kind": lambda: part("options", b"[]") + part("file", b"x") + END,
    "empty-file": lambda: part("file", b"") + END,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_multipart_bomb_is_422_and_leaves_nothing(gateway: Gateway, bomb: Callable[[], bytes]) -> None:
    response = httpx.post(f"{gateway.url}/v1/datasets?name=bomb", content=bomb(), headers=MULTIPART, timeout=60)
    assert response.status_code == 422, response.text
    assert response.json()["errors"]
    assert gateway.uploads() == []
    assert httpx.get(f"{gateway.url}/v1/datasets/bomb").status_code == 404


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "x" * 71])
def test_a_boundary_that_is_none_is_422(gateway: Gateway, boundary: str) -> None:
    headers = {"content-type": f"multipart/form-data{boundary}"}
    response = httpx.post(f"{gateway.url}/v1/datasets?name=bomb", content=b"x", headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "multipart_invalid")
    assert gateway.uploads() == []


def test_the_gateway_answers_others_while_it_reads_a_bomb(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(
            f"POST /v1/datasets?name=bomb HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MULTIPART['content-type']}\r\n"
            f"Content-Length: {60 * MIB}\r\n\r\n".encode()
        )
        # Every byte may begin a boundary, which is the slowest body to read.
        connection.sendall(part("file", b"")[:-2] + b"\r\n--b0und4r" * (2 * MIB // 11))
        waits = []
        for _ in range(10):
            started_at = time.monotonic()
            assert httpx.get(f"{gateway.url}/health/live").status_code == 200
            waits.append(time.monotonic() - started_at)
    assert len(waits) == 10


@pytest.mark.parametrize(
    "filename",
    ["../../../../tmp/pwned", "/etc/passwd", "..\\..\\x", "a%00b", "\u202egnp.exe", "x" * 4000, "CON", "-rf", "~"],
)
def test_the_filename_is_never_a_path(gateway: Gateway, filename: str) -> None:
    name = f"named-{abs(hash(filename))}"
    response = httpx.post(
        f"{gateway.url}/v1/datasets", params={"name": name}, files={"file": (filename, b"a,b\n1,2\n", "text/csv")}
    )
    assert response.status_code == 202, response.text
    assert (gateway.settings.uploads / response.json()["job"]["id"]).read_bytes() == b"a,b\n1,2\n"
    for file in gateway.uploads():
        file.unlink()


def test_an_empty_body_is_422(gateway: Gateway) -> None:
    response = httpx.post(f"{gateway.url}/v1/datasets?name=empty")
    assert (response.status_code, response.json()["code"]) == (422, "body_empty")
    assert gateway.uploads() == []


def can_mount() -> bool:
    """Whether this user may mount a file system in a namespace of its own."""
    unshare = shutil.which("unshare")
    probe = [unshare or "", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return unshare is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path, broker_url: str) -> Iterator[Gateway]:
    """A gateway whose uploads lie on a disk of 4 MiB."""
    if not can_mount():
        pytest.skip("this user may not mount a file system in a namespace of its own (unshare -rm)")
    settings = Settings(home=tmp_path, port=free_port(), broker_url=broker_url)
    settings.make_directories()
    mount = f'mount -t tmpfs -o size=4m,mode=700 none "{settings.uploads}" && exec "$0" "$@"'
    with running_gateway(settings, ("unshare", "-rm", "sh", "-c", mount)) as running:
        yield running


def test_a_full_disk_is_507_and_leaves_nothing(small_disk: Gateway) -> None:
    url = f"{small_disk.url}/v1/datasets"
    for name, body in (("raw", {"content": b"x" * 8 * MIB}), ("multipart", {"files": {"file": b"x" * 8 * MIB}})):
        response = httpx.post(url, params={"name": name}, **body)
        assert (response.status_code, response.json()["code"]) == (507, "storage_full")
        assert httpx.get(f"{url}/{name}").status_code == 404
    seen_inside = Path(f"/proc/{small_disk.process.pid}/root{small_disk.settings.uploads}")
    assert list(seen_inside.iterdir()) == []
    assert httpx.get(f"{small_disk.url}/v1/jobs").json()["items"] == []
    # There is room again for what fits.
    assert httpx.post(url, params={"name": "small"}, content=b"a,b\n1,2\n").status_code == 202
