"""The splits of a data set as a model version sees them."""

from typing import Any

import numpy as np

from models.data import DataSet
from models.errors import Mismatch
from models.examples import Examples
from models.training.settings import Split


def examples_of(dataset: DataSet, version: dict[str, Any], wanted: str) -> tuple[str, Examples]:
    """The examples of the wanted split and its name.

    On the data set that the version was trained on, the splits are those of its training, so that no row
    it has learned is among the test's; a version that has learned from the validation rows as well, as the record's
    `learned` says, has no such split. A data set without splits of its own is taken whole, as `all`.

    Raises:
        Mismatch: there is no such split.
    """
    own = list(dataset.manifest["splits"])
    if dataset.manifest["digest"] == version.get("dataset_digest"):
        parts = dataset.rows(Split.model_validate(version["split"]))
        parts = {name: part for name, part in parts.items() if name not in version.get("learned", ())}
    elif own == ["train"]:
        return "all", dataset.examples("train")
    else:
        parts = {name: (name, np.arange(dataset.manifest["splits"][name]["count"])) for name in own}
    if wanted not in parts:
        raise Mismatch(f"The data set has no split {wanted!r}; `split` can be: {', '.join(parts)}.")
    source, rows = parts[wanted]
    return wanted, dataset.examples(source, rows)
