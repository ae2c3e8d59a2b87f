"""Checkpoints that are never torn: each file is whole and proven so by its digest, or it is not used.

A file is the SHA-256 of a payload and then the payload, which `torch.load` reads with `weights_only`.
It is written under a temporary name, flushed to disk and renamed, and the directory flushed, so that a
kill or a full disk at any moment leaves the previous checkpoints as they were.
"""

import os
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

KEPT = 2
_DIGEST_BYTES = 32
_SUFFIX = ".checkpoint"


def save(directory: Path, step: int, state: dict[str, Any], *, kept: int = KEPT) -> Path:
    """Write the state after this many steps; the newest `kept` checkpoints are kept.

    Raises:
        OSError: the disk is full or broken; nothing is changed but for what may be left of the
            temporary file, which is removed.
    """
    buffer = BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    path = directory / f"{step:012d}{_SUFFIX}"
    temporary = directory / "next.partial"
    try:
        with temporary.open("wb") as file:
            file.write(sha256(payload).digest())
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    _flush(directory)
    for old in _newest_first(directory)[kept:]:
        old.unlink(missing_ok=True)
    return path


def newest(directory: Path) -> dict[str, Any] | None:
    """The state of the newest checkpoint that is whole; None if there is none."""
    for path in _newest_first(directory):
        content = memoryview(path.read_bytes())
        payload = content[_DIGEST_BYTES:]
        if sha256(payload).digest() == content[:_DIGEST_BYTES]:
            state: dict[str, Any] = torch.load(BytesIO(payload), weights_only=True, map_location="cpu")
            return state
    return None


def _newest_first(directory: Path) -> list[Path]:
    return sorted(directory.glob(f"*{_SUFFIX}"), reverse=True)


def _flush(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
