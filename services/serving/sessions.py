"""ONNX Runtime sessions, kept by the digest of their file.

A session is loaded from bytes, never by path: a graph that names another file of the disk as its weights
then finds none.
"""

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path

import onnxruntime

from services.errors import Unavailable

MAX_SESSIONS = 32
MAX_BYTES = 1 << 30


def load_session(path: Path, sha256: str) -> tuple[onnxruntime.InferenceSession, int]:
    """Load one ONNX file and its size. Raises `Unavailable` if it is missing, altered or does not load."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable("model_file_missing", "The model's file is not in the artifact store.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Unavailable("model_file_altered", "The model's file is not the one that was registered.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Spinning threads take the processor from the requests beside them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes have no common base but this
        raise Unavailable("model_not_loadable", "ONNX Runtime cannot load this model's file.") from error
    return session, len(data)


class SessionCache:
    """Sessions by digest; the least recently used ones make room.

    Requests that come while a session loads wait for that one load. A failed load is forgotten, so that the
    next request tries again, and touches no other session.
    """

    def __init__(self, max_sessions: int = MAX_SESSIONS, max_bytes: int = MAX_BYTES) -> None:
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._loads: OrderedDict[str, Future[tuple[onnxruntime.InferenceSession, int]]] = OrderedDict()

    def get(self, sha256: str, path: Path) -> onnxruntime.InferenceSession:
        """The session of the file with this digest, loaded from `path` at first use. Raises `Unavailable`."""
        with self._lock:
            load = self._loads.get(sha256)
            is_first = load is None
            if load is None:
                load = self._loads[sha256] = Future()
            self._loads.move_to_end(sha256)
        if is_first:
            self._load(load, sha256, path)
        return load.result()[0]

    def __len__(self) -> int:
        return len(self._loads)

    def _load(self, load: Future[tuple[onnxruntime.InferenceSession, int]], sha256: str, path: Path) -> None:
        try:
            load.set_result(load_session(path, sha256))
        except BaseException as error:
            with self._lock:
                self._loads.pop(sha256, None)
            load.set_exception(error)
        else:
            self._make_room()

    def _make_room(self) -> None:
        with self._lock:
            ready = [(sha256, load.result()[1]) for sha256, load in self._loads.items() if load.done()]
            num_bytes = sum(size for _, size in ready)
            # The newest stays, even if it alone is over the limit: it is about to be used.
            for sha256, size in ready[:-1]:
                if len(ready) <= self._max_sessions and num_bytes <= self._max_bytes:
                    return
                del self._loads[sha256]
                ready = ready[1:]
                num_bytes -= size
