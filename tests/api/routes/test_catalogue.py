"""What can be trained."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


def names(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json()["items"]]


def test_an_architecture_comes_with_the_schema_of_its_hyperparameters(lite_client: TestClient) -> None:
    lenet = lite_client.get("/v1/architectures/lenet").json()
    assert {"name", "title", "paper", "unit", "tasks", "modality", "hyperparameters", "references"} <= set(lenet)
    assert lenet["hyperparameters"]["additionalProperties"] is False
    assert lenet in lite_client.get("/v1/architectures").json()["items"]


def test_architectures_are_chosen_by_task(lite_client: TestClient) -> None:
    classifiers = names(lite_client.get("/v1/architectures", params={"task": "classification"}))
    regressors = names(lite_client.get("/v1/architectures", params={"task": "regression"}))
    assert {"logistic", "lenet", "mlp"} <= set(classifiers)
    assert {"linear", "mlp"} <= set(regressors)
    assert "lenet" not in regressors
    assert names(lite_client.get("/v1/architectures", params={"task": "magic"})) == []


@pytest.mark.parametrize("listing", ["architectures", "tasks", "optimizers", "schedulers", "losses", "metrics"])
def test_every_list_is_paged_by_name(lite_client: TestClient, listing: str) -> None:
    whole = names(lite_client.get(f"/v1/{listing}"))
    assert whole == sorted(whole) != []
    collected, cursor = [], None
    while True:
        page = lite_client.get(f"/v1/{listing}", params={"limit": 1, **({"cursor": cursor} if cursor else {})})
        collected += names(page)
        cursor = page.json()["next_cursor"]
        if cursor is None:
            break
    assert collected == whole


def test_a_cursor_that_is_no_name_of_the_list_is_refused(lite_client: TestClient, problem: Problem) -> None:
    body = problem(lite_client.get("/v1/architectures?cursor=zz"), 422, "cursor_unknown")
    assert body["errors"][0]["loc"] == ["query", "cursor"]


def test_the_schema_of_the_training_settings_is_told(lite_client: TestClient) -> None:
    assert {"epochs", "batch_size", "seed", "optimizer"} <= set(lite_client.get("/v1/training").json()["properties"])


@pytest.mark.parametrize("name", ["nope", "%00", "LeNet"])
def test_an_unknown_architecture_is_404(lite_client: TestClient, name: str, problem: Problem) -> None:
    problem(lite_client.get(f"/v1/architectures/{name}"), 404, "architecture_not_found")
