"""A name's language by a bidirectional LSTM: one gateway process beside FastAPI with torch.

64 numbers for a character, 128 in a state of each direction, 18 classes. Each request carries one name, the next of
256 of the test names, of 2 to 20 characters; both servers answer the label and all probabilities, FastAPI's with one
thread of torch for each request. Run with
`python -m benchmarks.serving.names [--rounds N] [--seconds N] [--home DIR]`.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.results import names
from benchmarks.serving import commands, contenders, environments, gateway, options, recipes, turns
from benchmarks.serving.contenders import JSON, Contender, Launch
from benchmarks.serving.gateway import Recipe, Trained
from benchmarks.serving.peers.classifier import session_options
from benchmarks.serving.wrk import Post
from models.inference import METADATA_KEY
from shapes.tokens import Tokenizer

CONNECTIONS = (1, 32)
ASKED = 256
WEIGHTS, SIGNATURE = "weights.safetensors", "signature.json"


def lacking() -> str | None:
    """What to do where the names are not there; None where they are."""
    if folder().is_dir():
        return None
    return "SYLLABUS_TEST_DATA must name a folder with `names/` in it, a text file for each language."


def folder() -> Path:
    """Where the files lie."""
    return Path(os.environ.get("SYLLABUS_TEST_DATA", ""), "names")


def lstm(directory: Path) -> Trained:
    """One epoch: an answer takes as long however good it is."""
    with tempfile.TemporaryDirectory() as scratch:
        upload = names.packed(names.divided(folder()), Path(scratch, "names.zip")).read_bytes()
    training = {"epochs": 1, "batch_size": 64, "device": "cpu"}
    hyperparameters = {"bidirectional": True, "hidden_dim": 128, "embedding_dim": 64}
    trained = gateway.train(
        directory, Recipe("names", "lstm", hyperparameters, training, upload, {}, artifacts=(WEIGHTS,))
    )
    session = onnxruntime.InferenceSession(str(trained.onnx), session_options(), providers=["CPUExecutionProvider"])
    trained.artifact(SIGNATURE).write_text(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    return trained


def asked() -> list[str]:
    """The names that are sent, in turn: of the test, drawn with a fixed seed."""
    rows = [name for each in names.divided(folder())["test"].values() for name in each]
    return [rows[place] for place in np.random.default_rng(0).permutation(len(rows))[:ASKED]]


def posts(path: str, bodies: Sequence[object]) -> Post:
    """The requests with these bodies."""
    first, *rest = (json.dumps(body).encode() for body in bodies)
    return Post(path, first, JSON, tuple(rest))


def ours(trained: Trained, texts: Sequence[str]) -> Contender:
    """The gateway."""
    post = posts(gateway.predict_path(trained), [{"inputs": [text]} for text in texts])
    return Contender(
        "Syllabus", contenders.gateway_launch(trained), post, lambda answer: gateway.probabilities(trained, answer)
    )


def others(trained: Trained, texts: Sequence[str]) -> Iterator[Contender]:
    """FastAPI with torch in its process."""

    def launch(port: int, directory: Path) -> Launch:
        environment = {
            "PYTHONPATH": str(environments.ROOT),
            "NAMES_WEIGHTS": str(trained.artifact(WEIGHTS)),
            "NAMES_SIGNATURE": str(trained.artifact(SIGNATURE)),
        }
        return Launch(commands.uvicorn("fastapi_names")(Path(sys.executable), port, directory), environment)

    post = posts("/predict", [{"text": text} for text in texts])
    yield Contender("FastAPI, thread pool, torch", launch, post, lambda answer: json.loads(answer)["probabilities"])


def expected(trained: Trained, text: str) -> Sequence[float]:
    """The probabilities (K) by ONNX Runtime in this process."""
    tokenizer = Tokenizer.of(json.loads(trained.artifact(SIGNATURE).read_text())["input"]["tokenizer"])
    session = onnxruntime.InferenceSession(str(trained.onnx), session_options(), providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"tokens": np.array([tokenizer.encode(text)], np.int64)})
    return [float(probability) for probability in answer[0]]


def main() -> None:
    """Print a table for each number of connections."""
    chosen = options.parse(__doc__, lacking=lacking)
    with recipes.home(chosen.home) as home:
        trained, texts = lstm(home), asked()
        pair = ours(trained, texts), others(trained, texts)
        turns.compare(*pair, expected(trained, texts[0]), CONNECTIONS, chosen.rounds, chosen.seconds)


if __name__ == "__main__":
    main()
