"""Files that are sent to the service, read while they go out."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from client.http import Connection, Json

# Called with the bytes sent so far and in all.
OnProgress = Callable[[int, int], None]

CHUNK_BYTES = 256 * 1024


def send(
    connection: Connection, path: str, source: Path, params: Mapping[str, Any], on_progress: OnProgress | None
) -> Json:
    """POST a file, or a directory as a zip, and return the answer. An upload that broke off is not repeated.

    Raises FileNotFoundError, ValueError (an empty directory), ApiError, Unreachable.
    """
    with upload_body(source) as (file, size):
        return connection.json(
            "POST",
            path,
            params=params,
            content=chunks(file, size, on_progress),
            headers={"Content-Length": str(size), "Content-Type": "application/octet-stream"},
            # Nothing bounds how long the service may take to write a large body to its disk.
            timeout=httpx.Timeout(30, read=600, write=600),
        )


@contextmanager
def upload_body(source: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open `source` for sending and give its size in bytes; a directory becomes a temporary zip.

    Raises FileNotFoundError when there is no such path, ValueError for a directory without files.
    """
    if source.is_dir():
        with tempfile.TemporaryFile() as archive:
            zip_directory(source, archive)
            size = archive.tell()
            archive.seek(0)
            yield archive, size
    else:
        with source.open("rb") as file:
            yield file, source.stat().st_size


def zip_directory(directory: Path, archive: BinaryIO) -> None:
    """Write the files below `directory` as a zip, in name order.

    They are stored as they are, since images are compressed already. Hidden files (`.DS_Store`) and links
    are left out. Raises ValueError when no file remains.
    """
    files = [path for path in sorted(directory.rglob("*")) if _belongs(path, directory)]
    if not files:
        raise ValueError(
            f"{directory} holds no files; a folder to upload holds a directory, or a file of text, for each class"
        )
    # Times before 1980 do not fit in a zip; strict_timestamps=False moves them there.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, strict_timestamps=False) as zipped:
        for path in files:
            zipped.write(path, path.relative_to(directory).as_posix())


def chunks(file: BinaryIO, size: int, on_progress: OnProgress | None) -> Iterator[bytes]:
    """The bytes of `file`, telling `on_progress` after each chunk that was handed on."""
    sent = 0
    while chunk := file.read(CHUNK_BYTES):
        yield chunk
        sent += len(chunk)
        if on_progress is not None:
            on_progress(sent, size)


def _belongs(path: Path, directory: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
    return path.is_file() and not path.is_symlink() and not hidden
