"""MLServer: a custom inference runtime; images come as base64, batches are adaptive (set where it is started)."""

import numpy as np
from mlserver import MLModel  # type: ignore[import-not-found, unused-ignore]
from mlserver.codecs import Base64Codec, NumpyCodec  # type: ignore[import-not-found, unused-ignore]
from mlserver.types import InferenceRequest, InferenceResponse  # type: ignore[import-not-found, unused-ignore]

from benchmarks.serving.peers.classifier import Classifier


class Runtime(MLModel):  # type: ignore[misc, unused-ignore]
    """LeNet behind the Open Inference Protocol."""

    async def load(self) -> bool:
        """Open the session."""
        self._classifier = Classifier()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Classify a batch of image files."""
        files = self.decode(payload.inputs[0], default_codec=Base64Codec)
        probabilities = self._classifier.run(np.stack([self._classifier.decode(file) for file in files]))
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output("probabilities", probabilities)]
        )
