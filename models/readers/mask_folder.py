"""`mask-folder`: a zip or tar of images and masks in two trees alike, `images/name` and `masks/name`.

`train|val|test` may lie above or below them. A mask has the name of its image, but for the suffix, and its size. It
is a palette or grey image whose values are the indices of the classes (see `mask_targets`).
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL.Image import Image

from models.errors import JobError
from models.masks import resized
from models.readers.archive import Entry
from models.readers.image_files import Survey, decode, entries
from models.readers.layout import Layout, arrange
from models.readers.mask_targets import MaskClasses, mask_target
from models.readers.source import Source
from models.readers.stream import shown
from models.readers.writer import Array, DatasetWriter, Description, chunks, image_input

IMAGES, MASKS = "images", "masks"
EXPECTED = "pack the images as images/NAME and the masks as masks/NAME, each mask under the name of its image"
JPEG_MAGIC = b"\xff\xd8\xff"
ONE_CHANNEL_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")
SURVEY_SHARE = 0.3


class Placed(NamedTuple):
    """Where a file lies: in the tree of images or in that of masks, and what it shares with its partner."""

    tree: str
    key: str


def placed(name: str) -> Placed | None:
    """Where a file lies; None if it is in neither tree."""
    parts = name.split("/")
    for depth, folder in enumerate(parts[:-1]):
        if folder.lower() in (IMAGES, MASKS):
            rest = PurePosixPath(*parts[:depth], *parts[depth + 1 :])
            return Placed(folder.lower(), str(rest.with_suffix("")))
    return None


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read the files twice: once for their names and what the images have in common, once for their pixels.

    Raises:
        JobError: `masks_invalid`, naming the file: an image without a mask, a mask without an image, two of different
            sizes, one that cannot be read or is no mask; `options_invalid`; and those of `walk`.
        UnsuitableData: values that are no classes.
    """
    source.options.check_task("images with masks are", "segmentation")
    if source.options.unlabelled:
        raise JobError("options_invalid", "Masks are targets; leave `target` out, or upload the images alone.")
    survey = Survey(source)
    names: dict[str, dict[str, str]] = {IMAGES: {}, MASKS: {}}
    for entry, place in _files(source, writer, 0.0, SURVEY_SHARE):
        if place.key in names[place.tree]:
            raise invalid(entry.name, f"and {shown(names[place.tree][place.key])} have one name; rename one of them.")
        names[place.tree][place.key] = entry.name
        if place.tree == IMAGES:
            survey.add(entry)
    _check_pairs(names)
    classes = MaskClasses(source.options.classes)
    layout = arrange(list(names[IMAGES]), unlabelled=True)
    _Pixels(source, writer, survey, layout, classes).read(names)
    return Description(
        modality="image",
        task="segmentation",
        classes=classes.classes,
        input=image_input(survey.channels, survey.size, "stretch", fitted=survey.fitted),
        target=mask_target(survey.size),
    )


def invalid(name: str, problem: str) -> JobError:
    """What is wrong with one file."""
    return JobError("masks_invalid", f"The file {shown(name)} {problem}")


def _files(source: Source, writer: DatasetWriter, begin: float, share: float) -> Iterator[tuple[Entry, Placed]]:
    """The files of both trees. What is not one of them is set aside, at the first reading."""
    for entry, reason in entries(source, begin, share):
        place = placed(entry.name) if reason is None else None
        if place is not None:
            yield entry, place
        elif begin == 0:
            writer.skipped.add(entry.name, reason or f"lies neither in {IMAGES} nor in {MASKS}")


def _check_pairs(names: dict[str, dict[str, str]]) -> None:
    if not names[IMAGES] or not names[MASKS]:
        lacking = IMAGES if not names[IMAGES] else MASKS
        raise JobError("masks_invalid", f"The archive has no images in a folder `{lacking}`; {EXPECTED}.")
    for tree, other in ((IMAGES, MASKS), (MASKS, IMAGES)):
        alone = [name for key, name in names[tree].items() if key not in names[other]]
        if alone:
            what = "mask" if tree == IMAGES else "image"
            raise invalid(
                alone[0],
                f"has no {what} ({len(alone):,} in `{tree}` have none); add it to `{other}` under the same name, or"
                " remove the file.",
            )


class _Pixels:
    """The second reading: pixels into arrays. Masks may come in another order than their images."""

    def __init__(
        self, source: Source, writer: DatasetWriter, survey: Survey, layout: Layout, classes: MaskClasses
    ) -> None:
        self._source = source
        self._writer = writer
        self._channels, self._size = survey.channels, survey.size
        self._layout = layout
        self._classes = classes
        self._rows: dict[str, tuple[str, int]] = {}
        """For each key, its split and row."""
        self._masks: dict[str, Array] = {}
        """The masks of each split, by row, with the values that they came with."""
        self._sizes: dict[str, tuple[int, int]] = {}
        """(height, width) of the first file of each pair."""

    def read(self, names: dict[str, dict[str, str]]) -> None:
        """Write the inputs and targets of all splits."""
        self._make_room(names[IMAGES])
        for entry, place in _files(self._source, self._writer, SURVEY_SHARE, 1 - SURVEY_SHARE):
            try:
                image = decode(self._source, entry)
            except ValueError as error:
                raise invalid(entry.name, f"cannot be read: {error} Replace it, or remove the pair.") from None
            self._check_size(entry, place, image)
            split, row = self._rows[place.key]
            if place.tree == IMAGES:
                pixels = self._source.fit_image(image, self._channels, self._size, "stretch")
                self._writer.inputs(split, np.uint8, pixels.shape).append(pixels[None])
            else:
                values = self._classes.observe(_values(entry, image), f"The mask {shown(entry.name)}")
                self._masks[split][row] = resized(values[None], self._size)[0]
        self._classes.close()
        for split, masks in self._masks.items():
            for chunk in chunks(masks):
                self._writer.targets(split, np.uint8, self._size).append(self._classes.encode(chunk))

    def _make_room(self, keys: dict[str, str]) -> None:
        counts: dict[str, int] = {}
        for key in keys:
            place = self._layout.place(key)
            split = "train" if place is None else place.split
            self._rows[key] = split, counts.get(split, 0)
            counts[split] = counts.get(split, 0) + 1
        for split, count in counts.items():
            path = self._source.scratch / f"{split}.masks.npy"
            self._masks[split] = np.lib.format.open_memmap(path, "w+", np.uint8, (count, *self._size))
            path.unlink()  # The map keeps the bytes until it is let go.

    def _check_size(self, entry: Entry, place: Placed, image: Image) -> None:
        height, width = self._sizes.pop(place.key, (image.height, image.width))
        if (image.height, image.width) != (height, width):
            raise invalid(
                entry.name,
                f"is {image.width}×{image.height} pixels and its partner {width}×{height}; make the mask as large as"
                " the image.",
            )
        self._sizes[place.key] = height, width


def _values(entry: Entry, mask: Image) -> Array:
    """The pixels of a mask, (H, W)."""
    if entry.head.startswith(JPEG_MAGIC):
        raise invalid(entry.name, "is a JPEG, which changes the values of pixels; save masks as PNG.")
    if mask.mode not in ONE_CHANNEL_MODES:
        raise invalid(entry.name, "is in colour; a mask is a palette or grey image of class indices. Save it as one.")
    return np.asarray(mask).astype(np.int64)
