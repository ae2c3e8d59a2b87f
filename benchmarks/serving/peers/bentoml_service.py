"""BentoML: images come as base64 in JSON, adaptive batches in one worker."""

import base64
from typing import Any

import bentoml  # type: ignore[import-not-found, unused-ignore]

from benchmarks.serving.peers.classifier import MAX_BATCH, Classifier


@bentoml.service(workers=1, traffic={"timeout": 30})  # type: ignore[misc, untyped-decorator, unused-ignore]
class Service:
    """LeNet."""

    def __init__(self) -> None:
        self._classifier = Classifier()

    @bentoml.api(  # type: ignore[misc, untyped-decorator, unused-ignore]
        batchable=True, max_batch_size=MAX_BATCH, max_latency_ms=1000
    )
    def predict(self, images: list[str]) -> list[dict[str, Any]]:
        """Classify a batch of image files."""
        return self._classifier.classify([base64.b64decode(image) for image in images])
