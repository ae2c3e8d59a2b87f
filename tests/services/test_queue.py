"""The doorbell rings when it can and never stops a request when it cannot."""

import contextlib

import pytest
from kombu.exceptions import OperationalError

from services.database import after_commit
from services.queue import Doorbell
from services.resources import Resources
from services.settings import Settings
from tests.stack import answers, broker_process


def test_a_ring_is_heard_only_after_the_commit(resources: Resources) -> None:
    before = resources.doorbell.depth("gpu")
    with resources.database.transaction() as session:
        after_commit(session, lambda: resources.doorbell.ring("gpu"))
        assert resources.doorbell.depth("gpu") == before
    assert resources.doorbell.depth("gpu") == before + 1


def test_a_transaction_that_fails_rings_for_nothing(resources: Resources) -> None:
    before = resources.doorbell.depth("gpu")
    with contextlib.suppress(ZeroDivisionError), resources.database.transaction() as session:
        after_commit(session, lambda: resources.doorbell.ring("gpu"))
        raise ZeroDivisionError
    assert resources.doorbell.depth("gpu") == before


def test_a_broker_that_died_and_came_back_is_rung_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(home=tmp_path_factory.mktemp("b"))
    settings.make_directories()
    doorbell = Doorbell(settings)
    doorbell.ring("cpu")
    with pytest.raises((OperationalError, OSError)):
        doorbell.ping()
    for _ in range(2):
        with broker_process(settings):
            assert answers(settings)
            doorbell.ring("cpu")
            assert doorbell.depth("cpu") == 1
        doorbell.ring("cpu")
    doorbell.close()
