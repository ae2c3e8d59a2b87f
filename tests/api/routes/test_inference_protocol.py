"""/v2 in this process, where every request takes the way through the framework.

Over the wire and with Triton's own client: tests/api/inference_protocol.
"""

import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.main import create_app
from services.resources import Resources
from services.serving.directory import FRESH_SECONDS
from services.settings import Settings
from services.tables import ModelVersion
from tests.api.conftest import add_version, migrate, opened, running_gateway
from tests.generative_models import CLASSES, add_generative, decoder, generative, signature
from tests.protocol_models import MODELS
from tests.serving_models import text_classifier, text_signature
from tests.stack import free_port, wait_until

IMAGE = {"name": "image", "shape": [1, 1, 2, 2], "datatype": "UINT8", "data": [250, 255, 250, 255]}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite alone: what is stored is stored on both in tests/services/serving/test_repository.py."""
    url = f"sqlite:///{tmp_path / 'syllabus.db'}"
    migrate(Settings(home=tmp_path, database_url=url))
    return url


def operations(client: TestClient) -> list[tuple[str, str, dict[str, Any]]]:
    paths = client.get("/openapi.json").json()["paths"]
    return [(path, method, each) for path, item in paths.items() for method, each in item.items()]


def test_a_trained_model_answers_by_name_and_by_version_or_alias(client: TestClient, shades: ModelVersion) -> None:
    client.put("/v1/models/shades/aliases/production", json={"version": 1})
    for path in ("shades", "shades/versions/1", "shades/versions/latest", "shades/versions/production"):
        response = client.post(f"/v2/models/{path}/infer", json={"inputs": [IMAGE]})
        assert response.status_code == 200, response.text
        body = response.json()
        assert (body["model_name"], body["model_version"]) == ("shades", "1")
        (output,) = body["outputs"]
        assert (output["name"], output["datatype"], output["shape"]) == ("probabilities", "FP32", [1, 3])
        assert np.argmax(output["data"]) == 2
        assert client.get(f"/v2/models/{path}/ready").status_code == 200
        assert client.get(f"/v2/models/{path}/config").json()["output"][0]["dims"] == [3]
        assert client.get(f"/v2/models/{path}").json()["inputs"][0]["shape"] == [-1, 1, 2, 2]


def test_a_number_that_stands_for_no_token_or_class_is_refused(client: TestClient) -> None:
    resources = opened(client)
    add_version(resources, "letters", text_classifier(), text_signature())
    code = {"name": "code", "dtype": "float32", "shape": [2]}
    told = generative(conditional=True, classes=CLASSES)
    graphs = {"model": decoder(conditional=True)}
    add_generative(resources, "lamps", graphs, signature(input=code, labels=CLASSES), told)

    def inferred(model: str, name: str, number: int, *others: dict[str, Any]) -> httpx.Response:
        numbers = {"name": name, "datatype": "INT64", "shape": [1, 1][: 2 - len(others)], "data": [number]}
        answer: httpx.Response = client.post(f"/v2/models/{model}/infer", json={"inputs": [numbers, *others]})
        return answer

    codes = {"name": "code", "datatype": "FP32", "shape": [1, 2], "data": [0, 1]}
    for number in (-5, 9):
        wrong = [inferred("letters", "tokens", number), inferred("lamps", "label", number, codes)]
        assert [each.status_code for each in wrong] == [400, 400]
        assert f"holds {number}; its numbers are from 0 to 3" in wrong[0].json()["error"]
        assert f"holds {number}; its numbers are from 0 to 1" in wrong[1].json()["error"]
    assert inferred("letters", "tokens", 3).status_code == 200
    assert inferred("lamps", "label", 1, codes).status_code == 200


def test_predictions_of_both_protocols_are_in_the_statistics(client: TestClient, shades: ModelVersion) -> None:
    client.post("/v1/models/shades/predict", json={"inputs": [[[[0, 0], [0, 0]]]] * 3})
    client.post("/v2/models/shades/infer", json={"inputs": [IMAGE]})
    (stats,) = client.get("/v2/models/shades/stats").json()["model_stats"]
    assert (stats["inference_count"], stats["execution_count"]) == (4, 2)
    assert client.get("/v2/models/stats").json() == {"model_stats": [stats]}


def test_a_model_whose_file_is_gone_is_503(client: TestClient, shades: ModelVersion) -> None:
    opened(client).artifacts.path(shades.onnx_sha256).unlink()
    for path in ("", "/ready", "/config"):
        response = client.get(f"/v2/models/shades{path}")
        assert response.status_code == 503
        assert "artifact store" in response.json()["error"]
    assert client.post("/v2/models/shades/infer", json={"inputs": [IMAGE]}).status_code == 503


def test_an_unloaded_model_answers_neither_protocol(client: TestClient, shades: ModelVersion) -> None:
    assert client.post("/v2/repository/models/shades/unload").status_code == 200
    assert client.post("/v2/models/shades/infer", json={"inputs": [IMAGE]}).status_code == 503
    predict = client.post("/v1/models/shades/predict", json={"inputs": [[[[0, 0], [0, 0]]]]})
    assert (predict.status_code, predict.json()["code"]) == (503, "model_unloaded")
    assert client.get("/v1/models/shades").status_code == 200
    assert client.post("/v2/repository/models/shades/load").status_code == 200
    assert client.post("/v2/models/shades/infer", json={"inputs": [IMAGE]}).status_code == 200


@pytest.mark.usefixtures("broker_url")
def test_without_a_database_the_server_lives_but_is_not_ready(tmp_path: Path, broker_url: str) -> None:
    url = "postgresql://nobody:secret@127.0.0.1:1/none"
    settings = Settings(home=tmp_path, database_url=url, broker_url=broker_url)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        assert client.get("/v2/health/live").status_code == 200
        ready = client.get("/v2/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"error": "The database does not answer."})
        for path in ("/v2/models/m", "/v2/models/stats"):
            response = client.get(path)
            assert response.status_code == 503
            assert set(response.json()) == {"error"}


def test_without_the_broker_the_server_is_ready_to_infer(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        assert client.get("/health/ready").status_code == 503
        assert client.get("/v2/health/ready").status_code == 200


def test_with_a_key_the_protocol_wants_it_and_says_so_in_its_own_way(tmp_path: Path, broker_url: str) -> None:
    settings = Settings(home=tmp_path, broker_url=broker_url, api_key=SecretStr("k" * 32))
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        response = client.get("/v2")
        assert (response.status_code, list(response.json())) == (401, ["error"])
        assert client.get("/v2", headers={"authorization": f"Bearer {'k' * 32}"}).status_code == 200


def test_the_document_has_every_route_with_the_protocols_errors(client: TestClient) -> None:
    schema = {"schema": {"$ref": "#/components/schemas/ProtocolError"}}
    protocol = [each for each in operations(client) if each[0].startswith("/v2")]
    assert len(protocol) == 17
    for path, method, operation in protocol:
        errors = {code: each["content"] for code, each in operation["responses"].items() if code >= "400"}
        assert "422" not in errors, path
        assert {"400", "401", "500", "503"} <= set(errors), path
        assert ("404" in errors) == ("{" in path), path
        assert ("413" in errors) == (method == "post"), path
        assert all(content == {"application/json": schema} for content in errors.values()), path


def test_processes_that_share_a_port_agree_and_count_together(tmp_path: Path, broker_url: str) -> None:
    settings = Settings(home=tmp_path, port=free_port(), broker_url=broker_url, gateway_workers=2)
    with running_gateway(settings) as gateway:
        resources = Resources.open(settings)
        add_version(resources, "sequence", MODELS["sequence"].onnx, MODELS["sequence"].signature)
        resources.close()
        url = f"{gateway.url}/v2/models/sequence"
        body = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}

        def infer() -> tuple[int, str]:
            """The status, and the beginning of the request's id, which each process has of its own."""
            response = httpx.post(f"{url}/infer", json=body)
            return response.status_code, response.headers["x-request-id"][:20]

        def statuses_of_both() -> set[int]:
            """Those of all answers until both processes have given one: which takes a connection is for the kernel."""
            answers: list[tuple[int, str]] = []

            def have_answered() -> bool:
                answers.extend(infer() for _ in range(20))
                return len({process for _, process in answers}) == 2

            wait_until(have_answered, "an answer of both processes")
            return {status for status, _ in answers}

        statuses_of_both()
        before = httpx.get(f"{url}/stats").json()["model_stats"][0]["inference_count"]
        assert {status for status, _ in (infer() for _ in range(20))} == {200}
        counts = {httpx.get(f"{url}/stats").json()["model_stats"][0]["inference_count"] for _ in range(8)}
        assert counts == {before + 20}

        for action, status in (("unload", 503), ("load", 200)):
            httpx.post(f"{gateway.url}/v2/repository/models/sequence/{action}").raise_for_status()
            time.sleep(FRESH_SECONDS)
            assert statuses_of_both() == {status}
