"""Samples as files and in words: pictures of images, objects of a table's rows."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from services.pictures import sheet, to_png_quickly
from services.serving.generation.calls import Coded
from services.serving.model import ServedModel
from services.serving.rows import Row, named


def are_images(model: ServedModel) -> bool:
    """Whether a version's samples are images, and not rows of a table."""
    return bool(model.signature["modality"] == "image")


def picture(coded: Coded) -> bytes:
    """All samples as one PNG file: nearly square, or of a path a strip."""
    images = _images(coded)
    if len(images) == 1:
        return to_png_quickly(images[0])
    return to_png_quickly(sheet(images, len(images) if coded.call == "interpolate" else None))


def archive(coded: Coded) -> bytes:
    """All samples as PNG files in a zip, named by their numbers. Equal samples make equal bytes: files have no date."""
    images = _images(coded)
    digits = len(str(len(images) - 1))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for index, image in enumerate(images):
            zipped.writestr(zipfile.ZipInfo(f"{index:0{digits}d}.png"), to_png_quickly(image))
    return buffer.getvalue()


def words(coded: Coded) -> dict[str, Any]:
    """What is said of the samples; images are bytes, codes are arrays."""
    outputs, told = coded.outputs, coded.told
    match coded.call:
        case "encode":
            return {"codes": np.ascontiguousarray(outputs["code"])}
        case "anomaly":
            return {"anomalies": _anomalies(coded)}
        case "reconstruct":
            errors = outputs["error"].tolist()
            field, items = described(coded)
            return {"reconstructions": [{field: item, "error": e} for item, e in zip(items, errors, strict=True)]}
    field, items = described(coded)
    return {**{name: value for name, value in told.items() if value is not None}, f"{field}s": items}


def described(coded: Coded) -> tuple[str, Sequence[bytes | Row]]:
    """`image` and PNG files, or `row` and rows of a table."""
    if are_images(coded.model):
        return "image", [to_png_quickly(image) for image in _images(coded)]
    assert coded.samples is not None  # noqa: S101 - only asked of calls that answer samples
    return "row", named(coded.samples, coded.model.signature)


def _anomalies(coded: Coded) -> list[dict[str, Any]]:
    generative = coded.model.generative or {}
    threshold = generative["anomaly"]["threshold"]
    scores = coded.outputs["score"].tolist()
    return [{"score": score, "threshold": threshold, "anomalous": score > threshold} for score in scores]


def _images(coded: Coded) -> np.ndarray:
    assert coded.samples is not None  # noqa: S101 - only asked of calls that answer samples
    return coded.samples
