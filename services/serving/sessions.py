"""ONNX Runtime sessions.

A session is loaded from bytes, never by path: a graph that names another file of the disk as its weights
then finds none.
"""

import hashlib
from functools import cache
from pathlib import Path

import onnxruntime

from services.errors import Unavailable
from services.serving import cuda

UNTRUSTED_ARENA_BYTES = 1 << 30
"""Memory that all runs of users' own graphs may take together; without a bound an input could ask for terabytes."""
SEVERITY_FATAL = 4


def read_graph(path: Path, sha256: str) -> bytes:
    """The bytes of an ONNX file. Raises `Unavailable` if it is missing or not what was registered."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable("model_file_missing", "The model's file is not in the artifact store.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Unavailable("model_file_altered", "The model's file is not the one that was registered.")
    return data


def open_session(
    graph: bytes, *, threads: int, trusted: bool = True, device: cuda.Device = "cpu"
) -> onnxruntime.InferenceSession:
    """Load a graph with so many threads for one run. Raises `Unavailable` if it does not load."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning threads take the processor from the requests beside them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # A failed run is told to its caller; ONNX Runtime would print it too, inputs and all.
    options.log_severity_level = SEVERITY_FATAL
    # Constants that can be computed ahead are computed while loading, outside of the arena and without an end.
    disabled = None if trusted else ["ConstantFolding", "ConstantFoldingDQ"]
    if not trusted:
        _bound_untrusted_memory()
        options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return onnxruntime.InferenceSession(
            graph, options, providers=cuda.providers(device), disabled_optimizers=disabled
        )
    except Exception as error:  # ONNX Runtime's own classes have no common base but this
        raise Unavailable("model_not_loadable", "ONNX Runtime cannot load this model's file.") from error


@cache
def _bound_untrusted_memory() -> None:
    """Register the allocator that sessions of users' own graphs share, once a process."""
    info = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # 1: the arena grows by what is asked for, not to the next power of two.
    arena = onnxruntime.OrtArenaCfg({"max_mem": UNTRUSTED_ARENA_BYTES, "arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(info, arena)
