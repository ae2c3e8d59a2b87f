"""From bytes to a parsed model, or to what they are instead."""

import onnx

from models.errors import JobError

_PICKLE = "a pickle, which is a program and is never opened; export the network to ONNX"
# What other files of networks begin with, the offset of it, and what to do about them.
_SIGNATURES = (
    *((bytes([0x80, protocol]), 0, _PICKLE) for protocol in range(2, 6)),
    (b"PK\x03\x04", 0, "a zip archive, such as torch.save or Keras write; export the network to ONNX"),
    (b"\x1f\x8b", 0, "compressed with gzip; send the .onnx file itself"),
    (b"\x89HDF", 0, "an HDF5 file, such as Keras writes; convert the network to ONNX"),
    (b"TFL3", 4, "a TensorFlow Lite file; convert the network to ONNX"),
    (b"ORTM", 4, "in ONNX Runtime's own format; send the .onnx file that it was made of"),
    (b"GGUF", 0, "a GGUF file; export the network to ONNX"),
    (b"{", 8, "a safetensors file, which holds weights without a network; export the network to ONNX"),
)


def parse(data: bytes) -> onnx.ModelProto:
    """The model in a file.

    Raises:
        JobError: `not_onnx`, or `model_corrupt`.
    """
    try:
        model = onnx.load_model_from_string(data)
    except MemoryError:
        raise
    except Exception as error:  # protobuf's own class
        _require_no_other_format(data)
        raise JobError("model_corrupt", "The file is not ONNX, or is damaged: it cannot be decoded.") from error
    if not model.graph.node or not model.graph.output:
        _require_no_other_format(data)
        raise JobError("not_onnx", "The file is not ONNX: there is no graph in it that computes anything.")
    return model


def _require_no_other_format(data: bytes) -> None:
    """Say what a file is that is not ONNX, if that can be told from its first bytes."""
    for signature, offset, what in _SIGNATURES:
        if data.startswith(signature, offset):
            raise JobError("not_onnx", f"The file is not ONNX but {what}.")
