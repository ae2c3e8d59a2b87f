"""Tagging: one of K classes for each token of a row, as logits (N, T, K), answered as probabilities.

It asks a network that can `transduce` for an output at each token; padding has no target, counts in no loss and is
answered with probabilities of 0. Where classes are tags such as `B-person` (IOB2), what is judged is the entities.
Shapes: N rows, T tokens, L tokens of the longest row, K classes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from models.baselines.words import MostFrequentTags
from models.examples import Examples
from models.losses import CrossEntropy
from models.metrics.intervals import tagging_intervals
from models.metrics.tagging import found, tagging_scores
from models.ragged import widened
from models.tasks.base import Array, Description, Scores, with_intervals
from models.tasks.supervised import Supervised
from models.transduction import is_step, transducer_of
from shapes.tokens import NO_TARGET

if TYPE_CHECKING:
    from models.training.plan import Plan


class Tagging(Supervised):
    """Targets are class indices (N, L) of int64, padded. Of an answer the best class and its probability are kept."""

    answers_at_end = False
    name = "tagging"
    title = "Tagging"
    default_loss = CrossEntropy(name="cross_entropy")
    quick_metrics = ("token_accuracy", "entity_f1")
    main_metric = "entity_f1"
    curve_metrics = ("token_accuracy", "entity_f1")

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor | None = None) -> Tensor:
        """Logits (N, K, T): the classes stand where those of images do."""
        preprocess, transducer = transducer_of(network)
        logits_NTK: Tensor = transducer.transduce(preprocess(inputs))
        return logits_NTK.transpose(1, 2)

    def criterion(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss () of the tokens that were read."""
        return super().criterion(outputs, targets[:, : outputs.shape[2]])

    def quick(self, logits_NKT: Tensor, targets_NL: Tensor) -> dict[str, Tensor]:
        """The share of the tokens whose class has the largest logit, and F1 of the entities that these mark."""
        targets = targets_NL.cpu().numpy()
        tags_NT = logits_NKT.argmax(dim=1).cpu().numpy()[:, : targets.shape[1]]
        total = found(targets, widened(tags_NT, targets.shape[1], NO_TARGET), self.labels or []).summed()
        f1_2 = 2 * total.both.sum(), total.true.sum() + total.predicted.sum()
        return {
            "token_accuracy": torch.tensor([[total.right], [total.tokens]]),
            "entity_f1": torch.tensor(f1_2)[:, None],
        }

    def answering(self, network: nn.Module) -> nn.Module:
        """Probabilities (N, T, K) of raw tokens, 0 for padding."""
        return _Answering(self, network)

    def output(self) -> dict[str, Any]:
        """Probabilities of the K classes of each token."""
        return {"name": "probabilities", "dtype": "float32", "shape": [None, self.num_outputs]}

    def guessed(self, plan: "Plan", network: nn.Module, split: str) -> Array:
        """The tag that each word, as it was given, has most often in training."""
        train, asked = plan.splits["train"], plan.splits[split]
        known = MostFrequentTags(_words(plan, train), train.targets.cpu().numpy())
        return known.answer(_words(plan, asked), asked.targets.shape)

    @staticmethod
    def read(outputs: Array, output: dict[str, Any]) -> Array:
        """The best class of each token and its probability (N, T, 2); `NO_TARGET` twice for padding."""
        best_NT2 = np.stack([outputs.argmax(axis=2), outputs.max(axis=2)], axis=2)
        return np.where(best_NT2[:, :, 1:] > 0, best_NT2, NO_TARGET).astype(np.float32)

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Token accuracy, and precision, recall and F1 of entities."""
        return tagging_scores(targets, tags_of(answers, targets), labels or [])

    @classmethod
    def measure(cls, targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """The same with intervals of all but each type's."""
        tags = tags_of(answers, targets)
        return with_intervals(
            tagging_scores(targets, tags, labels or []), tagging_intervals(targets, tags, labels or [])
        )

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """The most frequent class for every token of `count` rows as long as the longest in training."""
        counts = np.bincount(train_targets[train_targets != NO_TARGET], minlength=num_outputs)
        best = [counts.argmax(), counts.max() / counts.sum()]
        return np.tile(np.array(best, np.float32), (count, train_targets.shape[1], 1))

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """The classes of a row's tokens as `tags`, a blank between them, and their probabilities likewise."""
        known = answer[answer[:, 0] != NO_TARGET]
        return Description(
            {
                "tags": " ".join((labels or [])[int(index)] for index in known[:, 0]),
                "probabilities": " ".join(f"{probability:.4f}" for probability in known[:, 1]),
            }
        )

    @classmethod
    def tabulated(cls, target: Any, answer: Array, labels: list[str] | None) -> dict[str, Any]:
        """True and predicted tags, and the probabilities of these."""
        true = " ".join((labels or [])[index] for index in target if index != NO_TARGET)
        facts = cls.describe(answer, labels, None).facts
        return {"target": true, "prediction": facts["tags"], "probabilities": facts["probabilities"]}


class _Answering(nn.Module):
    """From raw tokens to probabilities."""

    def __init__(self, task: Tagging, network: nn.Module) -> None:
        super().__init__()
        self.network, self.head, self._outputs = network, task.postprocess(), task.outputs

    def forward(self, tokens: Tensor) -> Tensor:
        probabilities_NTK = self.head(self._outputs(self.network, tokens)).transpose(1, 2)
        masked_NTK: Tensor = probabilities_NTK * is_step(tokens)[:, :, None]
        return masked_NTK


def tags_of(answers_NT2: Array, targets_NL: Array) -> Array:
    """The classes (N, L) in answers, `NO_TARGET` where a row was not read to its end."""
    tags_NT = answers_NT2[:, : targets_NL.shape[1], 0].astype(np.int64)
    return widened(tags_NT, targets_NL.shape[1], NO_TARGET)


def _words(plan: "Plan", examples: Examples) -> Iterator[list[str]]:
    """The words of each row, as they were given."""
    return (text.split("\n") for text in plan.dataset.texts(examples.source, examples.rows))
