"""LeNet from binary tensors over the Open Inference Protocol (uint8 1×1×28×28): one gateway process beside Triton.

Both get the same bytes: the request's JSON, then the raw tensor, and answer a raw tensor. Run with
`python -m benchmarks.serving.tensors [--rounds N] [--seconds N] [--home DIR]`.
"""

import json
import struct
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.serving import contenders, options, recipes, triton, turns
from benchmarks.serving.contenders import Contender
from benchmarks.serving.gateway import Trained
from benchmarks.serving.peers.classifier import decode
from benchmarks.serving.wrk import Post

CONNECTIONS = (1, 32, 128)
LENGTH_HEADER = "Inference-Header-Content-Length"


def request(model: str, images: np.ndarray) -> Post:
    """The request for the probabilities of uint8 images (N, C, H, W), binary both ways."""
    tensor = images.tobytes()
    size = {"binary_data_size": len(tensor)}
    described = {"name": "image", "shape": images.shape, "datatype": "UINT8", "parameters": size}
    head = json.dumps({"inputs": [described], "parameters": {"binary_data_output": True}}).encode()
    headers = {LENGTH_HEADER: str(len(head)), "Content-Type": "application/octet-stream"}
    return Post(f"/v2/models/{model}/infer", head + tensor, headers)


def probabilities(answer: bytes) -> Sequence[float]:
    """The only output, float32 (1, 10), with which the answer ends."""
    return struct.unpack("<10f", answer[-40:])


def ours(trained: Trained, images: np.ndarray) -> Contender:
    """The gateway."""
    launch = contenders.gateway_launch(trained)
    return Contender("Syllabus", launch, request(trained.model, images), probabilities)


def others(trained: Trained, images: np.ndarray) -> Iterator[Contender]:
    """Triton, where it can be installed."""
    if (python := contenders.installed(triton.NAME, triton.ENVIRONMENT)) is not None:
        launch = triton.launch(python, trained.onnx, images.shape[1:], len(trained.labels))
        yield Contender(triton.NAME, launch, request(triton.MODEL, images), probabilities)


def main() -> None:
    """Print a table for each number of connections."""
    chosen = options.parse(__doc__)
    with recipes.home(chosen.home) as home:
        trained = recipes.lenet(home)
        images = decode(recipes.png(), channels=1)[None]
        print(f"LeNet, a tensor of {images.nbytes} bytes")
        expected = recipes.expected(trained, recipes.png())
        pair = ours(trained, images), others(trained, images)
        turns.compare(*pair, expected, CONNECTIONS, chosen.rounds, chosen.seconds)


if __name__ == "__main__":
    main()
