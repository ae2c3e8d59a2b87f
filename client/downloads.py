"""Files fetched from the service: written beside their place, checked, then moved into it."""

import hashlib
from pathlib import Path
from uuid import uuid4

import httpx

from client.errors import ChecksumMismatch


def save(response: httpx.Response, target: Path, sha256: str) -> Path:
    """Write the streamed body of `response` to `target`, which appears only when it is whole.

    Raises ChecksumMismatch, leaving nothing, when the body's SHA-256 is not `sha256` (hex).
    """
    digest = hashlib.sha256()
    partial = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        with partial.open("xb") as file:
            for chunk in response.iter_bytes():
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256:
            raise ChecksumMismatch(sha256, digest.hexdigest())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target
