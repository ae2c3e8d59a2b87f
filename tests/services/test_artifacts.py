"""The artifact store keeps whole files under their digest."""

import hashlib
from pathlib import Path

import pytest

from services.artifacts import ArtifactStore


def test_a_file_is_found_under_its_digest(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"weights" * 1000)
    stored = ArtifactStore(tmp_path / "store").put(source)
    assert stored.sha256 == hashlib.sha256(b"weights" * 1000).hexdigest()
    assert stored.size == 7000
    assert ArtifactStore(tmp_path / "store").path(stored.sha256).read_bytes() == b"weights" * 1000


def test_the_same_content_twice_is_one_file(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"same")
        store.put(tmp_path / name)
    assert sum(path.is_file() for path in store.root.rglob("*")) == 1


def test_a_source_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    with pytest.raises(IsADirectoryError):
        store.put(tmp_path)
    assert not any(path.is_file() for path in store.root.rglob("*"))
