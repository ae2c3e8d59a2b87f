import json

import jsonschema
import pytest

from models import catalogue, registry
from models.training.settings import TrainingSettings

BUILT = catalogue.build()


def test_the_snapshot_is_fresh() -> None:
    assert catalogue.is_fresh(), "run `python -m models catalogue --write`"


def test_a_change_makes_the_snapshot_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "METRICS", ())
    assert not catalogue.is_fresh()


def test_every_architecture_is_in_it_with_its_references() -> None:
    assert [architecture["name"] for architecture in BUILT["architectures"]] == registry.names()
    lenet = next(architecture for architecture in BUILT["architectures"] if architecture["name"] == "lenet")
    assert lenet["references"] == [
        {"name": "lenet-5", "hyperparameters": {}, "input": [1, 32, 32], "classes": 10, "parameters": 61706}
    ]


def test_every_schema_is_valid_and_closed() -> None:
    options = [entry["options"] for kind in ("optimizers", "schedulers", "losses") for entry in BUILT[kind]]
    hyperparameters = [architecture["hyperparameters"] for architecture in BUILT["architectures"]]
    for schema in [*options, *hyperparameters, BUILT["training"]]:
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize("kind", ["optimizer", "scheduler", "loss"])
def test_every_name_can_be_asked_for(kind: str) -> None:
    entries = BUILT["losses" if kind == "loss" else f"{kind}s"]
    for entry in entries:
        request = {kind: {"name": entry["name"]}}
        jsonschema.validate(request, BUILT["training"])
        TrainingSettings.model_validate(request)
        assert "name" not in entry["options"]["properties"]


def test_tasks_name_metrics_and_losses_that_there_are() -> None:
    for task in BUILT["tasks"]:
        assert set(task["metrics"]) <= {metric["name"] for metric in BUILT["metrics"]}
        assert set(task["losses"]) <= {loss["name"] for loss in BUILT["losses"]}
    json.dumps(BUILT, allow_nan=False)
