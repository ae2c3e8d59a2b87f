"""What follows from a model's declarations by the rules of onnx, without running it."""

from math import prod

import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto

from models.acceptance import division, texts
from models.acceptance.structure import require_size
from models.acceptance.walking import walk
from models.errors import JobError
from models.inference import reason

MAX_SHAPE_ELEMENTS = 1024
"""Of a tensor that may be a shape or the like, on which other shapes depend."""
DATA_FIELDS = ("raw_data", "float_data", "double_data", "int32_data", "int64_data", "uint64_data", "string_data")


def check(model: ModelProto) -> None:
    """Let onnx infer the shapes, and refuse what cannot be served, whatever the input.

    The model loses its weights by this: onnx would copy them four times. Whether the model is right in all else is
    for ONNX Runtime to say, which takes some that onnx's checker refuses.

    Raises:
        JobError: `model_invalid`, `nothing_to_ask`, `unsupported_type`, `unsafe_division`, `unbounded_text`, or as
            `require_size` does.
    """
    safe, longest = division.divisors(model), texts.longest(model)
    _drop_weights(model)
    try:
        inferred = onnx.shape_inference.infer_shapes(model)
    except MemoryError:
        raise
    except Exception as error:  # of several unrelated classes
        raise JobError("model_invalid", f"The file is not valid ONNX: {reason(error)}") from error
    division.require_safe(inferred, safe)
    texts.require_bounded(inferred, longest)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in inferred.graph.input if value.name not in weights]
    if not inputs or not inferred.graph.output:
        raise JobError("nothing_to_ask", "The graph has no input, or no output; export it with both.")
    for value in inputs:
        _require_tensor(value, "input")
    for value in inferred.graph.output:
        _require_tensor(value, "output")
    for value in (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input):
        shape = value.type.tensor_type.shape
        # What varies is at least 1.
        require_size([dim.dim_value for dim in shape.dim if dim.HasField("dim_value")], value.name)


def _drop_weights(model: ModelProto) -> None:
    for message in walk(model):
        if isinstance(message, TensorProto) and prod(message.dims) > MAX_SHAPE_ELEMENTS:
            for field in DATA_FIELDS:
                message.ClearField(field)


def _require_tensor(value: ValueInfoProto, role: str) -> None:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise JobError(
            "unsupported_type",
            f"The {role} {value.name!r} is of the kind {(kind or 'unknown').removesuffix('_type')}; only tensors are "
            "served. A classifier of scikit-learn is exported with the option zipmap=False.",
        )
    if role == "input" and not value.type.tensor_type.HasField("shape"):
        raise JobError("unsupported_type", f"The input {value.name!r} has no shape; export it with its dimensions.")
