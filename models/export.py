"""Export to ONNX with preprocessing and postprocessing inside, accepted only after parity.

The graph takes the raw input with a leading dynamic batch axis and answers in the task's terms, so any
ONNX Runtime gives the same answers. Its signature, with the labels, is JSON in the metadata under
`syllabus`. The TorchScript exporter is used: it was measured at 0.03 s where the dynamo exporter takes
3 to 5 s, and it froze no axis.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import ParityFailed
from models.inference import METADATA_KEY, Session

OPSET = 17
PARITY_BATCH_SIZES = (1, 2, 7, 32)


def served(network: nn.Module, postprocess: nn.Module) -> nn.Module:
    """What is exported: the trained network, preprocessing included, and the task's end, on the CPU."""
    return nn.Sequential(network, postprocess).to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload, no-any-return]


def export(model: nn.Module, signature: dict[str, Any], example: Tensor, path: Path) -> None:
    """Write `model`, which takes raw inputs like `example` (N, ...), as ONNX with its signature."""
    names = signature["input"]["name"], signature["output"]["name"]
    with warnings.catch_warnings():
        for message in (".*legacy TorchScript-based ONNX export", "The feature will be removed"):
            warnings.filterwarnings("ignore", message, DeprecationWarning)
        # Of padding: its sizes are constants that the exporter leaves for ONNX Runtime to fold.
        warnings.filterwarnings("ignore", "Constant folding - Only steps=1", UserWarning)
        torch.onnx.export(
            model,
            (example,),
            path,
            input_names=[names[0]],
            output_names=[names[1]],
            dynamic_axes={name: {0: "N"} for name in names},
            opset_version=OPSET,
            dynamo=False,
        )
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(signature)})
    onnx.checker.check_model(graph, full_check=True)
    path.write_bytes(graph.SerializeToString())


def parity(model: nn.Module, session: Session, samples: NDArray[Any], tolerance: float) -> dict[str, Any]:
    """Compare ONNX Runtime with PyTorch on training samples (at least one), at several batch sizes.

    The samples are repeated where there are fewer than a batch. Of a table, one more row is compared, in
    which every value is missing.

    Raises:
        ParityFailed: answers differ by more than the tolerance, or are not finite.
    """
    largest = 0.0
    for size in PARITY_BATCH_SIZES:
        batches = [samples[np.arange(size) % len(samples)]]
        if samples.dtype == np.float32:
            batches.append(np.full((1, *samples.shape[1:]), np.nan, np.float32))
        for batch in batches:
            with torch.inference_mode():
                expected = model(torch.from_numpy(batch)).numpy()
            answered = session.run(batch)
            if expected.shape != answered.shape or not np.isfinite(answered).all():
                raise ParityFailed(
                    f"At batch size {size} the exported graph answers {answered.shape} and torch "
                    f"{expected.shape}, or not finite numbers. This architecture cannot be served as it is."
                )
            largest = max(largest, float(np.abs(expected - answered).max()))
    if largest > tolerance:
        raise ParityFailed(
            f"The exported graph's answers differ from the trained network's by up to {largest:.2g}, and "
            f"{tolerance:.2g} is allowed. Train with smaller weights (`training.l2`) or other hyperparameters."
        )
    return {
        "max_abs_difference": largest,
        "tolerance": tolerance,
        "batch_sizes": list(PARITY_BATCH_SIZES),
    }
