import optuna
import pytest
from optuna.trial import TrialState

from models.search.history import Objective
from tests.models.search.studies import DROPOUT, LEARNING_RATE, history_of, record_of, request_of

PARAMETERS = {"training.optimizer.learning_rate": 0.01, "hyperparameters.dropout": 0.25}
STEPS = [[1, 0.8], [2, 0.9]]
RECORDS = [
    record_of(
        0, parameters=PARAMETERS, values={"val_loss": 0.5, "val_accuracy": 0.9}, intermediate=[[1, 0.8], [2, 0.9]]
    ),
    record_of(1, "failed", parameters=PARAMETERS, error={"code": "training_diverged", "detail": "it did"}),
    record_of(2, "pruned", parameters=PARAMETERS, values={"val_accuracy": 0.3}, intermediate=[[1, 0.2], [2, 0.3]]),
    record_of(3, "running"),
    record_of(4, "running", parameters=PARAMETERS),
    record_of(5, "running"),
]
REQUEST = request_of(dimensions=[LEARNING_RATE, DROPOUT])


def test_a_study_has_every_trial_in_the_place_of_its_number() -> None:
    study = history_of(REQUEST, RECORDS[::-1]).study()
    assert study.study_name == "a-search"
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "FAIL", "PRUNED", "FAIL", "RUNNING", "FAIL"]
    assert [trial.number for trial in study.trials] == [0, 1, 2, 3, 4, 5]
    complete, pruned = study.trials[0], study.trials[2]
    assert complete.value == 0.9
    assert complete.params == {"training.optimizer.learning_rate": 0.01, "hyperparameters.dropout": "0.25"}
    assert complete.intermediate_values == {1: 0.8, 2: 0.9}
    assert pruned.value == 0.3


def test_the_trial_that_asks_is_the_one_of_its_number() -> None:
    study = history_of(REQUEST, RECORDS).study(asking=3)
    assert study.trials[3].state == TrialState.WAITING
    assert study.ask().number == 3


def test_trials_of_an_earlier_search_stand_before_its_own_and_have_no_attributes() -> None:
    attributes = {"cma:generation": 1, "completed_rung_0": 0.5, "epochs": 3}
    warm = [{**RECORDS[0], "number": 17, "warm": True, "attributes": attributes}]
    own = [{**RECORDS[0], "attributes": attributes}, record_of(1, "running")]
    history = history_of(REQUEST, [*own, *warm])
    assert history.study(asking=1).ask().number == 2
    first, second = history.study().trials[:2]
    assert first.system_attrs == {}
    assert second.system_attrs == {"cma:generation": 1, "completed_rung_0": 0.5}
    assert len(history.study(warm=False).trials) == 2
    assert [record.number for record in history.records] == [0, 1]


def test_what_is_taken_over_of_an_earlier_search_is_told() -> None:
    request = {**REQUEST, "warm_start": "earlier"}
    earlier = [{**record, "warm": True} for record in RECORDS]
    assert history_of(request, earlier[:1]).warm_start == "1 of 1 trials of search earlier taken over"
    assert history_of(request, earlier).warm_start == (
        "2 of 6 trials of search earlier taken over, 4 left out: unfinished, not in this space, or without its metrics"
    )
    assert history_of(REQUEST, RECORDS).warm_start is None


def test_several_objectives_have_a_value_each() -> None:
    objectives = [{"metric": "val_loss", "direction": "minimize"}, {"metric": "val_accuracy", "direction": "maximize"}]
    history = history_of(request_of(objectives=objectives), RECORDS)
    assert history.objectives[1] == Objective("val_accuracy", "maximize")
    assert history.study().trials[0].values == [0.5, 0.9]
    assert history.study().trials[2].state == TrialState.FAIL
    assert history.of_first_objective().study().trials[2].state == TrialState.PRUNED
    assert history.of_first_objective().study().best_value == 0.5


def test_nothing_is_written_and_the_log_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    history_of(REQUEST, RECORDS).study(asking=3).ask()
    assert capfd.readouterr() == ("", "")
