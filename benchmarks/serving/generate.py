"""A variational autoencoder's samples as a PNG sheet: one gateway process beside FastAPI with torch's decoder.

784-400-20, dense, 28×28 grey pixels. Both answer the same request with a sheet of the same size; FastAPI's server runs
the same weights with one thread of torch for each request. Run with
`python -m benchmarks.serving.generate [--rounds N] [--seconds N] [--home DIR]`.
"""

import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

from benchmarks.serving import commands, contenders, environments, fashion_mnist, gateway, options, recipes, turns
from benchmarks.serving.contenders import Contender, Launch
from benchmarks.serving.gateway import Recipe, Trained
from benchmarks.serving.peers import fastapi_torch
from benchmarks.serving.peers.classifier import session_options
from benchmarks.serving.wrk import Post

CONNECTIONS = (1, 32)
SAMPLES = (1, 64)
CODES = 256
WEIGHTS, DECODER = "weights.safetensors", "decoder.onnx"


def vae(directory: Path) -> Trained:
    """One epoch on images of Fashion-MNIST: a sample takes as long however good it is."""
    training = {"epochs": 1, "batch_size": 128, "device": "cpu"}
    hyperparameters = {"hidden_dims": [400], "code_dim": 20}
    recipe = Recipe(
        "vae", "vae", hyperparameters, training, fashion_mnist.upload(1000, 100), {}, (), (WEIGHTS, DECODER)
    )
    return gateway.train(directory, recipe)


def request(path: str, n: int) -> Post:
    """The request for a sheet of samples."""
    headers = {"Content-Type": "application/json", "Accept": "image/png"}
    return Post(path, json.dumps({"n": n, "seed": 7}).encode(), headers)


def size_of(answer: bytes) -> Sequence[float]:
    """Width and height of a PNG."""
    image = Image.open(io.BytesIO(answer))
    assert image.format == "PNG"
    return image.size


def ours(trained: Trained, n: int) -> Contender:
    """The gateway."""
    launch = contenders.gateway_launch(trained)
    return Contender("Syllabus", launch, request(f"/v1/models/{trained.model}/generate", n), size_of)


def others(trained: Trained, n: int) -> Iterator[Contender]:
    """FastAPI with torch in its process."""

    def launch(port: int, directory: Path) -> Launch:
        environment = {"PYTHONPATH": str(environments.ROOT), "DECODER_WEIGHTS": str(trained.artifact(WEIGHTS))}
        return Launch(commands.uvicorn("fastapi_torch")(Path(sys.executable), port, directory), environment)

    yield Contender("FastAPI, thread pool, torch", launch, request("/generate", n), size_of)


def largest_difference(trained: Trained) -> int:
    """Of pixels of the same codes by torch and by ONNX Runtime, in levels of 255."""
    codes = np.random.default_rng(0).standard_normal((CODES, 20)).astype(np.float32)
    theirs = fastapi_torch.Sampler(str(trained.artifact(WEIGHTS))).images(torch.from_numpy(codes)).numpy()
    path = str(trained.artifact(DECODER))
    session = onnxruntime.InferenceSession(path, session_options(), providers=["CPUExecutionProvider"])
    (mine,) = session.run(None, {"code": codes})
    return int(np.abs(mine[:, 0].astype(int) - theirs).max())


def main() -> None:
    """Print a table for each number of samples and of connections."""
    chosen = options.parse(__doc__)
    with recipes.home(chosen.home) as home:
        trained = vae(home)
        difference = largest_difference(trained)
        print(f"Pixels of {CODES} codes by both decoders differ by at most {difference} of 255")
        assert difference <= 1, "the two decoders are not the same"
        for n in SAMPLES:
            print(f"\nSheets of n = {n}")
            expected = size_of(fastapi_torch.Sampler(str(trained.artifact(WEIGHTS))).sheet(n, 7))
            pair = ours(trained, n), others(trained, n)
            turns.compare(*pair, expected, CONNECTIONS, chosen.rounds, chosen.seconds)


if __name__ == "__main__":
    main()
