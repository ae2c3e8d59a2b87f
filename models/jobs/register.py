"""`register`: examine an ONNX file of the user's own, and describe it as a model version.

Imports no torch. The process that runs this has its memory and time bounded, and may die of the file.
"""

from typing import Any

from models.acceptance import costs, memory, parsing, shapes, structure, trial
from models.acceptance.signature import own_signature, signature_of
from models.errors import JobError
from models.run import JobContext, Outcome, ProducedFile, given, obey

MAX_BYTES = 2**31 - 1
"""The most that a protobuf message can have."""
PARSING_BYTES = 512 * 2**20
"""Memory for looking into a file, beside twice its size."""


def run(context: JobContext) -> Outcome:
    """Accept the file as it is, or refuse it with the reason.

    Raises:
        JobError: the file is not ONNX, is damaged, unsafe or too demanding, or does not run.
        Stopped: the user wishes to cancel or to pause; a resumed job begins anew.
    """
    path = given(context.upload)
    if path.stat().st_size > MAX_BYTES:
        raise JobError("model_too_large", "An ONNX file has at most 2 GiB, weights included; send a smaller one.")
    data = path.read_bytes()
    try:
        record = _examined(context, data)
    except MemoryError:
        msg = "Looking into the file takes more memory than a file of its size should; it may hold a tensor bomb."
        raise JobError("memory_exhausted", msg) from None
    except UnicodeDecodeError as error:
        raise JobError("model_corrupt", "The file is damaged: a name in it is not UTF-8.") from error
    context.report.progress(1.0)
    context.report.log(f"The model takes {_names(record, 'input')} and gives {_names(record, 'output')}.")
    result = {
        "model": context.request["model"],
        "task": record["task"],
        "batchable": record["signature"]["batchable"],
        **{key: record[key] for key in ("bounded", "parameters", "opset")},
    }
    return Outcome(result, (ProducedFile("model.onnx", path, "application/octet-stream"),), version=record)


def _examined(context: JobContext, data: bytes) -> dict[str, Any]:
    """The record of the version."""
    facts, own, steady = _read(context, data)
    obey(context.report)
    tried = trial.attempt(data, context.threads)
    signature = signature_of(own, tried)
    if own is not None and signature["task"] == "tensors":
        context.report.log("The file's own signature does not fit its graph, and is left out.", level="warning")
    return {
        "architecture": None,
        "hyperparameters": {},
        "training": {},
        "task": signature["task"],
        "signature": signature,
        "labels": signature["labels"],
        "metrics": {},
        "parity": {},
        "parameters": facts.parameters,
        "opset": facts.opset,
        "split": None,
        "dataset_digest": None,
        "trusted": False,
        "bounded": facts.bounded,
        "steady": steady,
        "trial": {"size": tried.size},
    }


def _read(context: JobContext, data: bytes) -> tuple[structure.Facts, str | None, bool]:
    """What can be known of the file without running it, its own signature, if any, and whether its cost is steady."""
    with memory.at_most(PARSING_BYTES + 2 * len(data)):
        model = parsing.parse(data)
        facts, own = structure.examine(model), own_signature(model)
        obey(context.report)
        shapes.check(model)
        return facts, own, costs.are_steady(model)


def _names(record: dict[str, Any], role: str) -> str:
    signature = record["signature"]
    described = signature.get(f"{role}s") or [signature[role]]
    return ", ".join(f"{each['name']} ({each['dtype']} {each['shape']})" for each in described)
