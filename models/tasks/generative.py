"""Tasks whose answers are values like the inputs: they need no targets, and the network brings its own loss.

Answers (N, 2) are the mean squared error of each row's reconstruction, on pixels from 0 to 1 or standardised columns,
and its anomaly score. A network without an encoder, which takes no rows, has none.
"""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from torch import Tensor, nn

from models.data import DataSet
from models.examples import Batch, Examples
from models.generative import measuring
from models.generative.graphs import Sampler, graphs_of
from models.generative.network import CodingNetwork, ValuesOf, parts_of
from models.graphs import Graph
from models.inference import Feed
from models.losses import LossOptions
from models.metrics.intervals import Intervals, reconstruction_intervals
from models.metrics.reconstruction import reconstruction_scores
from models.phases import Phase
from models.tasks.base import Array, Description, Scores, Task

if TYPE_CHECKING:
    from models.registry import ArchitectureConfig
    from models.run import Reporter
    from models.training.plan import Plan

ANOMALY_QUANTILE = 0.99
"""Of the held-out rows so many have a score up to the threshold."""
DRAWING = ("generate",)
DECODING = ("decode", "interpolate")
CODING = ("encode", "reconstruct", "anomaly")


class Generative(Task):
    """The mean of what the network's phases make small is minimised."""

    needs_targets = False
    pixels = "unit"
    default_loss = None
    quick_metrics = ("mse",)
    main_metric = "fidelity"
    curve_metrics = ("mse", "fidelity")

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions | None) -> None:
        super().__init__(dataset, train, loss)
        self.labels = None
        self.num_outputs = 0
        self.described = dataset.manifest.get("input", {})

    @classmethod
    def of(cls, config: "ArchitectureConfig", dataset: DataSet, train: Examples, loss: LossOptions | None) -> Self:
        """With the data set's classes, if the network is told them; `num_outputs` is their number."""
        task = cls(dataset, train, loss)
        if config.needs_classes:
            task.labels = dataset.labels
            task.num_outputs = len(dataset.labels or ())
        return task

    @classmethod
    def require_suitable(
        cls, dataset: DataSet, splits: dict[str, Examples], loss: LossOptions | None, config: "ArchitectureConfig"
    ) -> None:
        """Any rows will do."""

    def phases(self, network: nn.Module) -> list[Phase]:
        """The network's own."""
        return parts_of(network)[1].phases(_values_of(network))

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """What the network measures of itself."""
        return parts_of(network)[1].validate(_values_of(network), batch)

    def postprocess(self) -> nn.Module:
        """Nothing: the network's values stay in its scale."""
        return nn.Identity()

    def graphs(self, network: nn.Module, described: dict[str, Any], samples: Batch) -> dict[str, Graph]:
        """`model`, `decoder`, and the encoder of a network that has one."""
        return graphs_of(network, described, samples)

    def sampler(self, network: nn.Module) -> Sampler:
        """From codes, and classes if the network is told them, to samples as they are served."""
        return Sampler(*parts_of(network)).eval()

    @staticmethod
    def asked(inputs: Array, targets: Array, labels: list[str] | None) -> Feed:
        """The inputs, and the classes if the network is told them."""
        return inputs if labels is None else (inputs, targets.astype(np.int64))

    @staticmethod
    def read(outputs: Any, output: dict[str, Any]) -> Array:
        """Errors and scores (N, 2) of the outputs of `model`."""
        _, error_N, score_N = outputs
        return np.stack([error_N, score_N], axis=1)

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Those of reconstructions."""
        return reconstruction_scores(answers)

    @staticmethod
    def intervals(targets: Array, answers: Array, num_outputs: int, num_inputs: int) -> Intervals:
        """Of all."""
        return reconstruction_intervals(answers)

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """None without inputs: see `guessed`."""
        return np.full((count, 2), np.nan)

    def guessed(self, plan: "Plan", network: nn.Module, split: str) -> Array:
        """Errors of answering every row with the mean of the training rows, which has no anomaly score."""
        error_N = measuring.errors_of_the_mean(network, plan.splits["train"], plan.splits[split])
        return np.stack([error_N, np.full_like(error_N, np.nan)], axis=1)

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """The reconstruction's mean squared `error`, and the anomaly `score`."""
        return Description({"error": float(answer[0]), "score": float(answer[1])})

    def recorded(self, plan: "Plan", network: nn.Module, answers: dict[str, Array]) -> dict[str, Any]:
        """`generative`: the code and its prior, the classes, what a sample is, what can be called, and anomalies."""
        generative = parts_of(network)[1]
        draws, codes = generative.prior is not None, isinstance(generative, CodingNetwork)
        calls = [*(DRAWING if draws else ()), *DECODING, *(CODING if codes else ())]
        return {
            "generative": {
                "code": generative.code_dim,
                "prior": generative.prior,
                "conditional": self.labels is not None,
                "classes": self.labels,
                "sample": {name: self.described[name] for name in ("dtype", "shape")},
                "calls": calls,
                "anomaly": self._anomaly(plan, network, answers) if codes else None,
            }
        }

    def _anomaly(self, plan: "Plan", network: nn.Module, answers: dict[str, Array]) -> dict[str, Any]:
        """The score that few validation rows surpass; without those, few training rows."""
        if "validation" in answers:
            score_N = answers["validation"][:, 1]
        else:
            score_N = measuring.scores(network, plan.splits["train"])
        threshold = float(np.quantile(score_N, ANOMALY_QUANTILE, method="higher"))
        return {"threshold": threshold, "quantile": ANOMALY_QUANTILE, "rows": len(score_N)}

    def quality(self, plan: "Plan", network: nn.Module, report: "Reporter") -> dict[str, Scores]:
        """What a network with an encoder measures of itself on the held-out rows."""
        if not isinstance(parts_of(network)[1], CodingNetwork):
            return {}
        held_out = [name for name in ("validation", "test") if name in plan.splits]
        return {name: measuring.quality(network, plan.splits[name]) for name in held_out}


def _values_of(network: nn.Module) -> ValuesOf:
    preprocess, _ = parts_of(network)
    return lambda batch: preprocess(batch.inputs)
