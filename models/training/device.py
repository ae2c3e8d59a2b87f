"""Where and how precisely to compute."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from models.errors import DeviceUnavailable
from models.training.settings import TrainingSettings

_DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Compute:
    """A device, and the type of its matrix products; weights and sums are float32 always."""

    device: torch.device
    precision: str

    @property
    def is_emulated(self) -> bool:
        """Whether a CPU has no instructions for bfloat16 (AVX-512 BF16, AMX): then it is right, but slow."""
        if self.device.type != "cpu" or self.precision != "bfloat16":
            return False
        return not any(has for name, has in torch.cpu.get_capabilities().items() if name.endswith("bf16"))

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which to compute forward passes."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=_DTYPES[self.precision])

    def scaler(self) -> torch.amp.GradScaler:
        """Scales the loss so that float16 gradients do not vanish; does nothing in other precisions."""
        return torch.amp.GradScaler(self.device.type, enabled=self.precision == "float16")


def choose(settings: TrainingSettings) -> Compute:
    """The device and precision of the settings; `auto` is CUDA with mixed precision where there is one.

    Raises:
        DeviceUnavailable: CUDA is asked for and absent, or float16 without CUDA.
    """
    has_cuda = settings.device != "cpu" and torch.cuda.is_available()
    if settings.device == "cuda" and not has_cuda:
        raise DeviceUnavailable("`training.device` is cuda, but this worker has no CUDA device; use `auto`.")
    device = torch.device("cuda" if has_cuda else "cpu")
    if settings.precision == "float16" and not has_cuda:
        raise DeviceUnavailable("`training.precision` float16 needs a CUDA device; use `auto`.")
    if settings.precision != "auto":
        return Compute(device, settings.precision)
    if not has_cuda:
        return Compute(device, "float32")
    return Compute(device, "bfloat16" if torch.cuda.is_bf16_supported() else "float16")
