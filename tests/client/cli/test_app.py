"""The command as a whole: help, exit codes, the two outputs."""

import json

import pytest
from typer.testing import CliRunner

from client.cli import app
from tests.client.cli.conftest import Command
from tests.client.web import problem, serving


def test_the_help_documents_the_exit_codes() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert "Exit codes: 0 ok; 1 the job failed" in result.stdout
    assert "SYLLABUS_API_KEY" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["train", "lenet"],
        ["train", "lenet", "digits", "--set", "dropout"],
        ["predict", "m"],
        ["predict", "m", "--rows", "{"],
        ["datasets", "upload", "/no/such/file"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_a_service_that_is_not_there_is_4() -> None:
    with serving(lambda handler, request: None) as web:
        pass
    result = Command(web.url)("system")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "is the service running" in result.stderr


def test_a_service_that_fails_is_4() -> None:
    body = json.dumps(problem(500, "internal_error")).encode()
    with serving(lambda handler, request: handler.send(500, body)) as web:
        assert Command(web.url)("datasets", "delete", "x").exit_code == 4


def test_an_error_with_json_is_json_on_stderr() -> None:
    body = json.dumps(problem(404, "job_not_found")).encode()
    with serving(lambda handler, request: handler.send(404, body)) as web:
        result = Command(web.url)("jobs", "show", "x", "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert json.loads(result.stderr)["error"]["code"] == "job_not_found"


def test_an_error_from_the_service_cannot_act_on_the_terminal() -> None:
    body = json.dumps(problem(404, "x") | {"detail": "\x1b[2J"}).encode()
    with serving(lambda handler, request: handler.send(404, body)) as web:
        assert "\x1b[2J" not in Command(web.url)("jobs", "show", "x").stderr


def test_the_architectures_are_listed_and_explained(syllabus: Command) -> None:
    assert "lenet" in syllabus("architectures").stdout
    assert "HYPERPARAMETER" in syllabus("architectures", "mlp").stdout
    assert all("regression" in item["tasks"] for item in syllabus.json("architectures", "--task", "regression"))


def test_the_system_names_its_workers(syllabus: Command) -> None:
    assert syllabus.json("system")["workers"]
    assert "version" in syllabus("system").stdout
