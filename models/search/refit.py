"""How the best trial's configuration is trained once more."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from models.data import DataSet
from models.errors import JobError
from models.examples import Examples
from models.ragged import offsets_beside
from models.search.history import Record
from models.splits import Parts, Rows
from models.training.plan import Plan
from models.training.settings import Split, training_settings

Refit = Literal["best", "all"]


def plan_of(refit: Refit, request: dict[str, Any], dataset: DataSet, found: Record) -> Plan:
    """best: exactly as the trial. all: on training and validation rows, up to the trial's best epoch.

    Raises:
        JobError: `refit_unsuitable`, the validation rows are a split of the data set's own that cannot be joined.
    """
    if refit == "best":
        return Plan.of(request, dataset)
    training = {**request["training"], "epochs": found.attributes["best_epoch"], "early_stopping": None}
    whole = Whole.of(dataset)
    return Plan.of({**request, "training": training}, whole, whole.parts(training_settings(training).split))


@dataclass(frozen=True)
class Whole(DataSet):
    """A data set whose validation rows, where they are a split of its own, stand after its training rows."""

    @classmethod
    def of(cls, dataset: DataSet) -> "Whole":
        """The same rows.

        Raises:
            JobError: `refit_unsuitable`, there is such a split, and it is too large to be joined in memory, or its rows
                vary in length.
        """
        varies = offsets_beside(dataset.directory / "train.inputs.npy").exists()
        if "validation" in dataset.manifest["splits"] and (varies or not dataset.in_memory):
            raise JobError(
                "refit_unsuitable",
                "`refit: all` joins the data set's own validation split to its training rows in memory, and these are "
                f"{'of varying length' if varies else 'too large for that'}; use `refit: best`.",
            )
        return cls(dataset.directory, dataset.manifest, dataset.tokenizer)

    def parts(self, split: Split) -> Parts:
        """The rows to train on, `train`, which are those of the validation as well; and `test`, if there is any."""
        parts = self.rows(split)
        own = self.manifest["splits"]["train"]["count"]
        learned = [
            rows if source == "train" else own + rows
            for name, (source, rows) in parts.items()
            if name in ("train", "validation")
        ]
        test = {name: part for name, part in parts.items() if name == "test"}
        return {"train": ("train", np.sort(np.concatenate(learned))), **test}

    def examples(self, split: str, rows: Rows | None = None, device: torch.device | None = None) -> Examples:
        """Of `train` those of the validation split as well."""
        if split != "train" or "validation" not in self.manifest["splits"]:
            return super().examples(split, rows, device)
        inputs = np.concatenate([self.inputs("train"), self.inputs("validation")])
        parts = [part for part in (self.targets("train"), self.targets("validation")) if part is not None]
        targets = np.concatenate(parts) if parts else None
        return Examples(inputs, targets, np.arange(len(inputs)) if rows is None else rows, device=device)
