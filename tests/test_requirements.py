"""The requirements name what is imported, and the lock pins what they choose."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
ROOMS = ("api", "services", "models", "workers", "client", "shapes")
# Imported where they come with something that is chosen: the web framework's and the queue's own parts.
COME_WITH = {
    "pydantic-core": "pydantic",
    "starlette": "fastapi",
    "anyio": "fastapi",
    "kombu": "celery",
    "redis": "celery",
    "threadpoolctl": "scikit-learn",
}


def read(name: str) -> dict[str, Requirement]:
    """The requirements in a file, by canonical name."""
    lines = (ROOT / name).read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(each.name): each for each in found}


LOCK = read("requirements.lock")
CHOSEN = read("requirements.txt")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_lock_pins_every_requirement_to_a_version_it_allows(name: str) -> None:
    for key, requirement in read(name).items():
        (pin,) = LOCK[key].specifier
        assert requirement.specifier.contains(pin.version), requirement


def test_the_lock_holds_only_exact_public_versions() -> None:
    for requirement in LOCK.values():
        assert re.fullmatch(r"==[^+*]+", str(requirement.specifier)), requirement


def test_the_lock_holds_no_cuda_package() -> None:
    assert not [name for name in LOCK if re.match(r"nvidia|cuda|triton$|onnxruntime-gpu", name)]


def test_torch_is_pinned_exactly() -> None:
    assert str(CHOSEN["torch"].specifier) == "==2.13.0"


def test_every_import_of_the_rooms_is_a_requirement() -> None:
    modules = {
        module for room in ROOMS for path in (ROOT / room).rglob("*.py") for module in imported(path.read_text())
    }
    distributions = packages_distributions()
    for module in modules - set(sys.stdlib_module_names) - set(ROOMS):
        names: set[str] = {canonicalize_name(name) for name in distributions[module]}
        names |= {COME_WITH[name] for name in names & set(COME_WITH)}
        assert names & set(CHOSEN), f"{module} is imported, but requirements.txt does not name {names}"


def imported(source: str) -> set[str]:
    """The top-level modules that a source file imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found
