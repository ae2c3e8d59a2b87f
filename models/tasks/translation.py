"""Translation: a text for each text, written token by token.

The network is trained to give the next token's logits, told the tokens before it; what is answered it has written
alone. Targets are tokens (N, L), each row followed by `NO_TARGET`; answers are texts (N,).
Shapes: N rows, L tokens, K different tokens.
"""

from collections import Counter
from math import exp
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from models.data import DataSet
from models.errors import UnsuitableData
from models.examples import Batch, Examples
from models.graphs import Described, Graph
from models.losses import CrossEntropy, LossOptions
from models.metrics.intervals import Intervals
from models.metrics.language import MAX_EXPONENT
from models.metrics.translation import translation_intervals, translation_scores
from models.tasks.base import Array, Description, Scores
from models.tasks.supervised import Supervised
from models.translation.graphs import Greedy, graphs_of
from models.translation.network import parts_of, shifted
from shapes.tokens import NO_TARGET, Tokenizer

if TYPE_CHECKING:
    from models.registry import ArchitectureConfig
    from models.run import Reporter
    from models.training.plan import Plan

MEASURED_BATCH_SIZE = 128


class Translation(Supervised):
    """The tokens of a text are classes."""

    answers_at_end = False
    name = "translation"
    title = "Translation"
    default_loss = CrossEntropy(name="cross_entropy")
    quick_metrics = ("token_accuracy",)
    main_metric = "exact_match"
    curve_metrics = ("exact_match",)

    def __init__(self, dataset: DataSet, train: Examples, loss: LossOptions) -> None:
        super().__init__(dataset, train, loss)
        self.tokenizer = _writing(dataset)

    @classmethod
    def outputs_for(cls, dataset: DataSet) -> int:
        """The tokens of the target's tokeniser."""
        return _writing(dataset).num_tokens

    @classmethod
    def require_suitable(
        cls, dataset: DataSet, splits: dict[str, Examples], loss: LossOptions | None, config: "ArchitectureConfig"
    ) -> None:
        """Refuse texts to be written that are all the same, and such as are longer than an answer may be.

        Raises:
            UnsuitableData: there are such.
        """
        targets, tokenizer = dataset.truth(splits["train"]), _writing(dataset)
        if len(set(targets)) == 1:
            raise UnsuitableData("All training rows have the same target, which leaves nothing to learn.")
        if too_long := sum(not tokenizer.fits(text) for text in targets):
            raise UnsuitableData(
                f"{too_long:,} of {len(targets):,} training targets have more than {tokenizer.max_length} "
                f"{tokenizer.unit}: raise `hyperparameters.max_written`, or leave such rows out."
            )

    def outputs(self, network: nn.Module, inputs: Tensor, targets: Tensor | None = None) -> Tensor:
        """Logits (N, K, L) of each token, told those before it; without targets, of the first."""
        preprocess, translator = parts_of(network)
        logits_NLK: Tensor = translator(preprocess(inputs), None if targets is None else shifted(targets))
        return logits_NLK.transpose(1, 2)

    def quick(self, logits_NKL: Tensor, targets_NL: Tensor) -> dict[str, Tensor]:
        """The share of the tokens that are right, told those before."""
        is_right_NL = logits_NKL.argmax(dim=1) == targets_NL
        return {"token_accuracy": torch.stack([is_right_NL.sum(), (targets_NL != NO_TARGET).sum()])[:, None]}

    def output(self) -> Described:
        """Tokens of the text."""
        tokenizer = self.tokenizer.as_json()
        return {"name": "written", "dtype": "int64", "shape": [None], "tokenizer": tokenizer}

    def answering(self, network: nn.Module) -> nn.Module:
        """What writes the most probable token each time."""
        return Greedy(network)

    def graphs(self, network: nn.Module, described: Described, samples: Batch) -> dict[str, Graph]:
        """`model`, `encoder` and `decoder`."""
        return graphs_of(network, described, self.output(), samples)

    def quality(self, plan: "Plan", network: nn.Module, report: "Reporter") -> dict[str, Scores]:
        """`perplexity` and `token_accuracy` of the held-out targets, told the right tokens before each."""
        held_out = [name for name in ("validation", "test") if name in plan.splits]
        return {name: self._told(network, plan.splits[name]) for name in held_out}

    def guessed(self, plan: "Plan", network: nn.Module, split: str) -> Array:
        """The most frequent target of the training rows, or the input as it is: whatever is more often right there."""
        train, asked = plan.splits["train"], plan.splits[split]
        targets = plan.dataset.truth(train)
        (best, count), *_ = Counter(targets).most_common(1)
        if (targets == plan.dataset.asked(train)).sum() > count:
            return plan.dataset.asked(asked)
        return np.full(len(asked), best, object)

    @staticmethod
    def read(outputs: Any, output: Described) -> Array:
        """The texts (N,)."""
        tokens_NL, _ = outputs
        tokenizer = Tokenizer.of(output["tokenizer"])
        return np.array([tokenizer.text(row) for row in tokens_NL.tolist()], object)

    @staticmethod
    def score(targets: Array, answers: Array, labels: list[str] | None, num_inputs: int) -> Scores:
        """Those of texts (N,)."""
        return translation_scores(targets, answers)

    @staticmethod
    def intervals(targets: Array, answers: Array, num_outputs: int, num_inputs: int) -> Intervals:
        """Of both."""
        return translation_intervals(targets, answers)

    @staticmethod
    def guess(train_targets: Array, count: int, num_outputs: int) -> Array:
        """The most frequent text."""
        return np.full(count, Counter(train_targets).most_common(1)[0][0], object)

    @staticmethod
    def describe(answer: Array, labels: list[str] | None, size: tuple[int, int] | None) -> Description:
        """The `text`."""
        return Description({"text": str(answer)})

    @classmethod
    def tabulated(cls, target: Any, answer: Any, labels: list[str] | None) -> dict[str, Any]:
        """Both texts."""
        return {"target": target, "prediction": answer}

    def _told(self, network: nn.Module, examples: Examples) -> Scores:
        loss = right = count = 0.0
        with torch.inference_mode():
            for batch in examples.batches(MEASURED_BATCH_SIZE):
                inputs, targets, _ = batch.to("cpu")
                logits = self.outputs(network, inputs, targets)
                loss += float(nn.functional.cross_entropy(logits, targets, ignore_index=NO_TARGET, reduction="sum"))
                right += float((logits.argmax(dim=1) == targets).sum())
                count += float((targets != NO_TARGET).sum())
        return {"perplexity": exp(min(loss / count, MAX_EXPONENT)), "token_accuracy": right / count}


def _writing(dataset: DataSet) -> Tokenizer:
    if dataset.target_tokenizer is None:
        raise TypeError("the targets are not tokens")
    return dataset.target_tokenizer
