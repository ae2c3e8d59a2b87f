"""Answers that are files of the artifact store."""

import base64
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException
from starlette.responses import MalformedRangeHeader, RangeNotSatisfiable, Response

from services.errors import Unavailable

FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The ranges asked for."},
    304: {"description": "The client's copy is the current one."},
    416: {"description": "No such range of the file."},
}


class _Attachment(FileResponse):
    """A `Range` that cannot be read is as none (RFC 9110, 14.2), and one beyond the file an error as all others are."""

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except MalformedRangeHeader:
            return []
        except RangeNotSatisfiable as error:
            detail = f"The file has {file_size} bytes; ask for some of them."
            raise HTTPException(416, detail, {"content-range": f"bytes */{file_size}"}) from error


def _names(if_none_match: str, etag: str) -> bool:
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in candidates or "*" in candidates


def file_response(request: Request, path: Path, *, sha256: str, name: str, media_type: str) -> Response:
    """The file as an attachment, with its digest in `ETag`, `X-Checksum-SHA256` and `Repr-Digest` (RFC 9530).

    304 if the client's `If-None-Match` has it already. A file never changes under its digest, so it may be
    cached for ever. Raises `Unavailable` if it is not there.
    """
    etag = f'"{sha256}"'
    headers = {
        "etag": etag,
        "x-checksum-sha256": sha256,
        "repr-digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:",
        "cache-control": "private, no-cache",
    }
    if _names(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    try:
        stat = path.stat()
    except FileNotFoundError as error:
        raise Unavailable("artifact_missing", f"The file of {name!r} is not in the artifact store.") from error
    return _Attachment(path, headers=headers, media_type=media_type, filename=name, stat_result=stat)
