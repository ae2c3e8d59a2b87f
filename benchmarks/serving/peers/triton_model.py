"""Triton: a model of its Python backend. Triton's C++ front end reads the tensors and batches dynamically."""

from typing import Any

import numpy as np
import triton_python_backend_utils as triton  # type: ignore[import-not-found, unused-ignore]

from benchmarks.serving.peers.classifier import Classifier


class TritonPythonModel:
    """LeNet in one instance; Triton calls it by this name."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the session."""
        self._classifier = Classifier()

    def execute(self, requests: list[Any]) -> list[Any]:
        """Classify the images of several requests as one batch."""
        images = [triton.get_input_tensor_by_name(request, "image").as_numpy() for request in requests]
        rows = self._classifier.run(np.concatenate(images))
        ends = np.cumsum([len(each) for each in images])[:-1]
        return [triton.InferenceResponse([triton.Tensor("probabilities", part)]) for part in np.split(rows, ends)]
