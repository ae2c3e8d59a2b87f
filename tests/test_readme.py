"""The README's snippets run, and its table of settings is the settings."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.settings import Settings
from tests.snippets import ROOT, run, run_lines, snippets
from tests.stack import Stack

README = (ROOT / "README.md").read_text()


def default(value: object) -> str:
    """A setting's default as the table shows it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) and value > 9999 else str(value)


def test_the_table_of_settings_is_complete_and_true() -> None:
    rows = [
        f"| `SYLLABUS_{name.upper()}` | {default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    assert "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows]) in README


def test_every_variable_that_is_named_is_a_setting() -> None:
    settings = {f"SYLLABUS_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"SYLLABUS_[A-Z_]+", README)) <= settings


def test_secrets_have_no_default() -> None:
    assert all(not isinstance(field.default, SecretStr) for field in Settings.model_fields.values())


def test_every_linked_file_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert all((ROOT / link).exists() for link in links)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make\s([a-z-]+)`", README)) | set(re.findall(r"^\$ make (\S+)", README, re.M)) <= targets


def test_the_architecture_registers_and_has_the_parameters_it_states(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models import registry

    monkeypatch.setattr(registry, "_architectures", dict(registry._architectures))
    (code,) = snippets("python architecture", README)
    path = tmp_path / "one_hidden_layer.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("models.architectures.one_hidden_layer", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))

    architecture = registry._architectures["one_hidden_layer"]
    (reference,) = architecture.references
    network = architecture.configure(reference.hyperparameters).build(reference.input, reference.classes)
    assert sum(parameter.numel() for parameter in network.parameters()) == reference.parameters


def test_the_curl_lines_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    printed = run_lines("sh quickstart", README, stack, tmp_path)
    assert '"value"' in printed
    assert '"label"' in printed


def test_the_python_lines_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    (code,) = snippets("python", README)
    code = code.replace("http://127.0.0.1:8000", stack.url)
    answer = run([sys.executable, "-c", code], ROOT)
    assert answer.returncode == 0, answer.stderr
    assert 0.5 < float(answer.stdout) <= 1

    (code,) = snippets("python triton", README)  # of the model that the lines above have trained
    answer = run([sys.executable, "-c", code.replace("127.0.0.1:8000", f"127.0.0.1:{stack.port}")], ROOT)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("[[")
