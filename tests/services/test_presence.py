"""Workers are seen while they announce themselves."""

from sqlalchemy import update

from services import presence
from services.resources import Resources
from services.tables import Worker


def worker(name: str, queues: list[str], devices: list[str]) -> Worker:
    return Worker(id=name, host="h", pid=1, queues=queues, devices=devices, slots=1, busy=0)


def test_a_worker_is_listed_until_it_leaves_or_falls_silent(resources: Resources) -> None:
    with resources.database.transaction() as session:
        for name in ("stays", "leaves", "dies"):
            presence.announce(session, worker(name, ["cpu"], []))
        presence.leave(session, "leaves")
        session.execute(update(Worker).where(Worker.id == "dies").values(seen_at=Worker.seen_at - 31))
        assert [each.id for each in presence.workers(session)] == ["stays"]


def test_a_gpu_counts_only_where_gpu_jobs_are_taken(resources: Resources) -> None:
    with resources.database.transaction() as session:
        presence.announce(session, worker("cpu", ["gpu", "cpu"], []))
        assert not presence.has_gpu(session)
        presence.announce(session, worker("gpu", ["gpu"], ["0"]))
        assert presence.has_gpu(session)
