"""Networks that forecast: their hyperparameters, and what stands between preprocessing and network.

Shapes: N windows, T steps, of which the first C are seen, F columns, H steps to forecast, K outputs.
"""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from models.registry import ArchitectureConfig, WindowOptions, search

Normalisation = Literal["window", "columns"]
_EPSILON = 1e-5


class Forecasts(ArchitectureConfig):
    """Hyperparameters of an architecture that can forecast; of other data they say nothing."""

    context: int = Field(
        24,
        ge=1,
        le=10_000,
        description="Of a forecast: steps that are seen.",
        json_schema_extra=search(low=8, high=128, log=True, about="forecasts"),
    )
    horizon: int = Field(
        1,
        ge=1,
        le=1000,
        description="Of a forecast: steps that are answered, all at once. It is the question, and not searched for.",
        json_schema_extra=search(choices=[1], about="forecasts"),
    )
    season: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Of a forecast: after how many steps a season comes again, for the seasonal naive forecast that it "
        "is held against; null for a year of months, a week of days, a day of hours, and else 1.",
        json_schema_extra=search(choices=[None], about="forecasts"),
    )
    normalisation: Normalisation = Field(
        "window",
        description="Of a forecast: the target's mean and deviation are those of the window, and are given back to the "
        "answer (Kim et al. 2022), or those of the training rows' column.",
        json_schema_extra=search(choices=["window", "columns"], about="forecasts"),
    )

    @property
    def windows(self) -> WindowOptions:
        """How series are made windows."""
        return WindowOptions(self.context, self.horizon, self.season)


class Forecaster(nn.Module):
    """A network behind reversible instance normalisation (Kim et al. 2022), if that is wanted.

    The target's seen steps are normalised by their own mean and deviation, and the outputs, which are values of the
    target, are brought back. Where steps to forecast are among the rows, one more column says which these are.
    """

    known_TF: Tensor
    part_TF: Tensor
    ahead_T1: Tensor

    def __init__(self, network: nn.Module, described: dict[str, Any], normalisation: Normalisation) -> None:
        """`described` is a version's input, as of `Windowing.described`."""
        super().__init__()
        self.network = network
        self.context, self.by_window = described["context"], normalisation == "window"
        self.target = [column["role"] for column in described["columns"]].index("target")
        steps, features = described["shape"]
        self.is_flagged = steps > self.context
        ahead_T1 = torch.arange(steps)[:, None] >= self.context
        column_F = torch.tensor([column["role"] == "known_ahead" for column in described["columns"]])
        is_target_F = torch.arange(features) == self.target
        self.register_buffer("known_TF", ~ahead_T1 | column_F, persistent=False)
        self.register_buffer("part_TF", ~ahead_T1 & is_target_F, persistent=False)
        self.register_buffer("ahead_T1", ahead_T1.float(), persistent=False)

    @staticmethod
    def features(described: dict[str, Any]) -> tuple[int, int]:
        """The shape of what the network behind it gets."""
        steps, features = described["shape"]
        return steps, features + (steps > described["context"])

    def forward(self, x_NTF: Tensor) -> Tensor:
        """Outputs (N, K) in the units of the standardised target. What is not known ahead is not looked at."""
        x_NTF = torch.where(self.known_TF, x_NTF, torch.zeros_like(x_NTF))
        seen_NC = x_NTF[:, : self.context, self.target]
        level_N1 = seen_NC.mean(dim=1, keepdim=True)
        scale_N1 = ((seen_NC - level_N1).square().mean(dim=1, keepdim=True) + _EPSILON).sqrt()
        if self.by_window:
            normalised_NTF = (x_NTF - level_N1[:, :, None]) / scale_N1[:, :, None]
            x_NTF = torch.where(self.part_TF, normalised_NTF, x_NTF)
        if self.is_flagged:
            x_NTF = torch.cat([x_NTF, self.ahead_T1.expand(x_NTF.shape[0], -1, -1)], dim=2)
        y_NK: Tensor = self.network(x_NTF)
        return y_NK * scale_N1 + level_N1 if self.by_window else y_NK
