"""The gateway as a process: what it imports, where it listens, what it describes."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from services.settings import Settings
from tests.api.conftest import environment, running_gateway
from tests.stack import free_port

FORBIDDEN = [
    "torch",
    "sentencepiece",
    "sacrebleu",
    "sklearn",
    "scipy",
    "pandas",
    "celery.worker",
    "models",
    "workers",
    "client",
]


def test_importing_the_gateway_leaves_torch_and_the_workers_out() -> None:
    code = "import json, sys, api.main, api.__main__; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(json.loads(output))
    assert loaded & set(FORBIDDEN) == set()


@pytest.mark.parametrize(("host", "keys"), [("example.org", {}), ("0.0.0.0", {"SYLLABUS_API_KEY": ""})])
def test_without_a_key_only_loopback_is_listened_on(tmp_path: Path, host: str, keys: dict[str, str]) -> None:
    settings = Settings(home=tmp_path, host=host, port=free_port())
    result = subprocess.run(
        [sys.executable, "-m", "api"],
        env=environment(settings, **keys),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 78
    assert f"refusing to listen on {host} without an API key" in result.stderr
    assert "SYLLABUS_API_KEY" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        variables = environment(Settings(home=tmp_path, port=port))
        result = subprocess.run(
            [sys.executable, "-m", "api", "--check"], env=variables, capture_output=True, text=True, check=False
        )
    assert result.returncode == 78
    assert f"port {port}" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_with_a_key_any_address_is_listened_on(tmp_path: Path, broker_url: str) -> None:
    settings = Settings(home=tmp_path, host="0.0.0.0", port=free_port(), broker_url=broker_url)
    with running_gateway(settings, SYLLABUS_API_KEY="k") as gateway:
        assert gateway.process.poll() is None


def test_wrong_settings_are_named_without_a_traceback(tmp_path: Path) -> None:
    variables = environment(Settings(home=tmp_path)) | {"SYLLABUS_MAX_BODY_BYTES": "many"}
    result = subprocess.run(
        [sys.executable, "-m", "api"], env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 78
    assert "max_body_bytes" in result.stderr.lower()
    assert "Traceback" not in result.stderr


def test_the_process_ends_by_the_signal_and_logs_json(tmp_path: Path, broker_url: str) -> None:
    settings = Settings(home=tmp_path, port=free_port(), broker_url=broker_url)
    with running_gateway(settings) as gateway:
        gateway.process.terminate()
        gateway.process.wait(20)
    lines = [json.loads(line) for line in gateway.log.read_text().splitlines()]
    assert {"event", "level", "timestamp"} <= set.intersection(*map(set, lines))


def test_every_error_is_declared(lite_client: TestClient) -> None:
    document = lite_client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    # What /v2 declares: tests/api/routes/test_inference_protocol.py.
    for path, item in ((path, item) for path, item in document["paths"].items() if not path.startswith("/v2")):
        for method, operation in item.items():
            codes = set(operation["responses"])
            assert {"400", "401", "403", "422", "500", "503"} <= codes, f"{method} {path}"
            if "{" in path:
                assert "404" in codes, f"{method} {path}"
            for code in codes - {"200", "202", "204", "206", "304"}:
                if (path, code) != ("/health/ready", "503"):
                    assert list(operation["responses"][code]["content"]) == ["application/problem+json"]


def test_the_documentation_is_served(lite_client: TestClient) -> None:
    assert "/openapi.json" in lite_client.get("/docs").text
