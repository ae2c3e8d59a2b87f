"""Generated requests against a gateway process: no 5xx, and every answer as the document declares it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.resources import Resources
from services.settings import Settings
from tests.api.conftest import Gateway, add_dataset, add_version, running_gateway
from tests.serving_models import image_classifier, image_signature
from tests.stack import free_port

DATA = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 2}},
    "classes": ["dark", "middle", "bright"],
    "input": {"name": "image", "dtype": "uint8", "shape": [1, 2, 2]},
    "target": {"name": "label", "dtype": "int64", "shape": []},
}
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method"
)


@pytest.fixture
def filled(tmp_path: Path, broker_url: str) -> Iterator[Gateway]:
    """A gateway with a data set and a model named `0`, the first name that a generator tries."""
    settings = Settings(home=tmp_path, port=free_port(), broker_url=broker_url)
    with running_gateway(settings) as running:
        resources = Resources.open(settings)
        add_dataset(resources, "0", {"train.inputs": np.zeros((2, 1, 2, 2), np.uint8)}, DATA)
        add_version(resources, "0", image_classifier(), image_signature())
        resources.close()
        yield running


def test_generated_requests_are_answered_as_declared(filled: Gateway, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{filled.url}/openapi.json"),
        *("--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "6", "--workers", "1"),
        *("--seed", "1", "--max-time", "20", "--report-dir", str(tmp_path / "report")),
        # It would leave nothing for the requests after it; what it does is in tests/api/inference_protocol.
        *("--exclude-path", "/v2/repository/models/{model}/unload"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
