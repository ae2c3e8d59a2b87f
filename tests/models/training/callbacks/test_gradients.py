import numpy as np
import torch

from models.examples import Examples
from models.training.callbacks import WatchGradients
from tests.models.running import Recorder


def watching(device: str = "cpu") -> WatchGradients:
    rows, targets = np.zeros((4, 5, 1), np.float32), np.zeros(4, np.float32)
    return WatchGradients(Recorder(), Examples(rows, targets, np.arange(4), device=torch.device(device)))


def test_norms_that_are_taken_up_again_are_where_new_ones_will_be() -> None:
    callback = watching("meta")
    callback.load_state_dict({"epochs": [], "norms": [torch.ones(())]})
    assert [norm.device.type for norm in callback.norms] == ["meta"]


def test_a_training_that_diverged_before_any_step_has_no_verdict() -> None:
    assert watching().findings({}) == {}


def test_a_training_that_diverged_is_exploding_whatever_its_steps_were() -> None:
    for epochs in (0, 20):
        for norms in ([], [torch.ones(())]) if epochs else ([torch.ones(())],):
            callback = watching()
            healthy = {"first": 1.0, "last": 1.0, "norm": 1.0, "largest": 2.0}
            callback.load_state_dict({"epochs": [healthy] * epochs, "norms": norms})
            assert callback.findings({})["gradients"]["verdict"] == "exploding"
