"""`npz`: NumPy arrays in a zip: `x`, `y`; or `x_train`, `y_train`, `x_test`, `y_test`; or `train_inputs`, ...

Images are uint8 (N, H, W) or (N, H, W, C), features (N, F) of any numeric type. Targets are classes or values (N,),
of images also masks (N, H, W) of class indices. Pickled objects are never loaded.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import JobError
from models.masks import resized
from models.readers.archive import Entry, walk
from models.readers.array_targets import ArrayTargets
from models.readers.mask_targets import MaskClasses, mask_target
from models.readers.pixels import PixelFitter
from models.readers.rows import MAX_COLUMNS
from models.readers.source import Source
from models.readers.stream import CHUNK_BYTES, shown
from models.readers.writer import Array, DatasetWriter, Description, chunks

NPY_MAGIC = b"\x93NUMPY"
SPLITS = {"train": "train", "test": "test", "val": "validation", "valid": "validation", "validation": "validation"}
PARTS = {
    **dict.fromkeys(("x", "inputs", "images", "features", "data"), "inputs"),
    **dict.fromkeys(("y", "targets", "target", "labels", "label", "masks"), "targets"),
}
EXPECTED = "x and y; x_train, y_train, x_test and y_test; or train_inputs, train_targets and so on"


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read the arrays, memory-mapped from copies in the scratch directory.

    Raises:
        JobError: `npz_invalid`, naming the array; and those of `walk`.
        UnsuitableData: targets that cannot be learned.
    """
    arrays = _open_arrays(source)
    inputs = {split: array for (split, part), array in arrays.items() if part == "inputs"}
    targets = {split: array for (split, part), array in arrays.items() if part == "targets"}
    if source.options.unlabelled:
        targets = {}
    _check_together(inputs, targets)
    is_image = next(iter(inputs.values())).ndim > 2
    if is_image and targets and next(iter(targets.values())).ndim > 1:
        return _read_masks(source, writer, inputs, targets)
    source.options.check_task("targets of one number each are", "classification", "regression")
    learned = ArrayTargets(list(targets.values()), source.options.task, is_image=is_image) if targets else None
    if learned is not None:
        for split, array in targets.items():
            for chunk in chunks(array):
                writer.targets(split, learned.dtype).append(learned.encode(chunk))
    return Description(
        modality="image" if is_image else "tabular",
        task=learned.task if learned else None,
        classes=learned.classes if learned else None,
        input=_write_images(source, writer, inputs) if is_image else _write_features(source, writer, inputs),
        target=learned.as_json() if learned else None,
    )


def _read_masks(
    source: Source, writer: DatasetWriter, inputs: dict[str, Array], targets: dict[str, Array]
) -> Description:
    source.options.check_task("masks are", "segmentation")
    classes = MaskClasses(source.options.classes)
    for split, array in targets.items():
        if array.shape != inputs[split].shape[:3] or array.dtype.kind not in "biu":
            raise JobError(
                "npz_invalid",
                f"The targets of {split} are {array.dtype} of shape {array.shape}; masks are whole numbers of the shape"
                f" of the images, {inputs[split].shape[:3]}, and other targets one value a sample, (N,).",
            )
        for chunk in chunks(array):
            classes.observe(chunk, f"A mask of {split}")
    classes.close()
    described = _write_images(source, writer, inputs, "stretch")
    size = described["shape"][1], described["shape"][2]
    for split, array in targets.items():
        for chunk in chunks(array):
            masks = resized(classes.encode(chunk.astype(np.uint8)), size)
            writer.targets(split, np.uint8, size).append(masks)
    return Description("image", "segmentation", classes.classes, described, mask_target(size))


def _open_arrays(source: Source) -> dict[tuple[str, str], Array]:
    """The arrays by split and part, as read-only memory maps."""
    arrays: dict[tuple[str, str], Array] = {}
    for entry in walk(source.path, source.limits):
        key = _split_and_part(entry.name)
        if not entry.head.startswith(NPY_MAGIC):
            raise _invalid(entry.name, "is not in NumPy's format; save the file with numpy.savez.")
        if key in arrays:
            raise _invalid(entry.name, f"brings the {key[1]} of the split {key[0]} a second time; leave one out.")
        path = source.scratch / f"{len(arrays)}.npy"
        try:
            _copy(source, entry, path)
            arrays[key] = _open(entry.name, path)
        finally:
            path.unlink()  # The map keeps the bytes until it is let go.
    return arrays


def _split_and_part(name: str) -> tuple[str, str]:
    tokens = re.split(r"[_.-]", name.lower().removesuffix(".npy"))
    splits = [SPLITS[token] for token in tokens if token in SPLITS]
    parts = [PARTS[token] for token in tokens if token in PARTS]
    if len(parts) != 1 or len(splits) > 1 or len(tokens) != len(parts) + len(splits):
        raise _invalid(name, f"has a name that says nothing of its use; the names are {EXPECTED}.")
    return (splits or ["train"])[0], parts[0]


def _copy(source: Source, entry: Entry, path: Path) -> None:
    with path.open("wb") as file:
        while data := entry.read(CHUNK_BYTES):
            file.write(data)
            source.progress(entry.fraction / 2)


def _open(name: str, path: Path) -> Array:
    try:
        array: np.memmap[Any, Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # A header may be wrong in many ways, each with an error of its own.
        raise _invalid(name, "cannot be opened: it holds Python objects, or less than its header says.") from None
    if array.ndim == 0 or not array.size:
        raise _invalid(name, "is empty.")
    if path.stat().st_size != array.offset + array.nbytes:
        raise _invalid(name, "is longer than its header says; save it again.")
    return array


def _check_together(inputs: dict[str, Array], targets: dict[str, Array]) -> None:
    """Inputs and targets must belong together, and all splits must be of one kind."""
    if not inputs or (targets and set(targets) != set(inputs)):
        raise JobError("npz_invalid", f"Inputs are needed, and targets for each split or for none: {EXPECTED}.")
    if len({(array.shape[1:], array.dtype) for array in inputs.values()}) > 1:
        raise JobError("npz_invalid", "The inputs of the splits differ in shape or type; make them the same.")
    for split, array in targets.items():
        if len(array) != len(inputs[split]):
            raise JobError(
                "npz_invalid", f"The split {split} has {len(inputs[split]):,} inputs and {len(array):,} targets."
            )


def _write_images(source: Source, writer: DatasetWriter, inputs: dict[str, Array], how: str = "crop") -> dict[str, Any]:
    sample = next(iter(inputs.values()))
    shape = sample.shape[1:] if sample.ndim == 4 else (*sample.shape[1:], 1)
    if sample.dtype != np.uint8 or sample.ndim > 4 or shape[2] not in (1, 3):
        raise JobError(
            "npz_invalid",
            f"The inputs are {sample.dtype} of shape {sample.shape}; images are uint8 of shape (N, H, W), (N, H, W, 1)"
            " or (N, H, W, 3), tables of shape (N, F).",
        )
    if shape[0] * shape[1] > source.limits.max_pixels:
        raise JobError(
            "npz_invalid", f"The images have more than {source.limits.max_pixels:,} pixels; scale them down."
        )
    fitter = PixelFitter(source, shape[0], shape[1], shape[2], how)
    for split, array in inputs.items():
        for chunk in chunks(array):
            source.progress(0.75)
            pixels = fitter.fit(chunk.reshape(len(chunk), *shape))
            writer.inputs(split, np.uint8, (fitter.channels, *fitter.size)).append(pixels)
    return fitter.described


def _write_features(source: Source, writer: DatasetWriter, inputs: dict[str, Array]) -> dict[str, Any]:
    sample = next(iter(inputs.values()))
    if sample.dtype.kind not in "biuf" or sample.ndim != 2 or sample.shape[1] > MAX_COLUMNS:
        raise JobError(
            "npz_invalid",
            f"The inputs are {sample.dtype} of shape {sample.shape}; a table is numeric of shape (N, F) with F at most"
            f" {MAX_COLUMNS:,}.",
        )
    for split, array in inputs.items():
        for chunk in chunks(array):
            source.progress(0.75)
            with np.errstate(over="ignore"):
                values = chunk.astype(np.float32)
            if np.isinf(values).any():
                raise JobError(
                    "npz_invalid", f"The inputs of {split} hold values that no 32-bit number can hold; scale them."
                )
            writer.inputs(split, np.float32, values.shape[1:]).append(values)
    columns = [{"name": f"x{index}", "kind": "numeric"} for index in range(sample.shape[1])]
    return {"name": "features", "dtype": "float32", "shape": [len(columns)], "columns": columns}


def _invalid(name: str, problem: str) -> JobError:
    return JobError("npz_invalid", f"The array {shown(name)} {problem}")
