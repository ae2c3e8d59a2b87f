"""What training makes small: losses by name, and the heads that they belong to.

torch is not imported here, so that settings can be read and checked without it.
"""

from models.losses.options import (
    LOSSES,
    MAE,
    MSE,
    AnyLoss,
    BinaryCrossEntropy,
    CrossEntropy,
    Dice,
    Huber,
    LossOptions,
    Perceptron,
    Pinball,
    Poisson,
)

__all__ = [
    "LOSSES",
    "MAE",
    "MSE",
    "AnyLoss",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Dice",
    "Huber",
    "LossOptions",
    "Perceptron",
    "Pinball",
    "Poisson",
]
