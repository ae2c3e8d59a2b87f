"""LitServe: images come as base64 in JSON, dynamic batches, and the queue meant for more than 100 requests a second.

Run with the port as its only argument.
"""

import base64
import sys
from typing import Any

import litserve  # type: ignore[import-not-found, unused-ignore]
import numpy as np

from benchmarks.serving.peers.classifier import MAX_BATCH, Classifier, answer


class ClassifierAPI(litserve.LitAPI):  # type: ignore[misc, unused-ignore]
    """LeNet in one worker process."""

    def setup(self, device: str) -> None:
        """Open the session."""
        self._classifier = Classifier()

    def decode_request(self, request: dict[str, str]) -> np.ndarray:
        """The image of one request."""
        return self._classifier.decode(base64.b64decode(request["image"]))

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Images of several requests as one array."""
        return np.stack(inputs)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Probabilities of a batch."""
        return self._classifier.run(x)

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        """The rows of a batch."""
        return list(output)

    def encode_response(self, output: np.ndarray) -> dict[str, Any]:
        """The answer to one request."""
        return answer(output)


if __name__ == "__main__":
    api = ClassifierAPI(max_batch_size=MAX_BATCH, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
