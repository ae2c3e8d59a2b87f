"""The SDK while the real gateway dies and comes back."""

from pathlib import Path

import pytest

from client.api import Syllabus
from tests.stack import Stack


@pytest.mark.slow
def test_a_job_is_followed_through_kills_of_the_gateway_without_gap_or_double(tmp_path: Path) -> None:
    with Stack(tmp_path, without=("ingester", "sweeper")) as stack, Syllabus(stack.url) as api:
        job = api.train("mlp", "digits", training={"epochs": 40})
        ids, kills = [], 0
        for event in api.jobs.events(job["id"]):
            ids.append(int(event.id))
            if kills < 3 and event.type == "metric" and len(ids) > 20 * (kills + 1):
                stack.restart("api")
                kills += 1
        assert (kills, event.data["state"]) == (3, "succeeded")
        assert ids == list(range(1, len(ids) + 1))
