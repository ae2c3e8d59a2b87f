"""The spaces that are searched, as the service resolves them."""

from typing import Any

Json = dict[str, Any]


def number(path: str, low: float, high: float, *, log: bool = False, kind: str = "float") -> Json:
    """A number between two bounds."""
    return {"path": path, "kind": kind, "low": low, "high": high, "log": log, "step": None, "when": None}


def choice(path: str, *choices: Any) -> Json:
    """One of these."""
    return {"path": path, "kind": "choice", "choices": list(choices), "when": None}


LEARNING_RATE = number("training.optimizer.learning_rate", 1e-5, 1.0, log=True)
BATCH_SIZE = choice("training.batch_size", 16, 32, 64, 128)
MLP = [
    LEARNING_RATE,
    BATCH_SIZE,
    choice("hyperparameters.hidden_dims", [64], [128], [256], [128, 64], [256, 128]),
    choice("hyperparameters.activation", "relu", "leaky_relu", "elu", "selu", "tanh"),
    number("hyperparameters.dropout", 0.0, 0.5),
    number("training.l2", 1e-6, 1e-1, log=True),
]
LENET = [
    number("training.optimizer.learning_rate", 1e-4, 1e-1, log=True),
    BATCH_SIZE,
    choice("hyperparameters.activation", "relu", "tanh", "elu"),
    choice("hyperparameters.pooling", "max", "average"),
    number("hyperparameters.dropout", 0.0, 0.5),
]
