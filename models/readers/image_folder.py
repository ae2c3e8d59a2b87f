"""`image-folder`: a zip or tar of `class/file`, `train|val|test/class/file`, or of files without labels."""

from collections.abc import Iterator

import numpy as np
from PIL.Image import Image

from models.errors import JobError, UnsuitableData
from models.readers.archive import Entry, walk
from models.readers.layout import Layout, Place, arrange
from models.readers.pixels import default_size
from models.readers.source import Source
from models.readers.targets import MAX_CLASSES
from models.readers.writer import LABEL, Array, DatasetWriter, Description, image_input

MAX_IMAGE_BYTES = 64 * 2**20
# Other image formats are here too: their files are meant as images, and the decoder says why it refuses them.
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".heic", ".avif", ".eps", ".psd", ".fits", ".ico"),
)
IMAGE_MAGICS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")
SURVEY_SHARE = 0.3


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read the images twice: once for their names, size and colours, once for their pixels.

    Images that cannot be decoded are set aside.

    Raises:
        JobError: `images_missing`, `images_unreadable` (more than half of the images), and those of `walk`.
    """
    survey = _Survey(source)
    for entry, reason in _entries(source, 0.0, SURVEY_SHARE):
        if reason is None:
            survey.add(entry)
        else:
            writer.skipped.add(entry.name, reason)
    layout = arrange(survey.names, unlabelled=source.options.unlabelled)
    _check_layout(source, survey, layout)
    channels, size = survey.channels, survey.size
    _Pixels(source, writer, layout, channels, size).read(len(survey.names))
    labelled = layout.classes is not None
    return Description(
        modality="image",
        task="classification" if labelled else None,
        classes=layout.classes,
        input=image_input(channels, size),
        target=LABEL if labelled else None,
    )


def is_side_file(entry: Entry) -> str | None:
    """Why an entry is not meant as an image, or None if it is."""
    parts = entry.name.split("/")
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return "hidden file"
    is_webp = entry.head.startswith(b"RIFF") and entry.head[8:12] == b"WEBP"
    if entry.name.lower().endswith(IMAGE_SUFFIXES) or entry.head.startswith(IMAGE_MAGICS) or is_webp:
        return None
    return "not an image"


def _entries(source: Source, begin: float, share: float) -> Iterator[tuple[Entry, str | None]]:
    for entry in walk(source.path, source.limits):
        source.progress(begin + share * entry.fraction)
        yield entry, is_side_file(entry)


def _decode(source: Source, entry: Entry) -> Image:
    """Raises `ValueError` with the reason why an image cannot be read."""
    data = entry.read_all(MAX_IMAGE_BYTES)
    if data is None:
        raise ValueError(f"the file is larger than {MAX_IMAGE_BYTES:,} bytes")
    try:
        return source.decode_image(data)
    except Exception as error:  # The decoder is handed in with errors of its own; all mean that it cannot be read.
        raise ValueError(str(error)) from None


class _Survey:
    """What the images are called and have in common. Decoding stops as soon as it can change nothing."""

    def __init__(self, source: Source) -> None:
        self.names: list[str] = []
        self._source = source
        self._sizes: set[tuple[int, int]] = set()
        self._has_colour = False

    def add(self, entry: Entry) -> None:
        self.names.append(entry.name)
        options = self._source.options
        is_size_settled = options.image_size or len(self._sizes) > 1
        are_channels_settled = options.channels or self._has_colour
        if is_size_settled and are_channels_settled:
            return
        try:
            image = _decode(self._source, entry)
        except ValueError:
            return
        self._sizes.add((image.height, image.width))
        self._has_colour |= image.mode not in GREY_MODES

    @property
    def channels(self) -> int:
        return self._source.options.channels or (3 if self._has_colour else 1)

    @property
    def size(self) -> tuple[int, int]:
        common = next(iter(self._sizes)) if len(self._sizes) == 1 else None
        return self._source.options.image_size or default_size(common)


def _check_layout(source: Source, survey: _Survey, layout: Layout) -> None:
    if not survey.names:
        raise JobError(
            "images_missing",
            "The archive holds no images; pack them as class/file or train/class/file, test/class/file.",
        )
    if source.options.task == "regression":
        raise JobError("options_invalid", "An image folder gives class labels; leave `task` out.")
    if layout.classes is not None and len(layout.classes) > MAX_CLASSES:
        raise UnsuitableData(
            f"The images lie in {len(layout.classes):,} class folders, and at most {MAX_CLASSES:,} are read;"
            ' group them, or set the option `target` to "" for images without labels.'
        )


class _Pixels:
    """The second reading: pixels and labels into arrays."""

    def __init__(
        self, source: Source, writer: DatasetWriter, layout: Layout, channels: int, size: tuple[int, int]
    ) -> None:
        self._source = source
        self._writer = writer
        self._layout = layout
        self._labels = {name: index for index, name in enumerate(layout.classes or [])}
        self._channels = channels
        self._size = size

    def read(self, total: int) -> None:
        failed, first = 0, ""
        for entry, reason in _entries(self._source, SURVEY_SHARE, 1 - SURVEY_SHARE):
            if reason is not None:
                continue
            try:
                place = self._layout.place(entry.name)
                if place is None:
                    raise ValueError("the image lies in no class folder, as others do")
                image = _decode(self._source, entry)
            except ValueError as error:
                failed += 1
                first = first or f"{entry.name[:120]!r}: {error}"
                self._writer.skipped.add(entry.name, str(error))
            else:
                self._append(place, self._source.fit_image(image, self._channels, self._size))
        if failed:
            self._source.report.log(f"{failed} of {total} images were set aside; the first is {first}", level="warning")
        if failed * 2 > total:
            raise JobError("images_unreadable", f"{failed} of {total} images cannot be read. The first is {first}")

    def _append(self, place: Place, pixels: Array) -> None:
        self._writer.inputs(place.split, np.uint8, (self._channels, *self._size)).append(pixels[None])
        if place.label is not None:
            label = np.array([self._labels[place.label]])
            self._writer.targets(place.split, np.int64).append(label)
