"""Writing a data set whose arrays are in memory, as those of the built-in ones are."""

import numpy as np

from models.readers.pixels import PixelFitter
from models.readers.source import Source
from models.readers.writer import LABEL, Array, DatasetWriter, Description


def write_table(
    writer: DatasetWriter,
    splits: dict[str, tuple[Array, Array]],
    columns: list[str],
    classes: list[str] | None = None,
) -> Description:
    """Numeric rows (N, F) and targets (N,) by split: indices of `classes`, or without them numbers."""
    for split, (rows, targets) in splits.items():
        writer.inputs(split, np.float32, (len(columns),)).append(rows)
        writer.targets(split, np.float32 if classes is None else np.int64).append(targets)
    return Description(
        modality="tabular",
        task="regression" if classes is None else "classification",
        classes=classes,
        input={
            "name": "features",
            "dtype": "float32",
            "shape": [len(columns)],
            "columns": [{"name": name, "kind": "numeric"} for name in columns],
        },
        target={"name": "target", "dtype": "float32", "shape": []} if classes is None else LABEL,
    )


def write_images(
    source: Source, writer: DatasetWriter, images: Array, targets: Array, classes: list[str]
) -> Description:
    """Grey images, uint8 (N, H, W), each of one of the classes, in one split."""
    fitter = PixelFitter(source, images.shape[1], images.shape[2], channels=1)
    writer.inputs("train", np.uint8, (fitter.channels, *fitter.size)).append(fitter.fit(images[..., None]))
    writer.targets("train", np.int64).append(targets)
    return Description("image", "classification", classes, fitter.described, LABEL)
