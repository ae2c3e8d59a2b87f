from pathlib import Path
from typing import Any

import pytest

from models.errors import JobError, TrainingDiverged
from models.run import Outcome, Stopped, run
from tests.models.running import Recorder, context_of, wish_at_poll
from tests.models.search.studies import DROPOUT, LEARNING_RATE, record_of, request_of, run_trial, run_trials

Json = dict[str, Any]
SHORT = {"epochs": 3, "batch_size": 16}
MANUAL: Json = {"strategy": "manual", "dimensions": []}


def trial_of(outcome: Outcome) -> Json:
    assert outcome.trial is not None
    return outcome.trial


def test_a_trial_trains_as_a_train_job_does(iris: Path, tmp_path: Path) -> None:
    recorder, trained = Recorder(), Recorder()
    outcome = run_trial(tmp_path / "trial", iris, request_of(training=SHORT), [], 0, report=recorder)
    ((parameters, attributes),) = recorder.suggestions
    assert set(parameters) == {"training.optimizer.learning_rate", "hyperparameters.dropout"}
    assert attributes == {}
    request = {
        "architecture": "mlp",
        "hyperparameters": {"dropout": parameters["hyperparameters.dropout"]},
        "training": {
            **SHORT,
            "optimizer": {"name": "adam", "learning_rate": parameters["training.optimizer.learning_rate"]},
        },
    }
    best_epoch = run(context_of(tmp_path / "train", "train", request, dataset=iris, report=trained)).result[
        "best_epoch"
    ]
    values = {name: trained.series[name][best_epoch - 1][1] for name in trained.series if name.startswith("val_")}
    assert values.keys() == {"val_loss", "val_accuracy", "val_balanced_accuracy"}
    assert trial_of(outcome) == {
        "pruned": False,
        "values": values,
        "intermediate": [[epoch, value] for epoch, (_, value) in enumerate(trained.series["val_accuracy"], 1)],
        "attributes": {"epochs": 3, "best_epoch": best_epoch},
    }
    assert recorder.series["val_loss"] == trained.series["val_loss"]
    result = outcome.result
    assert result["parameters"] == parameters
    assert (result["number"], result["values"], result["epochs"], result["pruned"]) == (0, values, 3, False)
    assert outcome.version is None
    assert outcome.files == ()


def test_a_later_attempt_keeps_what_the_first_was_given(iris: Path, tmp_path: Path) -> None:
    parameters = {"training.optimizer.learning_rate": 0.02, "hyperparameters.dropout": 0.5}
    own = record_of(0, "running", parameters=parameters, attributes={"cma:generation": 0})
    recorder = Recorder()
    request = request_of(strategy="evolution", training=SHORT)
    outcome = run_trial(tmp_path, iris, request, [own], 0, report=recorder)
    assert recorder.suggestions == []
    assert outcome.result["parameters"] == parameters
    assert trial_of(outcome)["attributes"]["cma:generation"] == 0


def test_a_trial_says_what_its_search_takes_over_of_an_earlier_one(iris: Path, tmp_path: Path) -> None:
    values = {"training.optimizer.learning_rate": 0.02, "hyperparameters.dropout": 0.5}
    known = [record_of(0, parameters=values, values={"val_accuracy": 0.5}, warm=True)]
    recorder = Recorder()
    run_trial(tmp_path, iris, request_of(training=SHORT, warm_start="earlier"), known, 0, report=recorder)
    assert recorder.lines[0] == "info: 1 of 1 trials of search earlier taken over"


def test_a_paused_trial_ends_with_the_same_numbers(iris: Path, tmp_path: Path) -> None:
    request = request_of(training=SHORT, pruner="median")
    whole = run_trial(tmp_path / "whole", iris, request, [], 0)
    recorder = Recorder(wish_at_poll(12, "pause"))
    with pytest.raises(Stopped, match="pause"):
        run_trial(tmp_path / "paused", iris, request, [], 0, report=recorder)
    own = record_of(0, "running", parameters=recorder.suggestions[0][0])
    resumed = Recorder()
    again = run_trial(tmp_path / "paused", iris, request, [own], 0, report=resumed)
    assert any("resumed after step" in line for line in resumed.lines)
    assert again.trial == whole.trial


def test_a_trial_is_given_up_when_it_does_worse_than_the_others_did(iris: Path, tmp_path: Path) -> None:
    good = [
        record_of(
            number,
            parameters={"training.optimizer.learning_rate": 0.01, "hyperparameters.dropout": 0.0},
            values={"val_accuracy": 2.0},
            intermediate=[[1, 0.0], [2, 2.0], [3, 2.0], [4, 2.0]],
        )
        for number in range(6)
    ]
    request = request_of(training={"epochs": 4}, pruner="median")
    outcome = run_trial(tmp_path, iris, request, good, 6)
    trial = trial_of(outcome)
    assert trial["pruned"] is True
    assert [step for step, _ in trial["intermediate"]] == [1, 2]
    assert trial["values"]["val_accuracy"] == trial["intermediate"][-1][1]
    assert trial["attributes"] == {"epochs": 2, "best_epoch": None}
    assert outcome.result["pruned"] is True


def test_training_that_diverges_is_a_failure_with_its_cause(diabetes: Path, tmp_path: Path) -> None:
    configurations = [{"training.optimizer": {"name": "sgd", "learning_rate": 100.0}}]
    recorder = Recorder()
    request = request_of(
        **MANUAL,
        architecture="linear",
        configurations=configurations,
        training={"epochs": 20},
        objectives=[{"metric": "val_loss", "direction": "minimize"}],
    )
    with pytest.raises(TrainingDiverged, match=r"Lower `training\.optimizer\.learning_rate`"):
        run_trial(tmp_path, diabetes, request, [], 0, report=recorder)
    assert recorder.suggestions == [(configurations[0], {})]


def test_a_configuration_that_cannot_be_trained_is_a_failure_with_its_cause(iris: Path, tmp_path: Path) -> None:
    request = request_of(**MANUAL, configurations=[{"hyperparameters.dropout": 7}])
    with pytest.raises(JobError, match=r"hyperparameters\.dropout"):
        run_trial(tmp_path, iris, request, [], 0)


def test_latency_and_parameters_are_measured_where_they_are_looked_for(iris: Path, tmp_path: Path) -> None:
    objectives = [
        {"metric": "val_accuracy", "direction": "maximize"},
        {"metric": "latency_ms", "direction": "minimize"},
        {"metric": "parameters", "direction": "minimize"},
    ]
    configurations = [{"hyperparameters.hidden_dims": [8]}]
    for folds in (0, 2):
        request = request_of(**MANUAL, configurations=configurations, objectives=objectives, folds=folds)
        values = run_trial(tmp_path / str(folds), iris, request, [], 0).result["values"]
        assert values["parameters"] == 4 * 8 + 8 + 8 * 3 + 3
        assert 0 < values["latency_ms"] < 1000
        assert 0 <= values["val_accuracy"] <= 1


def test_a_metric_that_the_task_lacks_is_refused(iris: Path, tmp_path: Path) -> None:
    objectives = [{"metric": "val_r2", "direction": "maximize"}]
    with pytest.raises(JobError, match="no val_r2: it has val_loss, val_accuracy"):
        run_trial(tmp_path, iris, request_of(objectives=objectives), [], 0)


def test_with_folds_a_trial_is_worth_the_mean_over_them(iris: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    request = request_of(**MANUAL, configurations=[{"training.batch_size": 8}], folds=3)
    outcome = run_trial(tmp_path, iris, request, [], 0, report=recorder)
    each = [value for _, value in recorder.series["val_accuracy"]]
    trial = trial_of(outcome)
    assert trial["intermediate"] == [
        [1, pytest.approx(each[0])],
        [2, pytest.approx(sum(each[:2]) / 2)],
        [3, pytest.approx(sum(each) / 3)],
    ]
    assert trial["values"]["val_accuracy"] == pytest.approx(sum(each) / 3)
    assert trial["attributes"]["epochs"] == 6
    assert trial["attributes"]["best_epoch"] in (1, 2)


def test_between_folds_a_trial_may_be_given_up(iris: Path, tmp_path: Path) -> None:
    good = [
        record_of(number, parameters={"training.batch_size": 8}, values={"val_accuracy": 2.0}, intermediate=[[1, 2.0]])
        for number in range(6)
    ]
    configurations = [{"training.batch_size": 8}] * 7
    request = request_of(**MANUAL, configurations=configurations, folds=3, pruner="median")
    outcome = run_trial(tmp_path, iris, request, good, 6)
    trial = trial_of(outcome)
    assert (trial["pruned"], len(trial["intermediate"]), trial["attributes"]["epochs"]) == (True, 1, 2)


def test_a_paused_trial_of_folds_ends_with_the_same_numbers(iris: Path, tmp_path: Path) -> None:
    request = request_of(**MANUAL, configurations=[{"training.batch_size": 8}], folds=3, pruner="median")
    whole = run_trial(tmp_path / "whole", iris, request, [], 0)
    with pytest.raises(Stopped, match="pause"):
        run_trial(tmp_path / "paused", iris, request, [], 0, report=Recorder(wish_at_poll(40, "pause")))
    assert run_trial(tmp_path / "paused", iris, request, [], 0).trial == whole.trial


def test_batch_sizes_10_to_100_by_20_are_five_runs(iris: Path, tmp_path: Path) -> None:
    """The worked example of a grid."""
    batch_size = {"path": "training.batch_size", "kind": "int", "low": 10, "high": 100, "step": 20}
    request = request_of(strategy="grid", dimensions=[batch_size], trials=5, training={"epochs": 1})
    records = run_trials(tmp_path, iris, request)
    assert [record["parameters"]["training.batch_size"] for record in records] == [10, 30, 50, 70, 90]
    assert all(record["state"] == "complete" for record in records)


def test_several_architectures_are_searched_together(iris: Path, tmp_path: Path) -> None:
    dimensions = [
        {"path": "architecture", "kind": "choice", "choices": ["mlp", "logistic"]},
        LEARNING_RATE,
        {**DROPOUT, "when": [{"path": "architecture", "values": ["mlp"]}]},
    ]
    request = request_of(architecture=["mlp", "logistic"], dimensions=dimensions, trials=6, training={"epochs": 1})
    records = run_trials(tmp_path, iris, request)
    assert {record["parameters"]["architecture"] for record in records} == {"mlp", "logistic"}
    assert all(record["state"] == "complete" for record in records)
