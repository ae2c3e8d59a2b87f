from typing import Any

import jsonschema
import pytest

from models.errors import JobError
from models.training.settings import TrainingSettings, training_settings

EXAMPLE = {
    "epochs": 10,
    "batch_size": 64,
    "seed": 0,
    "optimizer": {"name": "adam", "learning_rate": 0.001},
    "scheduler": {"name": "cosine"},
    "early_stopping": {"metric": "val_loss", "patience": 5},
    "l1": 0.0,
    "l2": 0.0,
    "gradient_clip": 1.0,
    "augmentation": ["flip", "crop"],
    "split": {"validation": 0.2, "test": 0.2},
    "device": "auto",
    "precision": "auto",
}

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("epochs", {"epochs": 0}),
    ("epochs", {"epochs": 10**9}),
    ("batch_size", {"batch_size": 0}),
    ("batch_size", {"batch_size": "some"}),
    ("seed", {"seed": -1}),
    ("optimizer", {"optimizer": {"name": "adamm"}}),
    ("optimizer", {"optimizer": {"learning_rate": 0.1}}),
    ("optimizer", {"optimizer": {"name": "adam", "learning_rate": -1.0}}),
    ("optimizer", {"optimizer": {"name": "sgd", "beta1": 0.9}}),
    ("scheduler", {"scheduler": {"name": "cosine", "gamma": 0.1}}),
    ("loss", {"loss": {"name": "hinge"}}),
    ("early_stopping", {"early_stopping": {"patience": 0}}),
    ("l2", {"l2": -1.0}),
    ("gradient_clip", {"gradient_clip": 0.0}),
    ("augmentation", {"augmentation": ["shear"]}),
    ("label_noise", {"label_noise": 1.5}),
    ("early_stopping.metric", {"early_stopping": {"metric": "accuracy"}}),
    ("split", {"split": {"test": 0.9}}),
    ("device", {"device": "tpu"}),
    ("precision", {"precision": "int8"}),
    ("epoch", {"epoch": 3}),
]


def test_the_contracts_example_is_accepted() -> None:
    settings = training_settings(EXAMPLE)
    assert settings.optimizer.name == "adam"
    assert settings.optimizer.learning_rate == 0.001


def test_nothing_needs_to_be_said() -> None:
    assert training_settings({}).epochs == 10


def test_a_fault_is_told_in_our_words_alone() -> None:
    with pytest.raises(JobError, match=r": must ascend, with 0\.5 in the middle"):
        training_settings({"loss": {"name": "pinball", "quantiles": [0.9, 0.1]}})


@pytest.mark.parametrize(("field", "request_"), WRONG)
def test_a_wrong_value_is_refused_with_the_fields_name(field: str, request_: dict[str, Any]) -> None:
    with pytest.raises(JobError, match=f"training.{field}") as caught:
        training_settings(request_)
    assert caught.value.code == "invalid_training"


@pytest.mark.parametrize("request_", [wrong for _, wrong in WRONG])
def test_the_schema_alone_refuses_what_the_settings_refuse(request_: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(TrainingSettings.model_json_schema())
    assert not validator.is_valid(request_)


def test_the_schema_accepts_the_contracts_example() -> None:
    jsonschema.Draft202012Validator(TrainingSettings.model_json_schema()).validate(EXAMPLE)
