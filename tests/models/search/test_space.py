from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from models.search.space import MAX_LABEL, Space, configured, labels
from shapes.search import Dimension
from tests.models.search.studies import BATCH_SIZE, DROPOUT, LEARNING_RATE, request_of


def space(*dimensions: dict[str, Any], **given: Any) -> Space:
    return Space.of(request_of(dimensions=list(dimensions), **given))


def test_a_dimension_becomes_a_distribution_of_optuna() -> None:
    distributions = space(LEARNING_RATE, BATCH_SIZE, DROPOUT).distributions
    assert distributions["training.optimizer.learning_rate"] == FloatDistribution(1e-4, 1e-1, log=True)
    assert distributions["training.batch_size"] == IntDistribution(10, 90, step=20)
    assert distributions["hyperparameters.dropout"] == CategoricalDistribution(["0.0", "0.25", "0.5"])


def test_choices_of_any_kind_have_short_labels_that_differ() -> None:
    long = [{"type": "dense", "units": 1000 + unit} for unit in range(5)]
    choices = (None, True, 1, "1", [16, 8], long, [*long, *long])
    texts = labels(Dimension(path="x", kind="choice", choices=choices))
    assert texts[:2] == ["null", "true"]
    assert texts[4] == "[16, 8]"
    assert len(set(texts)) == len(choices)
    assert max(map(len, texts)) <= MAX_LABEL + len("0: ")


def test_values_survive_being_labels() -> None:
    dimensions = {"path": "hyperparameters.hidden_dims", "kind": "choice", "choices": [[4], [16, 8]]}
    assert space(dimensions).inside({"hyperparameters.hidden_dims": [16, 8]}) == {
        "hyperparameters.hidden_dims": "[16, 8]"
    }


MOMENTUM = {
    "path": "training.optimizer.momentum",
    "kind": "float",
    "low": 0.0,
    "high": 0.9,
    "when": [{"path": "training.optimizer.name", "values": ["sgd", "rmsprop"]}],
}
OPTIMIZER = {"path": "training.optimizer.name", "kind": "choice", "choices": ["sgd", "adam"]}


@pytest.mark.parametrize(
    ("parameters", "within"),
    [
        ({"training.optimizer.name": "adam"}, True),
        ({"training.optimizer.name": "sgd", "training.optimizer.momentum": 0.9}, True),
        ({"training.optimizer.name": "sgd"}, False),
        ({"training.optimizer.name": "adam", "training.optimizer.momentum": 0.5}, False),
        ({"training.optimizer.name": "sgd", "training.optimizer.momentum": 0.91}, False),
        ({"training.optimizer.name": "adagrad"}, False),
        ({"training.optimizer.name": "sgd", "training.optimizer.momentum": "0.5"}, False),
        ({"training.optimizer.name": "adam", "training.batch_size": 8}, False),
        ({}, False),
    ],
)
def test_parameters_lie_in_a_space_or_not(parameters: dict[str, Any], within: bool) -> None:
    assert space(OPTIMIZER, MOMENTUM).contains(parameters) is within


def test_numbers_off_the_raster_lie_outside() -> None:
    assert space(BATCH_SIZE).contains({"training.batch_size": 30})
    assert not space(BATCH_SIZE).contains({"training.batch_size": 31})
    assert not space(BATCH_SIZE).contains({"training.batch_size": 30.5})
    assert not space(BATCH_SIZE).contains({"training.batch_size": True})


def test_a_point_becomes_what_a_train_request_says() -> None:
    request = request_of(hyperparameters={"hidden_dims": [8]}, training={"epochs": 3, "split": {"test": 0.0}})
    parameters = {
        "training.optimizer.learning_rate": 0.01,
        "hyperparameters.dropout": 0.25,
        "training.split.validation": 0.3,
        "training.early_stopping.patience": 4,
    }
    assert configured(request, parameters) == {
        "architecture": "mlp",
        "task": None,
        "hyperparameters": {"hidden_dims": [8], "dropout": 0.25},
        "training": {
            "epochs": 3,
            "optimizer": {"name": "adam", "learning_rate": 0.01},
            "split": {"test": 0.0, "validation": 0.3},
            "early_stopping": {"patience": 4},
        },
    }
    assert request["training"] == {"epochs": 3, "split": {"test": 0.0}}


def test_an_object_is_put_in_place_before_its_parts() -> None:
    parameters = {"training.optimizer.learning_rate": 0.5, "training.optimizer": {"name": "sgd", "momentum": 0.9}}
    assert configured(request_of(), parameters)["training"]["optimizer"] == {
        "name": "sgd",
        "momentum": 0.9,
        "learning_rate": 0.5,
    }


def test_of_several_architectures_each_has_the_hyperparameters_that_it_knows() -> None:
    request = request_of(architecture=["mlp", "logistic"], hyperparameters={"hidden_dims": [8], "bias": False})
    mlp = configured(request, {"architecture": "mlp", "hyperparameters.dropout": 0.5})
    assert mlp["hyperparameters"] == {"hidden_dims": [8], "dropout": 0.5}
    assert configured(request, {"architecture": "logistic"})["hyperparameters"] == {"bias": False}


def test_a_list_of_configurations_spans_the_space_of_what_differs() -> None:
    configurations = [
        {"training.batch_size": 8, "hyperparameters.hidden_dims": [4]},
        {"training.batch_size": 32, "hyperparameters.dropout": 0.5},
        {"training.batch_size": 16, "hyperparameters.hidden_dims": [4, 4]},
    ]
    spanned = space(strategy="manual", configurations=configurations)
    assert spanned.distributions == {
        "training.batch_size": IntDistribution(8, 32),
        "hyperparameters.hidden_dims": CategoricalDistribution(["[4]", "[4, 4]"]),
        "hyperparameters.dropout": FloatDistribution(0.5, 0.5),
    }
