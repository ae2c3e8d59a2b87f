"""The artifact store: files addressed by their SHA-256, written once and never changed."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class StoredFile:
    """A file in the store."""

    sha256: str
    size: int


def sync_directory(path: Path) -> None:
    """Make a rename in `path` survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ArtifactStore:
    """Files under `root/ab/abcd…`. Two writers of the same content meet in the same name, harmlessly."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Where the file with this digest is, or would be."""
        return self.root / sha256[:2] / sha256

    def put(self, source: Path) -> StoredFile:
        """Copy `source` into the store, durably: a reader sees the whole file or none.

        Raises `OSError` (`ENOSPC` when the disk is full), leaving nothing behind.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        descriptor, temporary = tempfile.mkstemp(dir=self.root, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as target, source.open("rb") as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            path = self.path(digest.hexdigest())
            path.parent.mkdir(exist_ok=True)
            sync_directory(self.root)
            Path(temporary).rename(path)
            sync_directory(path.parent)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return StoredFile(digest.hexdigest(), size)


def remove_tree(path: Path) -> None:
    """Delete a directory; one that is already gone is no error."""
    shutil.rmtree(path, ignore_errors=True)
