import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.inference import Session
from models.run import run
from models.versions.rebuilding import rebuild
from tests.models.running import context_of, write_data_set


@pytest.mark.parametrize("architecture", ["lenet", "mlp"])
def test_a_rebuilt_network_answers_as_the_served_graph(few_digits: Path, tmp_path: Path, architecture: str) -> None:
    request = {"architecture": architecture, "training": {"epochs": 1}}
    trained = run(context_of(tmp_path, "train", request, dataset=few_digits))
    network = rebuild(trained.version or {}, trained.files[1].path)
    images = np.load(few_digits / "train.inputs.npy")[:20]
    answers = network(torch.from_numpy(images)).softmax(dim=1).numpy()
    np.testing.assert_allclose(answers, Session(trained.files[0].path, 1).run(images), atol=1e-5)
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_table_with_categories_and_gaps_is_prepared_as_in_training(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = np.column_stack([generator.normal(50, 9, 90), generator.integers(0, 3, 90), generator.normal(0, 1, 90)])
    rows = rows.astype(np.float32)
    rows[::7, 0], rows[::11, 1] = np.nan, np.nan
    columns: list[dict[str, Any]] = [
        {"name": "age", "kind": "numeric"},
        {"name": "city", "kind": "categorical", "categories": ["a", "b", "c"]},
        {"name": "x", "kind": "numeric"},
    ]
    targets = generator.integers(0, 2, 90)
    dataset = write_data_set(tmp_path / "data", {"train": (rows, targets)}, classes=["no", "yes"], columns=columns)
    request = {"architecture": "mlp", "hyperparameters": {"batch_norm": True}, "training": {"epochs": 2}}
    trained = run(context_of(tmp_path, "train", request, dataset=dataset))
    network = rebuild(trained.version or {}, trained.files[1].path)
    answers = network(torch.from_numpy(rows)).softmax(dim=1).numpy()
    np.testing.assert_allclose(answers, Session(trained.files[0].path, 1).run(rows), atol=1e-5)


def test_no_process_loads_what_only_explanations_need() -> None:
    code = "import sys, models.preload; assert not {'captum', 'matplotlib.pyplot'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
