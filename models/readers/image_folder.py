"""`image-folder`: a zip or tar of `class/file`, `train|val|test/class/file`, or of files without labels."""

import numpy as np

from models.errors import JobError, UnsuitableData
from models.readers.image_files import Survey, decode, entries
from models.readers.layout import Layout, Place, arrange
from models.readers.source import Source
from models.readers.targets import MAX_CLASSES
from models.readers.writer import LABEL, Array, DatasetWriter, Description, image_input

SURVEY_SHARE = 0.3


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read the images twice: once for their names, size and colours, once for their pixels.

    Images that cannot be decoded are set aside.

    Raises:
        JobError: `images_missing`, `images_unreadable` (more than half of the images), and those of `walk`.
    """
    survey = Survey(source)
    for entry, reason in entries(source, 0.0, SURVEY_SHARE):
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
        input=image_input(channels, size, fitted=survey.fitted),
        target=LABEL if labelled else None,
    )


def _check_layout(source: Source, survey: Survey, layout: Layout) -> None:
    if not survey.names:
        raise JobError(
            "images_missing",
            "The archive holds no images; pack them as class/file or train/class/file, test/class/file.",
        )
    source.options.check_task("an image folder is", "classification")
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
        for entry, reason in entries(self._source, SURVEY_SHARE, 1 - SURVEY_SHARE):
            if reason is not None:
                continue
            try:
                place = self._layout.place(entry.name)
                if place is None:
                    raise ValueError("the image lies in no class folder, as others do")
                image = decode(self._source, entry)
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
