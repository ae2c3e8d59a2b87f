"""Classification: one of K classes for each input, as logits (N, K), answered as probabilities."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.examples import Batch
from models.losses import CrossEntropy
from models.metrics.calibration import calibrate
from models.metrics.classification import class_frequencies, classification_scores
from models.metrics.intervals import classification_intervals
from models.metrics.ranking import rank_classes
from models.tasks.base import Array, Description, Scores, with_intervals
from models.tasks.supervised import Supervised
from models.transduction import transducer_of
from shapes.tokens import NO_TARGET


class Classification(Supervised):
    """Targets are class indices (N,) of int64."""

    name = "classification"
    title = "Classification"
    default_loss = CrossEntropy(name="cross_entropy")
    quick_metrics = ("balanced_accuracy", "accuracy")
    main_metric = "accuracy"
    curve_metrics = ("log_loss", "accuracy")

    def learned(self, network: nn.Module, batch: Batch) -> Tensor:
        """Of the classes of all parts, where inputs have any, as the nodes of trees have (Socher et al. 2013)."""
        if batch.parts is None:
            return super().learned(network, batch)
        preprocess, transducer = transducer_of(network)
        outputs_NTK = transducer.transduce(preprocess(batch.inputs))
        is_known_NT = batch.parts != NO_TARGET
        return self.criterion(outputs_NTK[is_known_NT], batch.parts[is_known_NT])

    def quick(self, logits_NK: Tensor, targets_N: Tensor) -> dict[str, Tensor]:
        """The share of the rows whose class has the largest logit, of all and of those of each class."""
        is_right_N = logits_NK.argmax(dim=1) == targets_N
        is_class_NK = nn.functional.one_hot(targets_N, self.num_outputs)
        recall_2K = torch.stack([(is_right_N[:, None] * is_class_NK).sum(dim=0), is_class_NK.sum(dim=0)])
        return {"accuracy": is_right_N.float().mean(), "balanced_accuracy": recall_2K}

    def output(self) -> dict[str, Any]:
        """Probabilities of the K classes."""
        return {"name": "probabilities", "dtype": "float32", "shape": [self.num_outputs]}

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Those of probabilities (N, K)."""
        return classification_scores(targets, answers, labels or [])

    @classmethod
    def measure(cls, targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """The same with intervals of all but the confusion matrix and the classes by themselves."""
        ranking = rank_classes(targets, answers)
        scores = classification_scores(targets, answers, labels or [], ranking)
        return with_intervals(scores, classification_intervals(targets, answers, ranking))

    @staticmethod
    def calibrate(targets: Array, answers: Array) -> dict[str, Any] | None:
        """The temperature at which the probabilities fit the targets best."""
        return calibrate(targets, answers)

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """The classes' frequencies in training as probabilities (count, K).

        So the most frequent class is predicted and the log loss is their entropy; no guess without the input is
        more often right.
        """
        return np.tile(class_frequencies(train_targets, num_outputs), (count, 1))

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """The best class as `label`, `index` and `probability`."""
        index = int(answer.argmax())
        return Description({"label": (labels or [])[index], "index": index, "probability": float(answer[index])})

    @classmethod
    def tabulated(cls, target: Any, answer: Array, labels: list[str] | None) -> dict[str, Any]:
        """The true and the best class, and the probability of each."""
        names = labels or []
        probabilities = {f"probability_{name}": float(each) for name, each in zip(names, answer, strict=True)}
        return {"target": names[target], "prediction": names[int(answer.argmax())], **probabilities}
