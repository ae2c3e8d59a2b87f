"""A gateway process with a model of every kind, and Triton's own client for it."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import tritonclient.http as triton

from services.resources import Resources
from services.settings import Settings
from tests.api.conftest import Gateway, add_version, running_gateway
from tests.protocol_models import MODELS
from tests.stack import free_port

MAX_BODY_BYTES = 2**20


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    """A gateway over SQLite with the models of `tests.protocol_models`; `sum` has two versions."""
    settings = Settings(
        home=tmp_path_factory.mktemp("protocol"),
        port=free_port(),
        broker_url=broker_url,
        max_predict_bytes=MAX_BODY_BYTES,
    )
    with running_gateway(settings) as running:
        register(settings)
        yield running


def register(settings: Settings) -> None:
    """Add all models, and a second version of `sum`."""
    resources = Resources.open(settings)
    for name, model in [*MODELS.items(), ("sum", MODELS["sum"])]:
        add_version(resources, name, model.onnx, model.signature)
    resources.close()


@pytest.fixture(scope="session")
def client(served: Gateway) -> Iterator[triton.InferenceServerClient]:
    """Triton's synchronous client, as it comes from PyPI."""
    with triton.InferenceServerClient(f"127.0.0.1:{served.settings.port}") as opened:
        yield opened


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def error(self, status: int) -> str:
        """The message of an answer that must be an error of the protocol with this status."""
        assert self.status == status, self.body
        assert self.headers["content-type"] == "application/json"
        (key, message), *rest = self.json.items()
        assert (key, rest) == ("error", [])
        assert isinstance(message, str)
        assert message
        return message


Send = Callable[..., Answer]


@pytest.fixture
def send(served: Gateway) -> Iterator[Send]:
    """Sends a request with just these headers over a plain connection."""
    connection = http.client.HTTPConnection("127.0.0.1", served.settings.port, timeout=20)

    def request(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        connection.request(method, path, body or None, dict(headers or {}))
        response = connection.getresponse()
        given = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, given, response.read())

    yield request
    connection.close()
