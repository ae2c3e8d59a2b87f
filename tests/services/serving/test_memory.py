"""The memory of what waits: bounded, but never so that something cannot be run at all."""

import pytest

from services.errors import TooManyRequests
from services.serving.memory import QueueMemory


def test_what_fits_is_taken_and_no_more() -> None:
    memory = QueueMemory(100)
    memory.take(60)
    memory.take(40)
    with pytest.raises(TooManyRequests) as refusal:
        memory.take(1)
    assert refusal.value.code == "queue_full"
    memory.give_back(40)
    memory.take(1)
    assert memory.used == 61


def test_what_is_larger_than_all_of_it_is_taken_alone() -> None:
    memory = QueueMemory(100)
    memory.take(1000)
    assert not memory.has_room(1)
    memory.give_back(1000)
    assert memory.has_room(1000)
