"""What is sent as a data set."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from client.api import Syllabus
from client.datasets import default_name
from client.errors import Unreachable
from client.uploads import CHUNK_BYTES, zip_directory
from tests.client.web import Handler, Request, serving

ACCEPTED = b'{"job": {"id": "1", "kind": "ingest"}}'


def accept(handler: Handler, request: Request) -> None:
    handler.send(202, ACCEPTED)


def test_a_file_is_sent_with_its_length_while_progress_is_told(tmp_path: Path) -> None:
    source = tmp_path / "table.csv"
    source.write_bytes(b"x" * (CHUNK_BYTES + 5))
    told: list[tuple[int, int]] = []
    with serving(accept) as web, Syllabus(web.url) as api:
        job = api.datasets.upload(source, on_progress=lambda sent, total: told.append((sent, total)))
    request = web.requests[0]
    assert job == {"id": "1", "kind": "ingest"}
    assert request.body == source.read_bytes()
    assert request.headers["content-length"] == str(CHUNK_BYTES + 5)
    assert request.path == "/v1/datasets?name=table&format=auto"
    assert told == [(CHUNK_BYTES, CHUNK_BYTES + 5), (CHUNK_BYTES + 5, CHUNK_BYTES + 5)]


def test_a_model_is_sent_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "net.onnx"
    source.write_bytes(b"onnx")
    with serving(accept) as web, Syllabus(web.url) as api:
        assert api.models.register(source, "mine") == {"id": "1", "kind": "ingest"}
    assert (web.requests[0].path, web.requests[0].body) == ("/v1/models?name=mine", b"onnx")


def test_options_travel_in_the_query_as_the_service_reads_them(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_bytes(b"a,b\n")
    options = {"target": "price", "image_size": [28, 28], "channels": 1, "task": None}
    with serving(accept) as web, Syllabus(web.url) as api:
        api.datasets.upload(source, "prices", format="csv", options=options)
    assert web.requests[0].path == (
        "/v1/datasets?name=prices&format=csv&target=price&image_size=%5B28%2C+28%5D&channels=1"
    )


def test_a_directory_is_sent_as_a_zip_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "flowers"
    for name in ("rose/1.jpg", "rose/2.jpg", "tulip/1.jpg", ".git/config", "rose/.DS_Store"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (folder / "tulip" / "link.jpg").symlink_to("/etc/hostname")
    os.utime(folder / "rose" / "1.jpg", (0, 0))
    with serving(accept) as web, Syllabus(web.url) as api:
        api.datasets.upload(folder)
    assert web.requests[0].path == "/v1/datasets?name=flowers&format=auto"
    with zipfile.ZipFile(io.BytesIO(web.requests[0].body)) as archive:
        assert archive.namelist() == ["rose/1.jpg", "rose/2.jpg", "tulip/1.jpg"]
        assert archive.read("tulip/1.jpg") == b"tulip/1.jpg"


def test_a_directory_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no files"):
        zip_directory(tmp_path, io.BytesIO())


def test_an_upload_that_broke_off_is_not_repeated(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_bytes(b"a,b\n")
    with (
        serving(lambda handler, request: handler.hang_up()) as web,
        Syllabus(web.url) as api,
        pytest.raises(Unreachable),
    ):
        api.datasets.upload(source)
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    ("path", "name"), [("a/flowers.zip", "flowers"), ("flowers.tar.gz", "flowers"), ("t.csv", "t")]
)
def test_a_data_set_is_named_after_its_file(path: str, name: str) -> None:
    assert default_name(Path(path)) == name
