"""Logging, early stopping, checkpoints and wishes, kept out of the training loop."""

from models.callbacks.base import Callback
from models.callbacks.checkpointing import Checkpointing
from models.callbacks.reporting import Reporting
from models.callbacks.stopping import KeepBest, StopEarly

__all__ = ["Callback", "Checkpointing", "KeepBest", "Reporting", "StopEarly"]
