"""A trained network once more, from a version's record and the weights that its train job left."""

from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from models import registry
from models.errors import JobError
from models.preprocess import preprocess_for
from models.tasks import TASKS


def rebuild(version: dict[str, Any], weights: Path) -> nn.Sequential:
    """Preprocessing and, behind it, the network, as `Plan.network` makes them, on the CPU and for evaluation.

    The statistics of the preprocessing are buffers, so they come with the weights. No parameter asks for a
    gradient: what is differentiated here is the input.

    Raises:
        JobError: `weights_differ`, the architecture has changed since the version was trained.
    """
    signature = version["signature"]
    described = signature["input"]
    sizes = [size for size in described["shape"] if size is not None]
    if signature["modality"] == "series":
        sizes.reverse()  # whose columns come last
    unfitted = torch.zeros(next(iter(sizes), 0))
    preprocess = preprocess_for(described, signature["modality"], unfitted, unfitted)
    config = registry.get(version["architecture"]).configure(version["hyperparameters"])
    num_outputs = prod(size for size in signature["output"]["shape"] if size is not None)
    task = TASKS[signature["task"]]
    network = nn.Sequential(preprocess, task.build(config, described, preprocess.output_shape, num_outputs))
    try:
        network.load_state_dict(load_file(weights))
    except RuntimeError as error:
        raise JobError(
            "weights_differ",
            f"{version['architecture']} has changed since this version was trained, so that its weights no longer fit; "
            "train the model again.",
        ) from error
    return network.eval().requires_grad_(False)
