"""What a trial is told of the others."""

from services.resources import Resources
from services.studies import history, trials
from services.tables import Job
from tests.services.studies.searching import fail, search, succeed, taken


def test_a_trial_is_told_of_all_that_came_before_and_of_those_of_the_search_it_began_with(
    resources: Resources,
) -> None:
    earlier = search(resources, trials=1)
    succeed(resources, taken(resources), 0.4)
    search_id = search(resources, parallelism=4, trials=5, warm_start=earlier)
    assert taken(resources).id == earlier
    jobs = [taken(resources) for _ in range(4)]
    with resources.database.transaction() as session:
        trials.suggest(session, jobs[0].id, {"training.l2": 0.1}, {})
    succeed(resources, jobs[0], 0.5)
    succeed(resources, jobs[1], 0.6, pruned=True)
    fail(resources, jobs[2])
    with resources.database.transaction() as session:
        study = history.study(session, jobs[3])
        assert history.study(session, session.get_one(Job, search_id))["number"] is None
        assert history.search_of(session, jobs[3]).id == search_id
    assert (study["id"], study["number"]) == (search_id, 3)
    told = [(record["number"], record["state"], record["warm"]) for record in study["trials"]]
    assert told[0] == (0, "complete", True)
    assert told[1:5] == [(0, "complete", False), (1, "pruned", False), (2, "failed", False), (3, "running", False)]
    own = study["trials"][1]
    assert (own["parameters"], own["values"]) == ({"training.l2": 0.1}, {"val_accuracy": 0.5})
    assert own["intermediate"] == [[1, 0.5]]
    assert study["trials"][3]["error"]["code"] == "diverged"
