"""How each of the other servers is started: the command, given its interpreter, a port and an empty directory."""

import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving.peers.classifier import MAX_BATCH
from tests.stack import free_port

PEERS = "benchmarks.serving.peers"

Command = Callable[[Path, int, Path], list[str]]


def uvicorn(module: str) -> Command:
    """One uvicorn process, which takes uvloop and httptools where they are installed, without an access log."""

    def command(python: Path, port: int, directory: Path) -> list[str]:
        options = ["--port", str(port), "--log-level", "warning", "--no-access-log"]
        return [str(python), "-m", "uvicorn", f"{PEERS}.{module}:app", *options]

    return command


def mlserver(python: Path, port: int, directory: Path) -> list[str]:
    """One process, adaptive batching."""
    settings = {
        "debug": False,
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "parallel_workers": 0,
    }
    model = {
        "name": "classifier",
        "implementation": f"{PEERS}.mlserver_runtime.Runtime",
        "max_batch_size": MAX_BATCH,
        "max_batch_time": 0.002,
    }
    (directory / "settings.json").write_text(json.dumps(settings))
    (directory / "model-settings.json").write_text(json.dumps(model))
    return [str(python.with_name("mlserver")), "start", str(directory)]


def litserve(python: Path, port: int, directory: Path) -> list[str]:
    """One process for HTTP and one worker."""
    return [str(python), "-m", f"{PEERS}.litserve_api", str(port)]


def bentoml(python: Path, port: int, directory: Path) -> list[str]:
    """One worker."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--quiet"]
    return [str(python), "-m", "bentoml", "serve", f"{PEERS}.bentoml_service:Service", *options]


def ray_serve(python: Path, port: int, directory: Path) -> list[str]:
    """One proxy and one replica on a Ray of its own."""
    return [str(python), "-m", f"{PEERS}.ray_serve_app", str(port)]
