"""Logging, early stopping, checkpoints and wishes, kept out of the training loop."""

from models.training.callbacks.base import Callback
from models.training.callbacks.checkpointing import Checkpointing
from models.training.callbacks.gradients import WatchGradients
from models.training.callbacks.reporting import Reporting
from models.training.callbacks.samples import DrawSamples
from models.training.callbacks.stability import WatchStability
from models.training.callbacks.stopping import KeepBest, StopEarly

__all__ = [
    "Callback",
    "Checkpointing",
    "DrawSamples",
    "KeepBest",
    "Reporting",
    "StopEarly",
    "WatchGradients",
    "WatchStability",
]
