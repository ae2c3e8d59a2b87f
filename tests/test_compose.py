"""The compose file, the image and the environment file, checked without an engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"init", "gateway", "worker-cpu", "worker-gpu", "ingester", "sweeper"}
SETTINGS = {f"SYLLABUS_{name.upper()}" for name in Settings.model_fields}
REFERENCE = re.compile(r"\$\{(\w+)")


def test_every_part_of_the_service_is_there() -> None:
    assert set(SERVICES) == OURS | {"database", "broker"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_a_health_check_or_runs_once(name: str) -> None:
    service = SERVICES[name]
    if service["restart"] == "on-failure":
        waiting = [each["depends_on"][name] for each in SERVICES.values() if name in each.get("depends_on", {})]
        assert waiting
        assert all(each == {"condition": "service_completed_successfully"} for each in waiting)
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_runs_as_root_or_gains_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in ("root", "0")
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_only_the_gateway_publishes_a_port_and_reaches_out() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    assert [name for name, service in SERVICES.items() if "outside" in service["networks"]] == ["gateway"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_set_only_settings_that_exist(name: str) -> None:
    assert set(SERVICES[name]["environment"]) <= SETTINGS


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_refuse_to_start_without_an_api_key(name: str) -> None:
    assert SERVICES[name]["environment"]["SYLLABUS_API_KEY"].startswith("${SYLLABUS_API_KEY:?")


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_share_one_home_on_a_read_only_root(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["volumes"] == [f"state:{service['environment']['SYLLABUS_HOME']}"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_run_modules_of_this_repository(name: str) -> None:
    python, flag, module = SERVICES[name]["command"][:3]
    assert (python, flag) == ("python", "-m")
    path = ROOT.joinpath(*module.split("."))
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_build_a_stage_of_the_image(name: str) -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert SERVICES[name]["build"]["target"] in stages


def test_the_gpu_is_asked_for_only_under_its_profile() -> None:
    with_device = [name for name, service in SERVICES.items() if "deploy" in service]
    assert with_device == ["worker-gpu"]
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]


def test_the_environment_file_names_every_variable_and_no_secret() -> None:
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)
    assert set(values) == set(REFERENCE.findall((ROOT / "docker-compose.yml").read_text()))
    assert values["SYLLABUS_API_KEY"] == values["POSTGRES_PASSWORD"] == ""


def test_the_image_ends_as_a_user_with_a_health_check() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["10001:10001"]
    assert any(line.startswith("HEALTHCHECK ") for line in lines)


def test_the_image_copies_only_what_its_context_holds() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert names == sent
    assert all((ROOT / name).exists() for name in names)
