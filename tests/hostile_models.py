"""ONNX files as a user might send them in: harmless ones, and all kinds that must be refused."""

import pickle
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper
from onnx.numpy_helper import from_array

OPSET = 17
FLOAT, INT64, BOOL, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING
HUGE = 2**40


def value(name: str, shape: Sequence[int | str] | None = ("N", 3), dtype: int = FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def model_of(
    nodes: Sequence[NodeProto],
    weights: Sequence[TensorProto] = (),
    *,
    inputs: Sequence[ValueInfoProto] | None = None,
    outputs: Sequence[ValueInfoProto] | None = None,
    opset: int = OPSET,
    domains: Sequence[str] = (),
    functions: Sequence[FunctionProto] = (),
    ir_version: int = 8,
) -> ModelProto:
    """A model from `x` to `y`, both float (N, 3) unless said."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [value("x")] if inputs is None else inputs,
        [value("y")] if outputs is None else outputs,
        weights,
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=ir_version)


def node(op_type: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> NodeProto:
    return helper.make_node(op_type, inputs, outputs, **attributes)


def ints(name: str, *values: int) -> TensorProto:
    return from_array(np.array(values, np.int64), name)


def scalar(name: str, number: int) -> TensorProto:
    return from_array(np.array(number, np.int64), name)


def external(location: str = "../secret", name: str = "w") -> TensorProto:
    """Weights that are said to be in another file."""
    tensor = TensorProto(name=name, data_type=FLOAT, dims=[3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


# --- Harmless -----------------------------------------------------------------------------------------


def doubler() -> ModelProto:
    """Each row times two, plus three weights."""
    weights = [from_array(np.array([1, 2, 3], np.float32), "w")]
    return model_of([node("Add", ["x", "x"], ["d"]), node("Add", ["d", "w"], ["y"])], weights)


def mean_of_rows() -> ModelProto:
    """Every row less the mean of all rows: an answer depends on its neighbours."""
    mean = node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1)
    return model_of([mean, node("Sub", ["x", "m"], ["y"])])


def two_inputs_of_text_and_numbers() -> ModelProto:
    """Lengths that vary, several inputs and outputs, strings and integers."""
    nodes = [
        node("Identity", ["words"], ["said"]),
        node("Cast", ["ids"], ["f"], to=FLOAT),
        node("ReduceSum", ["f"], ["total"], keepdims=1),
        node("Identity", ["ids"], ["same"]),
    ]
    return model_of(
        nodes,
        inputs=[value("words", ["N", "L"], STRING), value("ids", ["N", "L"], INT64)],
        outputs=[value("said", ["N", "L"], STRING), value("same", ["N", "L"], INT64), value("total", None)],
    )


def finite_loop(trips: int = 3) -> ModelProto:
    """Adds the input to itself a few times: harmless, but a loop."""
    return model_of(
        [node("Loop", ["trips", "", "x"], ["y"], body=_loop_body("going", node("Add", ["in", "in"], ["out"])))],
        [scalar("trips", trips)],
    )


def with_function() -> ModelProto:
    """A function of the model's own, as PyTorch's newer exporter writes them."""
    double = helper.make_function("own", "Double", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])], _opsets())
    return model_of([node("Double", ["x"], ["y"], domain="own")], domains=["own"], functions=[double])


# --- Not ONNX -----------------------------------------------------------------------------------------


class _Opens:
    """What a pickle can do: anything."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('the pickle was opened')",))


def safetensors(declared_length: int = 2**62) -> bytes:
    """A safetensors file whose header lies about its own length."""
    header = b'{"w":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    return struct.pack("<Q", declared_length) + header


NOT_ONNX: dict[str, bytes] = {
    "pickle": pickle.dumps(_Opens(), protocol=4),
    "zip": b"PK\x03\x04" + bytes(60),
    "safetensors": safetensors(),
    "safetensors-honest": safetensors(78),
    "text": b"<html>no model</html>",
    "zeros": bytes(1000),
    "noise": np.random.default_rng(0).bytes(5000),
    "empty-message": ModelProto(ir_version=8).SerializeToString(),
}


def truncated() -> bytes:
    return bytes(doubler().SerializeToString()[:-5])


# --- Hostile ------------------------------------------------------------------------------------------


def _opsets() -> list[onnx.OperatorSetIdProto]:
    return [helper.make_opsetid("", OPSET)]


def _loop_body(condition: str, work: NodeProto) -> GraphProto:
    """The body of a Loop over one float (N, 3); with the condition `forever` it never says stop."""
    nodes = [node("Identity", ["going"], ["still"]), work]
    return helper.make_graph(
        nodes,
        "body",
        [value("i", [], INT64), value("going", [], BOOL), value("in")],
        [value("still", [], BOOL), value("out")],
    )


def endless_loop() -> ModelProto:
    """Loads, and never ends."""
    true = from_array(np.array(True), "true")
    work = node("Add", ["in", "in"], ["out"])
    return model_of([node("Loop", ["", "true", "x"], ["y"], body=_loop_body("going", work))], [true])


def long_kernel() -> ModelProto:
    """One node that takes hours and looks at no clock: a pooling of 2,000 by 2,000 over a large image."""
    nodes = [
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Expand", ["m", "shape"], ["a"]),
        node("MaxPool", ["a"], ["b"], kernel_shape=[2000, 2000]),
        node("ReduceMax", ["b"], ["c"], keepdims=0),
        node("Add", ["x", "c"], ["y"]),
    ]
    return model_of(nodes, [ints("shape", 1, 1, 4000, 4000)])


def hoarder(count: int = 100, side: int = 5000) -> ModelProto:
    """Constants of 100 MB each, made of a few bytes: used one by one when it is run, or all kept when it is loaded."""
    nodes = [node("ReduceMax", ["x"], ["m"], keepdims=0)]
    for place in range(count):
        nodes += [
            node("ConstantOfShape", [f"s{place}"], [f"c{place}"]),
            node("Add", [f"c{place}", "m"], [f"a{place}"]),
            node("ReduceMax", [f"a{place}"], [f"q{place}"], keepdims=0),
        ]
    nodes.append(node("Sum", ["x", *(f"q{place}" for place in range(count))], ["y"]))
    return model_of(nodes, [ints(f"s{place}", side + place, side) for place in range(count)])


def external_in_subgraph() -> ModelProto:
    """The weights in another file are used within an If."""

    def branch(name: str) -> GraphProto:
        return helper.make_graph([node("Add", ["x", "w"], [name])], name, [], [value(name)], [external()])

    nodes = [
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Cast", ["m"], ["c"], to=BOOL),
        node("If", ["c"], ["y"], then_branch=branch("a"), else_branch=branch("b")),
    ]
    return model_of(nodes)


def external_in_attribute() -> ModelProto:
    return model_of([node("Constant", [], ["w"], value=external()), node("Add", ["x", "w"], ["y"])])


def external_in_function() -> ModelProto:
    nodes = [node("Constant", [], ["w"], value=external()), node("Add", ["a", "w"], ["b"])]
    function = helper.make_function("own", "F", ["a"], ["b"], nodes, _opsets())
    return model_of([node("F", ["x"], ["y"], domain="own")], domains=["own"], functions=[function])


def external_in_default_of_function() -> ModelProto:
    """The weights are the default of a function's attribute."""
    constant = node("Constant", [], ["w"])
    constant.attribute.append(AttributeProto(name="value", ref_attr_name="w", type=AttributeProto.TENSOR))
    function = helper.make_function("own", "F", ["a"], ["b"], [constant, node("Add", ["a", "w"], ["b"])], _opsets())
    function.attribute_proto.append(helper.make_attribute("w", external()))
    return model_of([node("F", ["x"], ["y"], domain="own")], domains=["own"], functions=[function])


def external_in_sparse() -> ModelProto:
    model = doubler()
    sparse = model.graph.sparse_initializer.add(dims=[3])
    sparse.values.CopyFrom(external(name="w2"))
    sparse.indices.CopyFrom(ints("i", 0, 1, 2))
    return model


def with_weights(tensor: TensorProto) -> ModelProto:
    """`x + w` with these weights."""
    return model_of([node("Add", ["x", "w"], ["y"])], [tensor])


def lying(**fields: Any) -> ModelProto:
    """Weights whose data are not what their shape says."""
    return with_weights(TensorProto(**{"name": "w", "data_type": FLOAT, "dims": [3], **fields}))


def custom_operator(domain: str = "evil.example", op_type: str = "Run") -> ModelProto:
    return model_of([node(op_type, ["x"], ["y"], domain=domain)], domains=[domain])


def gigantic(kind: str) -> ModelProto:
    """2**40 elements, out of a few bytes."""
    add = node("Add", ["x", "q"], ["y"])
    total = node("ReduceSum", ["c"], ["q"], keepdims=0)
    if kind == "ConstantOfShape":
        return model_of([node("ConstantOfShape", ["s"], ["c"]), total, add], [ints("s", HUGE)])
    if kind == "Expand":
        one = from_array(np.ones(1, np.float32), "one")
        return model_of([node("Expand", ["one", "s"], ["c"]), total, add], [one, ints("s", HUGE)])
    if kind == "Tile":
        one = from_array(np.ones(1024, np.float32), "one")
        return model_of([node("Tile", ["one", "s"], ["c"]), total, add], [one, ints("s", HUGE >> 10)])
    if kind == "Range":
        nodes = [node("Range", ["a", "b", "one"], ["r"]), node("Cast", ["r"], ["c"], to=FLOAT), total, add]
        return model_of(nodes, [scalar("a", 0), scalar("b", HUGE), scalar("one", 1)])
    if kind == "computed":
        # The size is itself computed: 2**20 times 2**20.
        nodes = [node("Mul", ["s", "s"], ["t"]), node("ConstantOfShape", ["t"], ["c"]), total, add]
        return model_of(nodes, [ints("s", 2**20)])
    if kind == "sparse":
        nodes = [total, add]
        model = model_of(nodes)
        sparse = model.graph.sparse_initializer.add(dims=[HUGE])
        sparse.values.CopyFrom(from_array(np.ones(1, np.float32), "c"))
        sparse.indices.CopyFrom(ints("i", 5))
        return model
    if kind == "2 GiB":
        # Small enough to be no mistake, and too much for a gateway.
        return model_of([node("ConstantOfShape", ["s"], ["c"]), total, add], [ints("s", 2**14, 2**14)])
    raise ValueError(kind)


def gigantic_at_run() -> ModelProto:
    """2**38 elements that depend on the input, so that they are made when it is run."""
    nodes = [
        node("Shape", ["x"], ["n"]),
        node("Slice", ["n", "zero", "one"], ["rows"]),
        node("Mul", ["rows", "many"], ["s"]),
        node("ConstantOfShape", ["s"], ["c"]),
        node("ReduceSum", ["c"], ["q"], keepdims=0),
        node("Add", ["x", "q"], ["y"]),
    ]
    return model_of(nodes, [ints("zero", 0), ints("one", 1), ints("many", 2**38)])


def deep_subgraphs(depth: int = 30) -> ModelProto:
    """If within If within If."""
    inner = helper.make_graph([node("Identity", ["x"], ["y0"])], "g0", [], [value("y0")])
    for level in range(1, depth):
        chosen = node("If", ["c"], [f"y{level}"], then_branch=inner, else_branch=inner if level == 1 else _small(level))
        inner = helper.make_graph([chosen], f"g{level}", [], [value(f"y{level}")])
    nodes = [
        node("ReduceMax", ["x"], ["m"], keepdims=0),
        node("Cast", ["m"], ["c"], to=BOOL),
        node("If", ["c"], ["y"], then_branch=inner, else_branch=_small(depth)),
    ]
    return model_of(nodes)


def _small(level: int) -> GraphProto:
    return helper.make_graph([node("Identity", ["x"], [f"z{level}"])], f"s{level}", [], [value(f"z{level}")])


def function_chain(length: int, calls: int = 1) -> ModelProto:
    """Functions that each call the next one, so many times."""
    functions = []
    for place in range(length):
        following = place + 1 < length
        names = [f"t{call}" for call in range(calls - 1)]
        sources, targets = ["a", *names], [*names, "b"]
        called, domain = (f"F{place + 1}", "own") if following else ("Neg", "")
        nodes = [
            node(called, [source], [target], domain=domain) for source, target in zip(sources, targets, strict=True)
        ]
        opsets = [*_opsets(), helper.make_opsetid("own", 1)]
        functions.append(helper.make_function("own", f"F{place}", ["a"], ["b"], nodes, opsets))
    return model_of([node("F0", ["x"], ["y"], domain="own")], domains=["own"], functions=functions)


def recursive_functions() -> ModelProto:
    """F calls G, and G calls F."""
    opsets = [*_opsets(), helper.make_opsetid("own", 1)]
    functions = [
        helper.make_function("own", name, ["a"], ["b"], [node(other, ["a"], ["b"], domain="own")], opsets)
        for name, other in (("F", "G"), ("G", "F"))
    ]
    return model_of([node("F", ["x"], ["y"], domain="own")], domains=["own"], functions=functions)


def many_nodes(count: int = 20_001) -> ModelProto:
    names = ["x", *(f"t{place}" for place in range(count - 1)), "y"]
    return model_of([node("Neg", [names[place]], [names[place + 1]]) for place in range(count)])


def many_inputs(count: int = 300) -> ModelProto:
    inputs = [value(f"x{place}") for place in range(count)]
    return model_of([node("Sum", [each.name for each in inputs], ["y"])], inputs=inputs)


def sequence_output() -> ModelProto:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, ["N", 3]))
    return model_of([node("SequenceConstruct", ["x", "x"], ["y"])], outputs=[helper.make_value_info("y", kind)])


def optional_input() -> ModelProto:
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(FLOAT, ["N", 3]))
    return model_of([node("OptionalGetElement", ["x"], ["y"])], inputs=[helper.make_value_info("x", kind)], opset=18)


def bfloat16_input() -> ModelProto:
    return model_of([node("Cast", ["x"], ["y"], to=FLOAT)], inputs=[value("x", dtype=TensorProto.BFLOAT16)])


def never_runs() -> ModelProto:
    """Wants three rows to be seven."""
    return model_of([node("Reshape", ["x", "s"], ["y"])], [ints("s", 7, 5)], outputs=[value("y", [7, 5])])


def no_input() -> ModelProto:
    """Its answer is always the same."""
    return model_of([node("Constant", [], ["y"], value_floats=[1.0, 2.0])], inputs=[], outputs=[value("y", [2])])


def crashes_shape_inference() -> ModelProto:
    """Attributes that no exporter writes."""
    nodes = [node("Conv", ["x", "w"], ["y"], kernel_shape=[0], strides=[0], dilations=[-1], group=0)]
    return model_of(nodes, [from_array(np.ones((1, 1, 1), np.float32), "w")], inputs=[value("x", ["N", 1, 5])])


Hostile = tuple[Callable[[], ModelProto], str]

HOSTILE: dict[str, Hostile] = {
    "external": (lambda: with_weights(external()), "external_data"),
    "external-memory": (lambda: with_weights(external("*/_ORT_MEM_ADDR_/*")), "external_data"),
    "external-absolute": (lambda: with_weights(external("/etc/passwd")), "external_data"),
    "external-subgraph": (external_in_subgraph, "external_data"),
    "external-attribute": (external_in_attribute, "external_data"),
    "external-function": (external_in_function, "external_data"),
    "external-function-default": (external_in_default_of_function, "external_data"),
    "external-sparse": (external_in_sparse, "external_data"),
    "lying-raw": (lambda: lying(raw_data=b"\0" * 4), "tensor_invalid"),
    "lying-floats": (lambda: lying(float_data=[1.0] * 5), "tensor_invalid"),
    "lying-empty": (lambda: lying(), "tensor_invalid"),
    "lying-negative": (lambda: lying(dims=[-3], raw_data=b"\0" * 12), "tensor_invalid"),
    "lying-overflow": (lambda: lying(dims=[2**33, 2**33], raw_data=b""), "tensor_too_large"),
    "lying-huge": (lambda: lying(dims=[HUGE], raw_data=b"\0" * 12), "tensor_too_large"),
    "lying-type": (lambda: lying(data_type=99, raw_data=b"\0" * 12), "tensor_invalid"),
    "custom-operator": (custom_operator, "unknown_operator"),
    "internal-domain": (lambda: custom_operator("com.microsoft.nchwc", "Conv"), "unknown_operator"),
    "unknown-contrib": (lambda: custom_operator("com.microsoft", "Frobnicate"), "unknown_operator"),
    "unknown-standard": (lambda: model_of([node("Frobnicate", ["x"], ["y"])]), "unknown_operator"),
    "opset-future": (lambda: model_of([node("Neg", ["x"], ["y"])], opset=99), "unknown_opset"),
    "opset-zero": (lambda: model_of([node("Neg", ["x"], ["y"])], opset=0), "unknown_opset"),
    "gigantic-ConstantOfShape": (lambda: gigantic("ConstantOfShape"), "tensor_too_large"),
    "gigantic-Expand": (lambda: gigantic("Expand"), "tensor_too_large"),
    "gigantic-Tile": (lambda: gigantic("Tile"), "tensor_too_large"),
    "gigantic-Range": (lambda: gigantic("Range"), "tensor_too_large"),
    "gigantic-computed": (lambda: gigantic("computed"), "memory_exhausted"),
    "gigantic-sparse": (lambda: gigantic("sparse"), "tensor_too_large"),
    "gigantic-2GiB": (lambda: gigantic("2 GiB"), "memory_exhausted"),
    "gigantic-at-run": (gigantic_at_run, "memory_exhausted"),
    "deep-subgraphs": (deep_subgraphs, "nested_too_deep"),
    "deep-functions": (lambda: function_chain(40), "nested_too_deep"),
    "exponential-functions": (lambda: function_chain(15, calls=4), "too_many_nodes"),
    "recursive-functions": (recursive_functions, "recursive_functions"),
    "many-nodes": (many_nodes, "too_many_nodes"),
    "many-inputs": (many_inputs, "too_many_inputs"),
    "long-name": (lambda: model_of([node("Neg", ["x" * 300], ["y"])], inputs=[value("x" * 300)]), "name_too_long"),
    "sequence": (sequence_output, "unsupported_type"),
    "optional": (optional_input, "unsupported_type"),
    "bfloat16": (bfloat16_input, "unsupported_type"),
    "never-runs": (never_runs, "does_not_run"),
    "no-input": (no_input, "nothing_to_ask"),
    "odd-attributes": (crashes_shape_inference, "model_invalid"),
    "endless-loop": (endless_loop, "does_not_answer"),
}
"""By name: how it is made, and the code with which it is refused."""
