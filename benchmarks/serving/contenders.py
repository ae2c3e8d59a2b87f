"""The servers that are compared: how each is started and asked, and where its answer has the probabilities."""

import base64
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.serving import commands, environments, gateway
from benchmarks.serving.commands import Command
from benchmarks.serving.gateway import Trained
from benchmarks.serving.wrk import Post

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Launch:
    """A command and what it finds in its environment."""

    command: Sequence[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Contender:
    """A server that is started for a port in an empty directory, its request, and the probabilities in its answer.

    `probabilities` is None for a floor, which classifies nothing.
    """

    name: str
    launch: Callable[[int, Path], Launch]
    post: Post
    probabilities: Callable[[bytes], Sequence[float]] | None


@dataclass(frozen=True)
class Peer:
    """Another server of images: `wrap` makes the request's body of the file, `read` finds the probabilities."""

    name: str
    environment: str | None
    command: Command
    path: str
    wrap: Callable[[str], Any] | None
    read: Callable[[Any], Sequence[float]] | None


PEERS = (
    Peer("Starlette doing nothing", None, commands.uvicorn("starlette_floor"), "/predict", None, None),
    Peer("FastAPI doing nothing", None, commands.uvicorn("fastapi_floor"), "/predict", None, None),
    Peer(
        "FastAPI, thread pool",
        None,
        commands.uvicorn("fastapi_threads"),
        "/predict",
        None,
        lambda answer: answer["probabilities"],
    ),
    Peer(
        "MLServer",
        "mlserver",
        commands.mlserver,
        "/v2/models/classifier/infer",
        lambda text: {"inputs": [{"name": "image", "shape": [1, 1], "datatype": "BYTES", "data": [text]}]},
        lambda answer: answer["outputs"][0]["data"],
    ),
    Peer(
        "LitServe",
        "litserve",
        commands.litserve,
        "/predict",
        lambda text: {"image": text},
        lambda answer: answer["probabilities"],
    ),
    Peer(
        "BentoML",
        "bento",
        commands.bentoml,
        "/predict",
        lambda text: {"images": [text]},
        lambda answer: answer[0]["probabilities"],
    ),
    Peer("Ray Serve", "ray", commands.ray_serve, "/", None, lambda answer: answer["probabilities"]),
)


def ours(trained: Trained, image: Post) -> Contender:
    """The gateway, asked for every class of an image file."""
    post = Post(gateway.predict_path(trained), image.body, image.headers)
    return Contender("Syllabus", gateway_launch(trained), post, partial(gateway.probabilities, trained))


def gateway_launch(trained: Trained) -> Callable[[int, Path], Launch]:
    """The gateway alone over the home directory in which the model was trained."""
    return lambda port, directory: Launch(gateway.command(), gateway.environment(trained.home, port))


def others(trained: Trained, image: Post, only: Sequence[str]) -> Iterator[Contender]:
    """The others that `only` names; one that cannot be installed is left out."""
    for peer in PEERS:
        if peer.name not in only:
            continue
        if (interpreter := installed(peer.name, peer.environment)) is None:
            continue
        if peer.wrap is None:
            post = Post(peer.path, image.body, image.headers)
        else:
            post = Post(peer.path, json.dumps(peer.wrap(base64.b64encode(image.body).decode())).encode(), JSON)
        yield Contender(peer.name, _launch(peer.command, interpreter, trained.onnx), post, _reader(peer.read))


def installed(name: str, environment: str | None) -> Path | None:
    """The interpreter of a server's environment; if that cannot be made, say so and answer None."""
    if environment is None:
        return Path(sys.executable)
    try:
        return environments.python(environment)
    except environments.NotInstalled as error:
        print(f"{name} is left out, since it could not be installed: {error}\n", flush=True)
        return None


def peer_environment(onnx: Path, directory: Path) -> dict[str, str]:
    """Where `peers.classifier` and its model are, and that nothing is to be reported to anybody."""
    return {
        "PYTHONPATH": str(environments.ROOT),
        "CLASSIFIER_ONNX": str(onnx),
        "ORT_DISABLE_TELEMETRY": "1",
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(directory),
        "RAY_TMPDIR": str(directory),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    }


def _launch(command: Command, interpreter: Path, onnx: Path) -> Callable[[int, Path], Launch]:
    return lambda port, directory: Launch(command(interpreter, port, directory), peer_environment(onnx, directory))


def _reader(read: Callable[[Any], Sequence[float]] | None) -> Callable[[bytes], Sequence[float]] | None:
    return None if read is None else lambda answer: read(json.loads(answer))
