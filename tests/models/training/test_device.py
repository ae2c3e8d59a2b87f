import pytest
import torch

from models.errors import DeviceUnavailable
from models.training.device import Compute, choose
from models.training.settings import training_settings

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


def test_the_cpu_computes_in_float32_unless_told_otherwise() -> None:
    assert choose(training_settings({"device": "cpu"})) == Compute(torch.device("cpu"), "float32")
    compute = choose(training_settings({"device": "cpu", "precision": "bfloat16"}))
    with compute.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_bfloat16_is_emulated_on_a_processor_without_instructions_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    compute, single = (Compute(torch.device("cpu"), precision) for precision in ("bfloat16", "float32"))
    for capabilities, emulated in (
        ({"avx2": True, "avx512_bf16": False}, True),
        ({"avx512_bf16": True}, False),
        ({"avx512_f": True, "amx_bf16": True}, False),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda capabilities=capabilities: capabilities)
        assert compute.is_emulated == emulated
        assert not single.is_emulated


@without_cuda
def test_auto_is_the_cpu_where_there_is_no_cuda() -> None:
    assert choose(training_settings({})) == Compute(torch.device("cpu"), "float32")


@without_cuda
@pytest.mark.parametrize("training", [{"device": "cuda"}, {"precision": "float16"}])
def test_what_is_not_there_is_refused(training: dict[str, str]) -> None:
    with pytest.raises(DeviceUnavailable, match="auto"):
        choose(training_settings(training))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_auto_is_mixed_precision_on_cuda() -> None:
    compute = choose(training_settings({}))
    assert compute.device.type == "cuda"
    assert compute.precision in ("bfloat16", "float16")
