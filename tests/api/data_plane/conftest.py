"""A gateway process with models, for raw connections."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from services.resources import Resources
from services.settings import Settings
from tests.api.conftest import Gateway, add_version, running_gateway
from tests.generative_models import add_lamps, add_particular, add_shades
from tests.serving_models import (
    endless_below_zero,
    image_classifier,
    image_signature,
    mirror,
    tabular_regressor,
    tabular_signature,
    tensors_signature,
)
from tests.stack import free_port

KEY = "correct-horse-battery"
RECEIVE_SECONDS = 2


def register(settings: Settings) -> None:
    """Add the models; `endless` does not end for what is below zero, and `broken` fails as nobody foresaw."""
    resources = Resources.open(settings)
    add_version(resources, "shades", image_classifier(), image_signature())
    add_version(resources, "prices", tabular_regressor(), tabular_signature())
    outputs = tensors_signature(outputs=("y", "total"))
    add_version(resources, "mirror", mirror(), outputs, trusted=False)
    add_version(resources, "lengths", mirror("L"), outputs, trusted=False)
    add_version(resources, "endless", endless_below_zero(), tensors_signature(), trusted=False, bounded=False)
    unforeseen = {key: value for key, value in image_signature().items() if key != "input"}
    add_version(resources, "broken", image_classifier(), unforeseen)
    add_shades(resources, "columns")
    add_lamps(resources)
    add_particular(resources)
    resources.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    """A gateway with little patience."""
    settings = Settings(
        home=tmp_path_factory.mktemp("plane"),
        port=free_port(),
        broker_url=broker_url,
        receive_timeout_seconds=RECEIVE_SECONDS,
        max_predict_bytes=2**20,
    )
    with running_gateway(settings) as running:
        register(settings)
        yield running


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    """A gateway that wants a key, and small bodies."""
    home = tmp_path_factory.mktemp("locked")
    settings = Settings(
        home=home, port=free_port(), broker_url=broker_url, api_key=SecretStr(KEY), max_predict_bytes=10_000
    )
    with running_gateway(settings, SYLLABUS_API_KEY=KEY) as running:
        register(settings)
        yield running
