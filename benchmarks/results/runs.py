"""What is trained, and the figure that each run is held against."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

ADAM = {"name": "adam", "learning_rate": 0.002}
COSINE = {"name": "cosine"}


@dataclass(frozen=True)
class Run:
    """One training run. `asked` is the least that the metric may be on the test rows; None: no figure is asked for."""

    name: str
    architecture: str
    dataset: str
    training: Json
    hyperparameters: Json = field(default_factory=dict)
    metric: str = "accuracy"
    asked: float | None = None


def _training(epochs: int, batch_size: int = 128, **others: Any) -> Json:
    settings = {"epochs": epochs, "batch_size": batch_size, "optimizer": ADAM, "scheduler": COSINE}
    return settings | {"split": {"validation": 0.1}} | others


CONVNET = _training(15, augmentation=["flip"]) | {
    "optimizer": {"name": "adamw", "learning_rate": 0.005},
    "scheduler": {"name": "one_cycle"},
    "split": {"validation": 0.05},
}
RUNS = (
    Run("mlp", "mlp", "fashion-mnist", _training(15), {"hidden_dims": [256, 128, 100]}, asked=0.8833),
    Run("lenet-mnist", "lenet", "mnist", _training(12, 64), {"dropout": 0.1}, asked=0.990),
    Run("lenet", "lenet", "fashion-mnist", _training(15, 64, augmentation=["flip"]), {"dropout": 0.1}, asked=0.90),
    Run("convnet", "convnet", "fashion-mnist", CONVNET, asked=0.92),
    Run("resnet", "resnet", "fashion-mnist", _training(3), {"depth": 18, "width_multiplier": 0.25}),
    Run("mobilenet", "mobilenet", "fashion-mnist", _training(3), {"width_multiplier": 0.25}),
    Run(
        "vgg",
        "vgg",
        "fashion-mnist",
        _training(3),
        {"depth": 11, "width_multiplier": 0.25, "batch_norm": True, "dense_dim": 512},
    ),
    Run("unet", "unet", "shapes_masks", _training(20, 16), {}, metric="mean_iou", asked=0.9),
)
