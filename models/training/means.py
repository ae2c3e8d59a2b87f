"""Means of what training steps measure, and of what batches of held-out rows do.

Those of steps are summed where they were computed, so that no step waits for its device.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Means:
    """Means by name of scalars added since they were last taken; a name may come at some steps only."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Take in one step's scalars ()."""
        for name, value in values.items():
            if name in self._sums:
                self._sums[name] += value
                self._counts[name] += 1
            else:
                self._sums[name] = value.float().clone()
                self._counts[name] = 1

    def read(self) -> dict[str, float]:
        """The means so far, which waits for the device."""
        return {name: float(total) / self._counts[name] for name, total in self._sums.items()}

    def take(self) -> dict[str, float]:
        """The means so far, and begin anew."""
        means = self.read()
        self._sums, self._counts = {}, {}
        return means

    def state_dict(self) -> dict[str, Any]:
        """The sums and counts."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Take up a saved state, the sums on this device."""
        self._sums = {name: total.to(device, copy=True) for name, total in state["sums"].items()}
        self._counts = dict(state["counts"])


class Ratios:
    """By name, means over the rows of all batches, or of ratios of what the batches' parts and wholes add up to."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}

    def add(self, values: Mapping[str, Tensor], count: int) -> None:
        """Take in a batch of so many rows: its means () or parts and wholes (2, K)."""
        for name, value in values.items():
            value = value.cpu().double()
            ratios_2K = value if value.ndim else count * torch.stack([value, torch.ones_like(value)])[:, None]
            self._sums[name] = self._sums.get(name, torch.zeros_like(ratios_2K)) + ratios_2K

    def read(self) -> dict[str, float]:
        """The mean of the ratios whose whole is not 0; NaN without any."""
        known = {name: sums_2K[:, sums_2K[1] > 0] for name, sums_2K in self._sums.items()}
        return {name: float((part_K / whole_K).mean()) for name, (part_K, whole_K) in known.items()}
