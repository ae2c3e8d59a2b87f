import subprocess
import sys
from dataclasses import replace

import pytest
from torch import nn

from models import registry
from models.errors import InvalidHyperparameters, UnknownName, UnsuitableInput
from models.registry import ArchitectureConfig, register, search


def test_a_name_can_be_registered_once() -> None:
    class Again(nn.Module):
        class Config(ArchitectureConfig):
            pass

    Again.__module__ = "models.architectures.lenet"
    registry.get("lenet")
    decorate = register(title="", paper="", unit="I", tasks=(), modality=(), references=())
    with pytest.raises(ValueError, match="'lenet' is registered twice"):
        decorate(Again)


def test_the_files_name_is_the_architectures_name() -> None:
    assert [architecture.name for architecture in registry.architectures()] == registry.names()
    assert {"linear", "logistic", "mlp", "lenet"} <= set(registry.names())


def test_an_unknown_architecture_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="lenet") as caught:
        registry.get("lenett")
    assert caught.value.code == "unknown_architecture"


def test_an_unknown_hyperparameter_is_refused_by_name() -> None:
    with pytest.raises(InvalidHyperparameters, match=r"hyperparameters\.dropuot"):
        registry.get("lenet").configure({"dropuot": 0.1})


@pytest.mark.parametrize(("shape", "fits"), [((1, 9, 9), True), ((3, 9, 40), True), ((1, 8, 9), False), ((9,), False)])
def test_an_image_below_the_smallest_side_is_refused_before_anything_is_built(
    shape: tuple[int, ...], fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    architecture = replace(registry.get("lenet"), smallest_side=9)
    monkeypatch.setattr(architecture.config, "owner", architecture)
    if fits:
        architecture.configure({}).build(shape, 2)
    else:
        with pytest.raises(UnsuitableInput, match="lenet takes images"):
            architecture.configure({}).build(shape, 2)


def test_a_search_range_is_a_span_or_choices() -> None:
    assert search(low=1, high=2) == {"search": {"low": 1, "high": 2}}
    assert search(low=1, high=2, log=True)["search"]["log"] is True
    assert search(choices=[1, 2]) == {"search": {"choices": [1, 2]}}


def test_what_the_supervisor_and_the_readers_import_leaves_torch_out() -> None:
    modules = "models.run, models.registry, models.training.settings, models.splits"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
