"""What a job's process gets of the machine."""

from pathlib import Path
from typing import Any

import pytest

from models.run import Assignment
from services.settings import Settings
from workers.assignments import MAX_REGISTER_SECONDS, Slot, provide
from workers.child import Provision

SETTINGS = Settings(home=Path("home"), max_ingest_memory_bytes=5, max_ingest_seconds=7)


def provision(kind: str, version: dict[str, Any] | None = None) -> Provision:
    here = Path()
    assignment = Assignment(
        kind=kind,
        request={},
        attempt=1,
        scratch=here,
        checkpoints=here,
        checkpoint_interval_seconds=30,
        threads=1,
        version=version,
    )
    return provide(SETTINGS, assignment, Slot(threads=1))


@pytest.mark.parametrize(
    ("kind", "version", "seconds"),
    [
        ("ingest", None, 7),
        ("register", None, MAX_REGISTER_SECONDS),
        ("evaluate", {"trusted": False}, 7),
        ("optimize", {"trusted": False}, 7),
    ],
)
def test_what_a_user_sent_in_is_read_with_bounds(kind: str, version: dict[str, Any] | None, seconds: float) -> None:
    given = provision(kind, version)
    assert (given.trusted, given.max_memory_bytes, given.max_seconds) == (False, 5, seconds)


@pytest.mark.parametrize(
    ("kind", "version"), [("train", None), ("evaluate", {}), ("infer", {"trusted": True}), ("optimize", {})]
)
def test_what_was_made_here_is_read_without(kind: str, version: dict[str, Any] | None) -> None:
    given = provision(kind, version)
    assert (given.trusted, given.max_memory_bytes, given.max_seconds) == (True, None, None)
