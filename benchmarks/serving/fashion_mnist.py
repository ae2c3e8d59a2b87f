"""Images of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), as uploads and as the files that are classified."""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

PARTS = ("train", "t10k")


def folder() -> Path:
    """Where the four files lie."""
    return Path(os.environ.get("SYLLABUS_TEST_DATA", ""), "fashion-mnist")


def missing() -> str | None:
    """What to do where the files are not there; None where they are."""
    if (folder() / "train-images-idx3-ubyte.gz").is_file():
        return None
    return "SYLLABUS_TEST_DATA must name a folder with `fashion-mnist/` in it, the four `*-ubyte.gz` files."


def images(part: str) -> np.ndarray:
    """uint8 (N, 28, 28)."""
    return np.frombuffer(_read(f"{part}-images-idx3-ubyte.gz"), np.uint8, offset=16).reshape(-1, 28, 28)


def labels(part: str) -> np.ndarray:
    """uint8 (N,)."""
    return np.frombuffer(_read(f"{part}-labels-idx1-ubyte.gz"), np.uint8, offset=8)


def upload(num_train: int, num_test: int) -> bytes:
    """The first images of both parts as a zip of idx files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part, count in zip(PARTS, (num_train, num_test), strict=True):
            archive.writestr(f"{part}-images-idx3-ubyte", _idx(images(part)[:count]))
            archive.writestr(f"{part}-labels-idx1-ubyte", _idx(labels(part)[:count]))
    return buffer.getvalue()


def picture(index: int, *, size: int, mode: str, file_format: str) -> bytes:
    """A test image as a file of `size` by `size` pixels; mode and format are Pillow's."""
    image = Image.fromarray(images("t10k")[index]).resize((size, size), Image.Resampling.BILINEAR).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, file_format)
    return buffer.getvalue()


def _read(name: str) -> bytes:
    with gzip.open(folder() / name) as file:
        return file.read()


def _idx(array: np.ndarray) -> bytes:
    # Two zero bytes, 8 for unsigned bytes, the number of axes, their lengths, the values.
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
