"""Triton, out of the wheel `nvidia-pytriton`: C++ front end, dynamic batching, Python backend around ONNX Runtime."""

import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from benchmarks.serving import environments
from benchmarks.serving.contenders import Launch, peer_environment
from benchmarks.serving.peers.classifier import MAX_BATCH

NAME = "Triton"
ENVIRONMENT = "triton"
MODEL = "classifier"

# Triton's model configuration, as protocol buffers' text; batches form while the instance is busy.
CONFIGURATION = """
name: "{model}"
backend: "python"
max_batch_size: {max_batch}
input [{{ name: "image" data_type: TYPE_UINT8 dims: [{dims}] }}]
output [{{ name: "probabilities" data_type: TYPE_FP32 dims: [{num_classes}] }}]
dynamic_batching {{ max_queue_delay_microseconds: 0 }}
instance_group [{{ kind: KIND_CPU count: 1 }}]
"""

# Triton's Python ignores PYTHONPATH.
CODE = """
import sys

sys.path[:0] = {path!r}
from benchmarks.serving.peers.triton_model import TritonPythonModel
"""


def launch(python: Path, onnx: Path, shape: tuple[int, ...], num_classes: int) -> Callable[[int, Path], Launch]:
    """Triton serving images uint8 `shape`, (C, H, W), as `MODEL`."""

    def start(port: int, directory: Path) -> Launch:
        wheel = environments.site_packages(python) / "pytriton" / "tritonserver"
        path = [str(environments.ROOT), str(environments.site_packages(python))]
        _write_repository(directory / "models", shape, num_classes, CODE.format(path=path))
        _link_backend(directory / "backends" / "python", wheel)
        options = {
            "model-repository": directory / "models",
            "backend-directory": directory / "backends",
            "http-address": "127.0.0.1",
            "http-port": port,
            "allow-grpc": "false",
            "allow-metrics": "false",
            "log-info": "false",
        }
        command = [str(wheel / "bin" / "tritonserver"), *(f"--{name}={value}" for name, value in options.items())]
        return Launch(command, {**peer_environment(onnx, directory), **_python_environment(python)})

    return start


def _write_repository(directory: Path, shape: tuple[int, ...], num_classes: int, code: str) -> None:
    version = directory / MODEL / "1"
    version.mkdir(parents=True)
    dims = ", ".join(map(str, shape))
    text = CONFIGURATION.format(model=MODEL, max_batch=MAX_BATCH, dims=dims, num_classes=num_classes)
    (version.parent / "config.pbtxt").write_text(text)
    (version / "model.py").write_text(code)


def _link_backend(directory: Path, wheel: Path) -> None:
    """The backend with the stub for this Python, which the wheel keeps apart, one a version."""
    directory.mkdir(parents=True)
    stub = wheel / "python_backend_stubs" / f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (*(wheel / "backends" / "python").glob("*triton_python*"), stub / "triton_python_backend_stub"):
        (directory / path.name).symlink_to(path)


def _python_environment(python: Path) -> dict[str, str]:
    """Where the stub, which embeds a Python, finds that and the libraries of the wheel."""
    libraries = environments.site_packages(python) / "nvidia_pytriton.libs"
    return {
        "PYTHONHOME": sys.base_prefix,
        "LD_LIBRARY_PATH": f"{sysconfig.get_config_var('LIBDIR')}:{libraries}",
    }
