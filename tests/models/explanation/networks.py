"""Versions with weights that are set by hand, so that what explains them is known beforehand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models import registry
from models.export import export
from models.graphs import Graph, served
from models.preprocess import preprocess_for
from models.run import JobContext
from tests.models.running import Array, Recorder, context_of, write_data_set

Weights = Callable[[nn.Module], None]


class Made:
    """A version's record, graph and weights, as a train job leaves them, and the data set it was made for."""

    def __init__(
        self,
        directory: Path,
        architecture: str,
        inputs: Array,
        targets: Array,
        *,
        labels: list[str] | None,
        hyperparameters: dict[str, Any] | None = None,
        columns: list[dict[str, Any]] | None = None,
        set_weights: Weights = lambda network: None,
        moments: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self.dataset = write_data_set(directory / "data", {"train": (inputs, targets)}, classes=labels, columns=columns)
        self.graph, self.weights = directory / "model.onnx", directory / "weights.safetensors"
        image = inputs.dtype == np.uint8
        described: dict[str, Any] = {"dtype": str(inputs.dtype), "shape": list(inputs.shape[1:])}
        described["name"] = "image" if image else "features"
        if not image:
            described["columns"] = columns or [{"name": f"x{n}", "kind": "numeric"} for n in range(inputs.shape[1])]
        outputs = 1 if labels is None else len(labels)
        signature = {
            "task": "regression" if labels is None else "classification",
            "modality": "image" if image else "tabular",
            "input": described,
            "output": {"name": "answer", "dtype": "float32", "shape": [] if labels is None else [outputs]},
            "labels": labels,
        }
        size = inputs.shape[1]
        mean, std = moments or (torch.zeros(size), torch.ones(size))
        preprocess = preprocess_for(described, str(signature["modality"]), mean, std)
        config = registry.get(architecture).configure(hyperparameters or {})
        torch.manual_seed(0)
        network = config.build(preprocess.output_shape, outputs)
        with torch.no_grad():
            set_weights(network)
        whole = nn.Sequential(preprocess, network)
        save_file({name: value.contiguous() for name, value in whole.state_dict().items()}, self.weights)
        end = nn.Flatten(0) if labels is None else nn.Softmax(dim=1)
        answer: dict[str, Any] = {"name": "answer"}
        examples = (torch.from_numpy(inputs[:2]),)
        export(Graph(served(whole, end), [described], [answer], examples, {"answer": 1e-4}), signature, self.graph)
        self.network = network
        self.version: dict[str, Any] = {
            "architecture": architecture,
            "hyperparameters": hyperparameters or {},
            "signature": signature,
            "dataset_digest": "sha256:of-other-data",
        }

    def context(self, directory: Path, report: Recorder | None = None, **request: Any) -> JobContext:
        """An explain job about this version; the split is the whole data set."""
        return context_of(
            directory,
            "explain",
            request,
            report=report,
            dataset=self.dataset,
            model=self.graph,
            weights=self.weights,
            version=self.version,
        )


def images(count: int = 6, side: int = 8, channels: int = 1) -> Array:
    """Noise."""
    return np.random.default_rng(0).integers(0, 256, (count, channels, side, side), dtype=np.uint8)
