"""Whole-number divisions, which end the whole process by a signal when they go wrong.

The processor raises SIGFPE for a divisor of 0 and for the least value divided by -1, and ONNX Runtime does not look.
What the divisor is can depend on the input, so only divisors that stand in the file are taken.
"""

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper
from onnx.helper import tensor_dtype_to_np_dtype

from models.acceptance.walking import quoted, walk
from models.errors import JobError

OPERATORS = ("Div", "Mod")
MAX_ELEMENTS = 1024
"""Of a divisor that is looked into."""
Divisors = Mapping[str, bool]
"""By the name of a constant, whether it is safe to divide by."""


def divisors(model: ModelProto) -> Divisors:
    """The constants of a model that still has its weights."""
    found: dict[str, bool] = {}
    for message in walk(model):
        if isinstance(message, TensorProto) and message.name:
            found[message.name] = _is_safe(message) and found.get(message.name, True)
        if isinstance(message, NodeProto) and message.op_type == "Constant":
            values = [attribute.t for attribute in message.attribute if attribute.name == "value"]
            name = message.output[0] if message.output else ""
            found[name] = bool(values) and _is_safe(values[0]) and found.get(name, True)
    return found


def require_safe(inferred: ModelProto, safe: Divisors) -> None:
    """Refuse a division of whole numbers, or of what may be some, by anything but a safe constant.

    Raises:
        JobError: `unsafe_division`.
    """
    messages = list(walk(inferred))
    types = {value.name: value.type.tensor_type.elem_type for value in messages if isinstance(value, ValueInfoProto)}
    types |= {tensor.name: tensor.data_type for tensor in messages if isinstance(tensor, TensorProto)}
    for node in messages:
        if not isinstance(node, NodeProto) or node.op_type not in OPERATORS or len(node.input) < 2:
            continue
        known = [types[name] for name in node.input if types.get(name)]
        if not (known and _is_float(known[0])) and not safe.get(node.input[1], False):
            raise JobError(
                "unsafe_division",
                f"The node {quoted(node.name or node.output[0])} divides whole numbers, or what may be some, by what "
                "may be 0 or -1; divide by a constant in the file, or divide floats.",
            )


def _is_float(elem_type: int) -> bool:
    return bool(tensor_dtype_to_np_dtype(elem_type).kind == "f")


def _is_safe(tensor: TensorProto) -> bool:
    if int(np.prod(tensor.dims)) > MAX_ELEMENTS or tensor.data_location == TensorProto.EXTERNAL:
        return False
    try:
        values = numpy_helper.to_array(tensor)
    except Exception:  # a damaged tensor is refused elsewhere
        return False
    return values.dtype.kind in "fiu" and not bool(np.isin(values, (0, -1)).any())
