"""Text generation: texts like those of the data set, written token by token (Graves 2013).

A network is trained to tell each token from those before it, and the first from the class if it is told one. Answers
(N, 2) are the logarithm of a row's probability and its number of tokens, the end's mark included.
Shapes: N rows, T tokens, K different tokens.
"""

from math import log
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from models.data import DataSet
from models.examples import Batch, Examples
from models.graphs import Graph
from models.inference import BATCH_SIZE, Feed
from models.language import drawing
from models.language.graphs import graphs_of
from models.language.likelihood import log_probabilities, logits, targets
from models.losses import CrossEntropy, LossOptions
from models.metrics.intervals import Intervals, language_intervals
from models.metrics.language import language_scores
from models.phases import Phase
from models.tasks.base import Array, Description, Scores, Task
from shapes.tokens import PADDING

if TYPE_CHECKING:
    from models.registry import ArchitectureConfig, Shape
    from models.run import Reporter
    from models.training.plan import Plan

MAX_DRAWN = 1000
"""Texts that are drawn to be measured."""
MAX_DRAWN_LENGTH = 256
SHOWN = 20
"""Of them those that are shown."""


class TextGeneration(Task):
    """The mean of the tokens' cross-entropies is minimised."""

    name = "text_generation"
    title = "Text generation"
    needs_targets = False
    about = "whole texts"
    writes = True
    default_loss = CrossEntropy(name="cross_entropy")
    quick_metrics = ("bits_per_token",)
    main_metric = "token_probability"
    curve_metrics = ("perplexity",)

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        super().__init__(dataset, train, loss)
        if dataset.tokenizer is None:
            raise TypeError("the inputs are not tokens")
        self.labels = None
        self.tokenizer = dataset.tokenizer
        self.num_outputs = self.tokenizer.num_tokens
        self.loss = loss.fit(_tokens(train), self.num_outputs)

    @classmethod
    def of(cls, config: "ArchitectureConfig", dataset: DataSet, train: Examples, loss: LossOptions | None) -> Self:
        """With the data set's classes, if the network is told them."""
        assert loss is not None  # noqa: S101 - `with_loss` names one for a task that has a default
        task = cls(dataset, train, loss)
        if dataset.has_row_classes and getattr(config, "conditional", None) is not False:
            task.labels = dataset.labels
        return task

    @classmethod
    def require_suitable(
        cls, dataset: DataSet, splits: dict[str, Examples], loss: LossOptions | None, config: "ArchitectureConfig"
    ) -> None:
        """Any texts will do."""

    def taken(self, input_shape: "Shape") -> "Shape":
        """With a mark for each class behind the tokens that are read."""
        return (self.num_outputs + len(self.labels or ()),)

    def phases(self, network: nn.Module) -> list[Phase]:
        """One phase over all parameters."""

        def step(batch: Batch) -> dict[str, Tensor]:
            return {"loss": self._loss(self._logits(network, batch), batch)}

        return [Phase(list(network.parameters()), step)]

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """`loss`, and the cross-entropy itself in bits."""
        logits_NTK = self._logits(network, batch)
        total_N, count_N = log_probabilities(logits_NTK, batch.inputs)
        bits = -total_N.sum() / count_N.sum() / log(2)
        return {"loss": self._loss(logits_NTK, batch), "bits_per_token": bits}

    def _logits(self, network: nn.Module, batch: Batch) -> Tensor:
        return logits(network, batch.inputs, None if self.labels is None else batch.targets)

    def _loss(self, logits_NTK: Tensor, batch: Batch) -> Tensor:
        loss: Tensor = self.loss(logits_NTK.float().transpose(1, 2), targets(batch.inputs))
        return loss

    def postprocess(self) -> nn.Module:
        """Nothing."""
        return nn.Identity()

    def graphs(self, network: nn.Module, described: dict[str, Any], samples: Batch) -> dict[str, Graph]:
        """`model` and `decoder`."""
        return graphs_of(network, described, samples, conditional=self.labels is not None)

    def quality(self, plan: "Plan", network: nn.Module, report: "Reporter") -> dict[str, Scores]:
        """As `generation`: how many drawn texts are copies of training rows, and how they differ from each other.

        Both beside the same of as many held-out rows, whose classes those are that texts are drawn of.
        """
        held_out = next(plan.splits[name] for name in ("test", "validation", "train") if name in plan.splits)
        chosen = torch.randperm(len(held_out), generator=torch.Generator().manual_seed(0))[:MAX_DRAWN]
        rows = held_out.gather(chosen)
        label_N = None if self.labels is None else rows.targets.cpu()
        length = min(self.tokenizer.max_length, MAX_DRAWN_LENGTH)
        texts = self._texts(drawing.draw(network, len(chosen), label_N, length))
        real, known = self._texts(rows.inputs), self._known(plan.splits["train"])
        classes = [None] * len(texts) if label_N is None else [(self.labels or [])[label] for label in label_N.tolist()]
        shown = [{"text": text, "label": label} for text, label in zip(texts, classes, strict=True)][:SHOWN]
        return {
            "generation": {
                "examples": len(texts),
                "copied": drawing.copied(texts, known),
                "copied_held_out": drawing.copied(real, known),
                "distinct": drawing.distinct(texts),
                "distinct_held_out": drawing.distinct(real),
                "texts": shown,
            }
        }

    def _texts(self, tokens_NT: Tensor) -> list[str]:
        return [self.tokenizer.text(row) for row in tokens_NT.tolist()]

    def _known(self, train: Examples) -> set[str]:
        return {text for batch in train.batches(BATCH_SIZE) for text in self._texts(batch.inputs)}

    def recorded(self, plan: "Plan", network: nn.Module, answers: dict[str, Array]) -> dict[str, Any]:
        """`generative`: the classes, and what can be called; of a row's probability alone one not told its class."""
        told = self.labels is not None
        calls = ["generate"] if told else ["predict", "generate"]
        return {"generative": {"conditional": told, "classes": self.labels, "calls": calls}}

    def guessed(self, plan: "Plan", network: nn.Module, split: str) -> Array:
        """Of a model that knows how frequent each token is in the training rows, and no more."""
        counts_K = np.ones(self.num_outputs)
        for batch in plan.splits["train"].batches(BATCH_SIZE):
            counts_K += np.bincount(batch.inputs.cpu().numpy().ravel(), minlength=self.num_outputs)
        counts_K[PADDING] = 0
        with np.errstate(divide="ignore"):
            logs_K = np.log(counts_K / counts_K.sum())
        logs_K[PADDING] = 0
        rows = (batch.inputs.cpu().numpy() for batch in plan.splits[split].batches(BATCH_SIZE))
        parts = [np.stack([logs_K[each].sum(axis=1), (each != PADDING).sum(axis=1)], axis=1) for each in rows]
        return np.concatenate(parts)

    @staticmethod
    def asked(inputs: Array, targets: Array, labels: list[str] | None) -> Feed:
        """The tokens, and the classes if the network is told them."""
        return inputs if labels is None else (inputs, targets.astype(np.int64))

    @staticmethod
    def read(outputs: Any, output: dict[str, Any]) -> Array:
        """Logarithms of probabilities and numbers of tokens (N, 2)."""
        return np.stack(outputs, axis=1)

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Those of a language model."""
        return language_scores(answers)

    @staticmethod
    def intervals(targets: Array, answers: Array, num_outputs: int, num_inputs: int) -> Intervals:
        """Of all."""
        return language_intervals(answers)

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """None without inputs: see `guessed`."""
        return np.full((count, 2), np.nan)

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """`log_probability` and the number of `tokens`."""
        return Description({"log_probability": float(answer[0]), "tokens": int(answer[1])})


def _tokens(examples: Examples) -> Tensor:
    """All tokens (V,) of the rows."""
    return torch.cat([targets(batch.inputs).flatten() for batch in examples.batches(BATCH_SIZE)])
