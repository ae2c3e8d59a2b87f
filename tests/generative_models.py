"""Small versions that code and generate, made by hand so that no test needs torch.

Their codes are shades from 0 to 1, so that a test can tell by heart what comes of them.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from services import lifecycle, registry
from services.artifacts import StoredFile
from services.resources import Resources
from services.tables import Job, JobArtifact, ModelVersion
from tests.serving_models import _floats, _model

CLASSES = ["dim", "lit"]
COLUMNS = [
    {"name": "rooms", "kind": "numeric"},
    {"name": "city", "kind": "categorical", "categories": ["aachen", "berlin"]},
]
IMAGE = {"name": "image", "dtype": "uint8", "shape": [1, 2, 2]}
CALLS = ["generate", "decode", "interpolate", "encode", "reconstruct", "anomaly"]
LABEL = helper.make_tensor_value_info("label", TensorProto.INT64, ["N"])


def _uint8(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", 1, 2, 2])


WEIGHTS = {
    "white": np.array(255.0, np.float32),
    "zero": np.array(0.0, np.float32),
    "one": np.array(1.0, np.float32),
    "wide": np.array([-1, 1, 1, 2]),
    "tall": np.array([1, 1, 2, 1]),
    "flat": np.array([-1, 2]),
    "column": np.array([-1, 1, 1, 1]),
    "half": np.array(0.5, np.float32),
}


def _encoding() -> list[onnx.NodeProto]:
    """`image` to `code`, the mean shades of its two columns, by way of `shades`."""
    return [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["pixels", "white"], ["shades"]),
        helper.make_node("ReduceMean", ["shades"], ["means"], axes=[2], keepdims=1),
        helper.make_node("Reshape", ["means", "flat"], ["code"]),
    ]


def _decoding(sample: str, *, conditional: bool = False) -> list[onnx.NodeProto]:
    """`code` to `painted`, its two shades over two columns, and to pixels; the class `lit` is brighter by half."""
    bright = [
        helper.make_node("Cast", ["label"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "half"], ["light"]),
        helper.make_node("Reshape", ["light", "column"], ["lights"]),
        helper.make_node("Add", ["tiled", "lights"], ["painted"]),
    ]
    return [
        helper.make_node("Reshape", ["code", "wide"], ["row"]),
        helper.make_node("Tile", ["row", "tall"], ["tiled"]),
        *(bright if conditional else [helper.make_node("Identity", ["tiled"], ["painted"])]),
        helper.make_node("Clip", ["painted", "zero", "one"], ["clipped"]),
        helper.make_node("Mul", ["clipped", "white"], ["scaled"]),
        helper.make_node("Round", ["scaled"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], [sample], to=TensorProto.UINT8),
    ]


def encoder(*, conditional: bool = False) -> bytes:
    """uint8 `image` (N, 1, 2, 2) to `code` (N, 2), the mean shades of its columns."""
    nodes, inputs = _encoding(), [_uint8("image")]
    if conditional:
        nodes = [*nodes[:-1], helper.make_node("Reshape", ["means", "flat"], ["both"])]
        nodes += [
            helper.make_node("Cast", ["label"], ["number"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["number", "half"], ["light"]),
            helper.make_node("Reshape", ["light", "upright"], ["lights"]),
            helper.make_node("Sub", ["both", "lights"], ["code"]),
        ]
        inputs.append(LABEL)
    return _model(nodes, inputs, _floats("code", "N", 2), {**WEIGHTS, "upright": np.array([-1, 1])})


def decoder(*, conditional: bool = False) -> bytes:
    """float32 `code` (N, 2) to uint8 `sample` (N, 1, 2, 2), each column of its own shade."""
    inputs = [_floats("code", "N", 2), *([LABEL] if conditional else [])]
    return _model(_decoding("sample", conditional=conditional), inputs, _uint8("sample"), WEIGHTS)


def autoencoder() -> bytes:
    """uint8 `image` to its `reconstruction` from the two shades, the mean squared `error`, and the same as `score`."""
    nodes = [
        *_encoding(),
        *_decoding("reconstruction"),
        helper.make_node("Sub", ["shades", "painted"], ["difference"]),
        helper.make_node("Mul", ["difference", "difference"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["error"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Identity", ["error"], ["score"]),
    ]
    outputs = [_uint8("reconstruction"), _floats("error", "N"), _floats("score", "N")]
    return _model(nodes, _uint8("image"), outputs, WEIGHTS)


def table_decoder() -> bytes:
    """float32 `code` (N, 2) to the rows of a table (N, 2), the same numbers."""
    return _model(
        [helper.make_node("Identity", ["code"], ["sample"])], _floats("code", "N", 2), _floats("sample", "N", 2), {}
    )


def particular(width: int = 13) -> bytes:
    """float32 `code` (N, 3) to rows (N, width) through Softplus, which ONNX Runtime 1.32 computes otherwise for the
    last elements of a tensor than for those before them: what a row comes to depends on those beside it.
    """
    generator = np.random.default_rng(0)
    weights = {
        "w": generator.standard_normal((3, 17)).astype(np.float32),
        "v": generator.standard_normal((17, width)).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["code", "w"], ["hidden"]),
        helper.make_node("Softplus", ["hidden"], ["soft"]),
        helper.make_node("MatMul", ["soft", "v"], ["sample"]),
    ]
    return _model(nodes, _floats("code", "N", 3), _floats("sample", "N", width), weights)


def writer(num_tokens: int = 8, classes: int = 2) -> bytes:
    """int64 `previous` (N,) and float32 `state` (N, 3) to `log_probabilities` (N, K) and the `next_state`.

    Whatever the numbers, a text is a walk of about six letters. Simple products, whose rows are independent.
    """
    generator = np.random.default_rng(5)
    weights = {
        "table": (2 * generator.standard_normal((num_tokens + classes, num_tokens))).astype(np.float32),
        "moved": generator.standard_normal((num_tokens + classes, 3)).astype(np.float32),
        "w": generator.standard_normal((3, num_tokens)).astype(np.float32),
        "half": np.array(0.5, np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["table", "previous"], ["own"]),
        helper.make_node("MatMul", ["state", "w"], ["remembered"]),
        helper.make_node("Add", ["own", "remembered"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["log_probabilities"], axis=1),
        helper.make_node("Gather", ["moved", "previous"], ["step"]),
        helper.make_node("Mul", ["state", "half"], ["faded"]),
        helper.make_node("Add", ["faded", "step"], ["next_state"]),
    ]
    previous = helper.make_tensor_value_info("previous", TensorProto.INT64, ["N"])
    outputs = [_floats("log_probabilities", "N", num_tokens), _floats("next_state", "N", 3)]
    return _model(nodes, [previous, _floats("state", "N", 3)], outputs, weights)


def signature(task: str = "generation", **fields: Any) -> dict[str, Any]:
    """That of a version whose samples are images."""
    output = {"name": "reconstruction", "dtype": "uint8", "shape": [1, 2, 2]}
    return {"task": task, "modality": "image", "input": IMAGE, "output": output, "labels": None, **fields}


def generative(**fields: Any) -> dict[str, Any]:
    """What the record of such a version says."""
    return {
        "code": 2,
        "prior": "normal",
        "conditional": False,
        "classes": None,
        "sample": {"dtype": "uint8", "shape": [1, 2, 2]},
        "calls": CALLS,
        "anomaly": {"threshold": 0.01, "quantile": 0.99, "rows": 100},
        **fields,
    }


def add_generative(
    resources: Resources,
    name: str,
    graphs: dict[str, bytes],
    described: dict[str, Any] | None = None,
    declared: dict[str, Any] | None = None,
) -> ModelVersion:
    """The next version of a model with these graphs, `model` among them, as a train job leaves it.

    With nothing `declared`, `{}`, it neither codes nor generates.
    """
    described = described or signature()
    stored: dict[str, StoredFile] = {}
    for graph, content in graphs.items():
        file = resources.settings.root / f"{graph}.onnx"
        file.write_bytes(content)
        stored[graph] = resources.artifacts.put(file)
    record = {
        "task": described["task"],
        "architecture": "vae",
        "hyperparameters": {},
        "dataset_digest": "sha256:00",
        "metrics": {},
        "parity": {},
        "signature": described,
        "labels": described["labels"],
        "graphs": {graph: {"inputs": [], "outputs": [], "parity": {}} for graph in graphs},
        "generative": generative() if declared is None else declared or None,
    }
    with resources.database.transaction() as session:
        request = {"kind": "train", "model": name, "dataset": "digits"}
        job = lifecycle.create(session, Job(kind="train", queue="cpu", request=request, model_name=name))
        for graph, each in stored.items():
            row = JobArtifact(job_id=job.id, name=f"{graph}.onnx", sha256=each.sha256, size=each.size, media_type="a/b")
            session.add(row)
        return registry.register(session, job, record, stored["model"])


def add_shades(resources: Resources, name: str = "shades", **described: Any) -> ModelVersion:
    """A version that does everything: an image's code are the shades of its two columns."""
    graphs = {"model": autoencoder(), "encoder": encoder(), "decoder": decoder()}
    return add_generative(resources, name, graphs, signature(**described))


def add_generator(resources: Resources, name: str = "generator") -> ModelVersion:
    """A version with a decoder alone, as adversarial networks have it."""
    code = {"name": "code", "dtype": "float32", "shape": [2]}
    sample = {"name": "sample", "dtype": "uint8", "shape": [1, 2, 2]}
    calls = ["generate", "decode", "interpolate"]
    return add_generative(
        resources,
        name,
        {"model": decoder(), "decoder": decoder()},
        signature(input=code, output=sample),
        generative(calls=calls, anomaly=None),
    )


def add_lamps(resources: Resources, name: str = "lamps") -> ModelVersion:
    """A conditional version: pictures of the class `lit` are brighter by half."""
    return add_generative(
        resources,
        name,
        {"model": autoencoder(), "encoder": encoder(conditional=True), "decoder": decoder(conditional=True)},
        signature(labels=CLASSES),
        generative(conditional=True, classes=CLASSES, calls=CALLS[:4]),
    )


def add_homes(resources: Resources, name: str = "homes") -> ModelVersion:
    """A version whose samples are rows of a table: a code is one."""
    features = {"name": "features", "dtype": "float32", "shape": [2], "columns": COLUMNS}
    output = {"name": "sample", "dtype": "float32", "shape": [2]}
    return add_generative(
        resources,
        name,
        {"model": table_decoder(), "decoder": table_decoder()},
        signature(modality="tabular", input=features, output=output),
        generative(sample={"dtype": "float32", "shape": [2]}, calls=CALLS[:3], anomaly=None),
    )


def add_writer(resources: Resources, name: str = "writer", *, conditional: bool = True) -> ModelVersion:
    """A version that writes texts of the letters a to d, for a reader of at most 30; conditional on `dim` or `lit`."""
    tokenizer = {"unit": "characters", "max_length": 30, "vocabulary": list("abcd"), "marked": True}
    described = {
        "task": "text_generation",
        "modality": "text",
        "input": {"name": "tokens", "dtype": "int64", "shape": [None], "tokenizer": tokenizer},
        "output": {"name": "log_probability", "dtype": "float32", "shape": []},
        "labels": CLASSES if conditional else None,
    }
    calls = ["generate"] if conditional else ["predict", "generate"]
    told = {"conditional": conditional, "classes": CLASSES if conditional else None, "calls": calls}
    graphs = {"model": text_judge(), "decoder": writer()}
    return add_generative(resources, name, graphs, described, told)


def text_judge() -> bytes:
    """int64 `tokens` (N, T) to a `log_probability` (N,) of -1 for each token, and their `count` (N,)."""
    weights = {"zero": np.array(0), "minus": np.array(-1.0, np.float32), "along": np.array([1])}
    nodes = [
        helper.make_node("Greater", ["tokens", "zero"], ["is_token"]),
        helper.make_node("Cast", ["is_token"], ["ones"], to=TensorProto.INT64),
        helper.make_node("ReduceSum", ["ones", "along"], ["count"], keepdims=0),
        helper.make_node("Cast", ["count"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["number", "minus"], ["log_probability"]),
    ]
    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", "T"])
    outputs = [_floats("log_probability", "N"), helper.make_tensor_value_info("count", TensorProto.INT64, ["N"])]
    return _model(nodes, tokens, outputs, weights)


def add_particular(resources: Resources, name: str = "particular") -> ModelVersion:
    """A version whose rows come out otherwise beside others: see `particular`."""
    features = {"name": "features", "dtype": "float32", "shape": [13]}
    sample = {"dtype": "float32", "shape": [13]}
    return add_generative(
        resources,
        name,
        {"model": particular(), "decoder": particular()},
        signature(modality="tabular", input=features, output={"name": "sample", **sample}),
        generative(code=3, sample=sample, calls=CALLS[:3], anomaly=None),
    )
