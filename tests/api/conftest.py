"""A gateway in this process over real parts, a gateway as a process of its own, and models to serve."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient
from structlog.stdlib import ProcessorFormatter

from api.main import create_app
from services import lifecycle, logs, migrations, registry
from services.database import Database
from services.resources import Resources
from services.settings import Settings
from services.tables import Dataset, Job, ModelVersion
from tests.serving_models import (
    image_classifier,
    image_signature,
    tabular_regressor,
    tabular_signature,
    tags_signature,
    text_classifier,
    text_signature,
    text_tagger,
    tree_classifier,
    tree_signature,
)
from tests.stack import free_port, wait_until

MIB = 2**20


@pytest.fixture(autouse=True)
def json_logs() -> None:
    """Logs as the gateway writes them."""
    logs.configure("INFO")


@pytest.fixture
def log_lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines that this test's requests have logged, as they are written."""

    def read() -> list[str]:
        (handler,) = [each for each in logging.getLogger().handlers if isinstance(each.formatter, ProcessorFormatter)]
        return [handler.format(record) for record in caplog.records if record.name.startswith("api.")]

    return read


@pytest.fixture
def settings(tmp_path: Path, database_url: str, broker_url: str) -> Settings:
    """Settings over an empty migrated database, once on SQLite and once on PostgreSQL."""
    return Settings(home=tmp_path / "home", database_url=database_url, broker_url=broker_url)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A client of a gateway in this process."""
    with TestClient(create_app(settings), base_url="http://localhost") as opened:
        yield opened


@pytest.fixture
def lite_client(tmp_path: Path, broker_url: str) -> Iterator[TestClient]:
    """As `client`, on SQLite alone: for what does not depend on the database."""
    settings = Settings(home=tmp_path / "home", broker_url=broker_url)
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as opened:
        yield opened


def migrate(settings: Settings) -> None:
    """Create the tables."""
    database = Database(settings.database)
    migrations.upgrade(database)
    database.close()


def opened(client: TestClient) -> Resources:
    """What the client's gateway works with."""
    resources: Resources = client.app.state.resources  # type: ignore[attr-defined]
    return resources


def add_job(resources: Resources, **columns: Any) -> str:
    """A queued job; answers its id."""
    columns = {"kind": "train", "queue": "cpu", "request": {"kind": "train"}, **columns}
    with resources.database.transaction() as session:
        return lifecycle.create(session, Job(**columns)).id


def add_dataset(resources: Resources, name: str, arrays: dict[str, np.ndarray], manifest: dict[str, Any]) -> None:
    """A ready data set with these arrays, as an ingest job leaves it."""
    digest = f"{abs(hash(name)):064x}"[-64:]
    directory = resources.settings.datasets / digest
    directory.mkdir()
    for file, array in arrays.items():
        np.save(directory / f"{file}.npy", array)
    with resources.database.transaction() as session:
        session.add(Dataset(name=name, format="npz", manifest={**manifest, "digest": f"sha256:{digest}"}))


def add_version(resources: Resources, name: str, onnx: bytes, signature: dict[str, Any], **fields: Any) -> ModelVersion:
    """The next version of a model, with its train job; `fields` are added to its record."""
    file = resources.settings.root / "model.onnx"
    file.write_bytes(onnx)
    stored = resources.artifacts.put(file)
    record = {
        "task": signature["task"],
        "architecture": "mlp",
        "hyperparameters": {},
        "training": {"epochs": 1},
        "dataset_digest": "sha256:00",
        "metrics": {"test": {"accuracy": 1.0}},
        "parity": {"max_abs_difference": 0.0, "tolerance": 1e-4, "batch_sizes": [1]},
        "signature": signature,
        "labels": signature["labels"],
        "parameters": 12,
        "opset": 17,
        **fields,
    }
    with resources.database.transaction() as session:
        request = {"kind": "train", "model": name, "dataset": "digits"}
        job = lifecycle.create(session, Job(kind="train", queue="cpu", request=request, model_name=name))
        return registry.register(session, job, record, stored)


@pytest.fixture
def shades(client: TestClient) -> ModelVersion:
    """The model `shades`, which calls a 1 x 2 x 2 image dark, middle or bright."""
    return add_version(opened(client), "shades", image_classifier(), image_signature())


@pytest.fixture
def prices(client: TestClient) -> ModelVersion:
    """The model `prices`, which estimates `2 * rooms + 10 * (city is berlin)`."""
    return add_version(opened(client), "prices", tabular_regressor(), tabular_signature())


@pytest.fixture
def lengths(client: TestClient) -> ModelVersion:
    """The model `lengths`, which calls a text short, middle or long."""
    return add_version(opened(client), "lengths", text_classifier(), text_signature())


@pytest.fixture
def forms(client: TestClient) -> ModelVersion:
    """The model `forms`, which calls a tree in brackets a leaf, a pair or a tree."""
    return add_version(opened(client), "forms", tree_classifier(), tree_signature())


@pytest.fixture
def places(client: TestClient) -> ModelVersion:
    """The model `places`, which finds New York in a text."""
    return add_version(opened(client), "places", text_tagger(), tags_signature())


@dataclass
class Gateway:
    """`python -m api` over its own home."""

    settings: Settings
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def connect(self, timeout_seconds: float = 20) -> socket.socket:
        """A raw connection."""
        return socket.create_connection(("127.0.0.1", self.settings.port), timeout=timeout_seconds)

    def uploads(self) -> list[Path]:
        """The files in the upload directory."""
        return list(self.settings.uploads.iterdir())


def environment(settings: Settings, **variables: str) -> dict[str, str]:
    """The environment of a process under these settings."""
    own = {f"SYLLABUS_{name.upper()}": str(value) for name, value in settings.model_dump(exclude_none=True).items()}
    return {**os.environ, **own, **variables}


@contextmanager
def running_gateway(settings: Settings, prefix: tuple[str, ...] = (), **variables: str) -> Iterator[Gateway]:
    """A gateway process, ready; it is stopped at the end."""
    settings.make_directories()
    migrate(settings)
    log = settings.root / "api.log"
    command = [*prefix, sys.executable, "-m", "api"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment(settings, **variables), stdout=output, stderr=output)
    gateway = Gateway(settings, process, log)
    try:
        wait_until(lambda: _is_live(gateway), "the gateway's first answer")
        yield gateway
    finally:
        process.terminate()
        process.wait(20)


def _is_live(gateway: Gateway) -> bool:
    assert gateway.process.poll() is None, gateway.log.read_text()
    try:
        return httpx.get(f"{gateway.url}/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    """A gateway process with small limits and a short patience, shared by the tests that attack it."""
    settings = Settings(
        home=tmp_path_factory.mktemp("gateway"),
        port=free_port(),
        broker_url=broker_url,
        max_upload_bytes=64 * MIB,
        max_body_bytes=256 * 1024,
        receive_timeout_seconds=2,
    )
    with running_gateway(settings) as running:
        yield running


@pytest.fixture
def problem() -> Callable[[httpx.Response, int, str], dict[str, Any]]:
    """Checks that an answer is problem+json with this status and code, and gives its body."""

    def check(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        body: dict[str, Any] = response.json()
        assert {"type", "title", "status", "detail", "instance", "code"} <= set(body)
        assert (body["status"], body["code"]) == (status, code)
        return body

    return check
