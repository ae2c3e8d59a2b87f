"""From raw rows to the numbers that classical learners take: what a network's preprocessing makes of them.

Columns are standardised, a missing value is the column's mean, a category is a feature of its own. Images are
standardised by channel, averaged down to at most `MAX_SIDE` pixels a side and flattened. Where more than `MAX_FEATURES`
numbers are left of a row, their first `COMPONENTS` principal components (Hotelling 1933) take their place.
Shapes: N rows, G features.
"""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.data import DataSet
from models.examples import Examples
from models.preprocess import fitted

MAX_SIDE = 32
MAX_FEATURES = 128
COMPONENTS = 64
_BATCH_ROWS = 1024


@dataclass(frozen=True)
class Features:
    """The preprocessing fitted to some rows."""

    network: nn.Module
    """From raw inputs to flat standardised ones."""
    reduction: Any
    """scikit-learn's PCA; None where there are few features."""
    detail: str
    """For people: what the learners see of a row."""

    @classmethod
    def fitted(cls, dataset: DataSet, train: Examples, seed: int) -> "Features":
        """Fitted to these rows alone.

        Raises:
            UnsuitableData: a column has infinite values.
        """
        layers: list[nn.Module] = [fitted(dataset, train)]
        if dataset.modality == "image":
            longest = max(dataset.input["shape"][1:])
            layers += [nn.AvgPool2d(ceil(longest / MAX_SIDE), ceil_mode=True), nn.Flatten()]
        whole = cls(nn.Sequential(*layers), None, "")
        rows = whole.of(train)
        if rows.shape[1] <= MAX_FEATURES:
            return cls(whole.network, None, f"{rows.shape[1]} standardised features")
        from sklearn.decomposition import PCA

        components = min(COMPONENTS, *rows.shape)
        reduction = PCA(components, svd_solver="randomized", random_state=seed).fit(rows)
        kept = float(reduction.explained_variance_ratio_.sum())
        detail = f"{components} principal components of {rows.shape[1]} features, with {kept:.0%} of their variance"
        return cls(whole.network, reduction, detail)

    def of(self, examples: Examples) -> NDArray[np.float32]:
        """The features (N, G) of the examples."""
        parts = []
        with torch.inference_mode():
            for batch in examples.batches(_BATCH_ROWS):
                rows = self.network(batch.inputs).numpy()
                parts.append(rows if self.reduction is None else self.reduction.transform(rows))
        return np.concatenate(parts).astype(np.float32)
