"""A loaded graph: what it takes and gives, and how it is run."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime

from services.errors import Unavailable
from services.serving.protocol.datatypes import TensorSpec, spec_of

Feeds = Mapping[str, np.ndarray]
Outputs = list[np.ndarray]


class Network:
    """An ONNX Runtime session. `run` may be called from several threads at once."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        *,
        threads: int,
        concurrency: int,
        batchable: bool,
        bounded: bool,
        num_bytes: int,
        steady: bool = True,
        trusted: bool = True,
        alone: bool = False,
    ) -> None:
        self.session = session
        self.inputs = _specs(session.get_inputs())
        self.outputs = _specs(session.get_outputs())
        self._trusted = trusted
        self._options = self.new_options()
        self.threads = threads
        """Processors that one run takes."""
        self.concurrency = concurrency
        """Runs at once that make sense."""
        self.batchable = batchable
        """Whether the first dimension of all tensors is the rows'."""
        self.joins = batchable and not alone and not any(spec.datatype == "BYTES" for spec in self.inputs)
        """Whether rows of several requests may be run together. Text is of one request, which bounds it: letters are
        outside of the arena."""
        self.bounded = bounded
        """Whether a run is sure to end."""
        self.runs_inline = bounded and steady and threads == 1
        """Whether a run may hold up the event loop for the time that it is known to take."""
        self.num_bytes = num_bytes
        self.input_names = [spec.name for spec in self.inputs]
        self.output_names = [spec.name for spec in self.outputs]

    def new_options(self) -> onnxruntime.RunOptions:
        """Options for a run that is to be ended from outside, by `terminate`."""
        options = onnxruntime.RunOptions()
        if not self._trusted:
            # What runs have taken of the memory that users' graphs share would else stay cut in their pieces.
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options

    def run(self, feeds: Feeds, options: onnxruntime.RunOptions | None = None) -> Outputs:
        """The outputs, in the order of `output_names`. Raises whatever ONNX Runtime raises."""
        outputs: Outputs = self.session.run(self.output_names, feeds, options or self._options)
        return outputs

    def named(self, outputs: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of a run by their names."""
        return dict(zip(self.output_names, outputs, strict=True))

    @property
    def has_one_shape(self) -> bool:
        """Whether all but the batch dimension is fixed."""
        return all(-1 not in spec.shape[1:] for spec in self.inputs)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row of input, if there is one shape."""
        return sum(math.prod(spec.shape[1:]) * 8 for spec in self.inputs)


def _specs(nodes: Sequence[Any]) -> tuple[TensorSpec, ...]:
    try:
        return tuple(spec_of(node.name, node.type, node.shape) for node in nodes)
    except Exception as error:
        raise Unavailable("model_not_servable", "The model takes or gives what is no tensor.") from error
