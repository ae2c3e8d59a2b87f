"""The cache of ONNX Runtime sessions."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from services.errors import Unavailable
from services.serving import sessions
from services.serving.sessions import SessionCache
from tests.serving_models import tabular_regressor


def placed(directory: Path, content: bytes) -> tuple[str, Path]:
    path = directory / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return path.name, path


def variant(number: int) -> bytes:
    """The regressor again, as a file of another digest."""
    model = onnx.load_from_string(tabular_regressor())
    model.doc_string = str(number)
    return bytes(model.SerializeToString())


def test_a_session_is_loaded_once_and_kept(tmp_path: Path) -> None:
    cache = SessionCache()
    key, path = placed(tmp_path, tabular_regressor())
    first = cache.get(key, path)
    path.unlink()
    assert cache.get(key, path) is first


def test_many_requests_at_once_wait_for_one_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load_session = sessions.load_session

    def counted(path: Path, sha256: str) -> object:
        loads.append(sha256)
        return load_session(path, sha256)

    monkeypatch.setattr(sessions, "load_session", counted)
    cache = SessionCache()
    key, path = placed(tmp_path, tabular_regressor())
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: cache.get(key, path), range(64)))
    assert len(set(map(id, found))) == 1
    assert loads == [key]


def test_the_least_recently_used_session_makes_room(tmp_path: Path) -> None:
    cache = SessionCache(max_sessions=2)
    files = [placed(tmp_path, variant(number)) for number in range(3)]
    first, second = (cache.get(*file) for file in files[:2])
    cache.get(*files[0])
    cache.get(*files[2])
    assert len(cache) == 2
    assert cache.get(*files[0]) is first
    assert cache.get(*files[1]) is not second


def test_sessions_are_bounded_by_bytes_but_one_is_always_kept(tmp_path: Path) -> None:
    cache = SessionCache(max_bytes=1)
    for number in range(3):
        cache.get(*placed(tmp_path, variant(number)))
        assert len(cache) == 1


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "model_not_loadable"), (b"no onnx", "model_not_loadable"), (None, "model_file_missing")]
)
def test_a_broken_file_fails_only_its_own_load(tmp_path: Path, content: bytes | None, code: str) -> None:
    cache = SessionCache()
    good = placed(tmp_path, tabular_regressor())
    session = cache.get(*good)
    bad = ("0" * 64, tmp_path / "none") if content is None else placed(tmp_path, content)
    for _ in range(2):
        with pytest.raises(Unavailable) as failure:
            cache.get(*bad)
        assert failure.value.code == code
    assert cache.get(*good) is session
    assert len(cache) == 1


def test_an_altered_file_is_not_loaded(tmp_path: Path) -> None:
    key, path = placed(tmp_path, tabular_regressor())
    path.write_bytes(variant(1))
    with pytest.raises(Unavailable) as failure:
        SessionCache().get(key, path)
    assert failure.value.code == "model_file_altered"


def test_weights_outside_of_the_file_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(np.ones(2, np.float32).tobytes())
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../secret")
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    taken = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [given], [taken], [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(Unavailable) as failure:
        SessionCache().get(*placed(tmp_path, bytes(model.SerializeToString())))
    assert failure.value.code == "model_not_loadable"


def test_telemetry_is_off_before_the_runtime_is_imported() -> None:
    code = (
        "import os, sys; import services.serving; "
        "assert 'onnxruntime' not in sys.modules; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "1"
