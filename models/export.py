"""Export to ONNX with preprocessing and postprocessing inside, accepted only after parity.

A graph takes raw inputs with a leading dynamic batch axis, and a dynamic one of length where rows vary, and
answers in the task's terms, so any ONNX Runtime gives the same answers. What it takes and gives, with the labels,
is JSON in the metadata under `syllabus`. The TorchScript exporter is used: it was measured at 0.03 s where the
dynamo exporter takes 3 to 5 s, and it froze no axis.
"""

import json
import warnings
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import ParityFailed
from models.graphs import Described, Graph
from models.inference import METADATA_KEY, Session
from models.ragged import padding_of
from models.torchscript import Looping, scripted, traced
from models.transduction import is_step
from models.treebank import forest
from shapes.tokens import PADDING

OPSET = 17
PARITY_BATCH_SIZES = (1, 2, 7, 32)
PARITY_LENGTHS = (1, 2, 7, 33)
"""And that of the longest example."""


def export(graph: Graph, metadata: dict[str, Any], path: Path) -> None:
    """Write a graph as ONNX.

    Raises:
        ValueError: the exporter gave an input or an output another name.
    """
    inputs, outputs = ([tensor["name"] for tensor in side] for side in (graph.inputs, graph.outputs))
    examples = tuple(_repeated(example, 2) for example in graph.examples)
    with warnings.catch_warnings():
        for message in (".*legacy TorchScript-based ONNX export", "The feature will be removed"):
            warnings.filterwarnings("ignore", message, DeprecationWarning)
        # Of what is traced beforehand: that it no longer has Python's signature.
        warnings.filterwarnings("ignore", "no signature found for", UserWarning)
        # Of padding: its sizes are constants that the exporter leaves for ONNX Runtime to fold.
        warnings.filterwarnings("ignore", "Constant folding - Only steps=1", UserWarning)
        # Of recurrent layers: they check the width of what they get, and make their first state for any batch.
        warnings.filterwarnings("ignore", module="torch.nn.modules.rnn")
        warnings.filterwarnings("ignore", "Exporting a model to ONNX with a batch_size other than 1", UserWarning)
        torch.onnx.export(
            _with_loops(graph.module, examples),
            examples,
            path,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes={tensor["name"]: _dynamic_axes(tensor) for tensor in (*graph.inputs, *graph.outputs)},
            opset_version=OPSET,
            dynamo=False,
        )
    written = onnx.load(path)
    given = [tensor.name for tensor in (*written.graph.input, *written.graph.output)]
    if given != [*inputs, *outputs]:  # as when an output is to be called as an input is
        raise ValueError(f"the exporter wrote the tensors {given} for {[*inputs, *outputs]}")
    onnx.helper.set_model_props(written, {METADATA_KEY: json.dumps(metadata)})
    onnx.checker.check_model(written, full_check=True)
    path.write_bytes(written.SerializeToString())


def _with_loops(module: nn.Module, examples: tuple[Tensor, ...]) -> nn.Module:
    """The module, what loops in it scripted and the rest traced, since the exporter's own tracing stops at that."""
    looping = [name for name, each in module.named_modules() if isinstance(each, Looping)]
    if looping:
        module = deepcopy(module)
        for name in looping:
            module.set_submodule(name, scripted(module.get_submodule(name)))
    has_loops = any(isinstance(each, torch.jit.ScriptModule) for each in module.modules())
    return traced(module, examples) if has_loops else module


def parity(graph: Graph, session: Session) -> dict[str, Any]:
    """Compare ONNX Runtime with PyTorch on the graph's examples, at several batch sizes.

    They are repeated where there are fewer than a batch. Of a table, one more row is compared, in
    which every value is missing. What is reported is the output that differs most, for its tolerance.

    Raises:
        ParityFailed: answers differ by more than the tolerance, or are not finite.
    """
    largest = dict.fromkeys(graph.tolerance, 0.0)
    for batch in _batches(graph):
        answered = _each(session.run(tuple(tensor.numpy() for tensor in batch)))
        with torch.inference_mode():
            expected = graph.expected(batch, tuple(map(torch.from_numpy, answered)))
        for output, ours, theirs in zip(graph.outputs, expected, answered, strict=True):
            difference = _difference(output["name"], len(batch[0]), ours.numpy(), theirs)
            largest[output["name"]] = max(largest[output["name"]], difference)
    worst = max(largest, key=lambda name: largest[name] / graph.tolerance[name])
    if largest[worst] > graph.tolerance[worst]:
        raise ParityFailed(
            f"The exported graph's answers ({worst}) differ from the trained network's by up to {largest[worst]:.2g}, "
            f"and {graph.tolerance[worst]:.2g} is allowed. Train with smaller weights (`training.l2`) or other "
            "hyperparameters."
        )
    return {
        "max_abs_difference": largest[worst],
        "tolerance": graph.tolerance[worst],
        "batch_sizes": list(PARITY_BATCH_SIZES),
        **({"lengths": _lengths(graph)} if _varies(graph) else {}),
    }


def _dynamic_axes(tensor: Described) -> dict[int, str]:
    return {0: "N"} | {axis: "T" for axis, size in enumerate(tensor.get("shape", ()), 1) if size is None}


def _varies(graph: Graph) -> bool:
    """Whether inputs are of rows of varying length."""
    return any(_is_sequence(described) for described in graph.inputs)


def _is_sequence(described: Described) -> bool:
    return bool(described.get("shape", ())[:1] == [None])


def _lengths(graph: Graph) -> list[int]:
    sides = zip(graph.inputs, graph.examples, strict=True)
    return [*PARITY_LENGTHS, max(example.shape[1] for described, example in sides if _is_sequence(described))]


def _stretched(described: Described, example: Tensor, size: int, length: int) -> Tensor:
    """(size, length, ...) of an input whose rows vary in length, and (size, ...) of any other.

    What is not of a data set, as what an encoder has made, is never padded.
    """
    if not _is_sequence(described):
        return _repeated(example, size)
    if described.get("tokenizer", {}).get("unit") == "tree":
        words = example[:, :, 0][example[:, :, 0] != PADDING]
        return torch.from_numpy(forest(size, length, words.numpy()))
    if described["shape"] == [None] or "tokenizer" in described or "columns" in described:
        return _sequences(example, size, length)
    return _repeated(example, size)[:, torch.arange(length) % example.shape[1]]


def _sequences(example: Tensor, size: int, length: int) -> Tensor:
    """(size, length, ...): the examples' steps one after the other, every row but the first with more padding."""
    padding = padding_of(example.numpy().dtype)
    steps = example[is_step(example)]
    rows = steps[torch.arange(size * length) % len(steps)].reshape(size, length, *steps.shape[1:])
    ends = (torch.arange(size, 0, -1) * length / size).ceil()
    rows[torch.arange(length) >= ends[:, None]] = padding
    return rows


def _batches(graph: Graph) -> Iterator[tuple[Tensor, ...]]:
    if _varies(graph):
        for size, length in product(PARITY_BATCH_SIZES, _lengths(graph)):
            sides = zip(graph.inputs, graph.examples, strict=True)
            yield tuple(_stretched(described, example, size, length) for described, example in sides)
        return
    for size in PARITY_BATCH_SIZES:
        batch = tuple(_repeated(example, size) for example in graph.examples)
        yield batch
        if any("columns" in described for described in graph.inputs):
            yield tuple(
                torch.full_like(tensor[:1], torch.nan) if "columns" in described else tensor[:1]
                for described, tensor in zip(graph.inputs, batch, strict=True)
            )


def _repeated(example: Tensor, size: int) -> Tensor:
    return example[torch.arange(size) % len(example)]


def _each(outputs: Any) -> tuple[Any, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _difference(name: str, size: int, expected: NDArray[Any], answered: NDArray[Any]) -> float:
    if expected.shape != answered.shape or not np.isfinite(answered).all():
        raise ParityFailed(
            f"At batch size {size} the exported graph's {name} is {answered.shape} and torch's "
            f"{expected.shape}, or not finite numbers. This architecture cannot be served as it is."
        )
    return float(np.abs(expected.astype(np.float64) - answered.astype(np.float64)).max())
