"""`idx`: a zip or tar of MNIST's files, gzipped or not: `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, ...

Format: two zero bytes, the type of the values (8: unsigned byte), the number of axes, the length of each axis as
a big-endian 32-bit integer, the values (Y. LeCun, C. Cortes, C. Burges, "The MNIST database").
"""

import math
import re
import struct
import zlib

import numpy as np

from models.errors import JobError
from models.readers.archive import GZIP_MAGIC, Entry, walk
from models.readers.array_files import CHUNK_BYTES
from models.readers.pixels import PixelFitter
from models.readers.source import Source
from models.readers.stream import GZIP, Inflated, Meter, Stream, read_up_to, shown
from models.readers.writer import LABEL, DatasetWriter, Description, chunks

UNSIGNED_BYTE = 8
SPLIT_PATTERN = re.compile(r"train|t10k|test|val")
NAME_PATTERN = re.compile(r"idx[13]-ubyte(\.gz)?$")
SPLITS = {"train": "train", "t10k": "test", "test": "test", "val": "validation"}
EXPECTED = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"


def is_idx(head: bytes) -> bool:
    """Whether a file that begins so is an idx file of bytes."""
    return len(head) >= 4 and head[:3] == b"\0\0\x08" and head[3] in (1, 3)


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read pairs of images and labels, or images alone.

    Raises:
        JobError: `idx_invalid`, naming the file; and those of `walk`.
    """
    reading = _Reading(source, writer)
    for entry in walk(source.path, source.limits, gzip_entries=True):
        source.progress(entry.fraction)
        if is_idx_entry(entry):
            reading.add(entry)
        else:
            writer.skipped.add(entry.name, "not an idx file")
    return reading.finish()


def is_idx_entry(entry: Entry) -> bool:
    """Whether a file of an archive is, or is meant as, an idx file, gzipped or not."""
    base = entry.name.rsplit("/", 1)[-1]
    if base.startswith(".") or entry.name.startswith("__MACOSX/"):
        return False
    return is_idx(entry.head) or is_idx(_gunzip_head(entry.head)) or NAME_PATTERN.search(base) is not None


def _gunzip_head(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(GZIP).decompress(head, 4)
    except zlib.error:
        return b""


class _Reading:
    """The files of one upload, in whatever order they come."""

    def __init__(self, source: Source, writer: DatasetWriter) -> None:
        self._source = source
        self._writer = writer
        self._fitter: PixelFitter | None = None
        self._label_counts = np.zeros(256, np.int64)

    def add(self, entry: Entry) -> None:
        """Read one file to its end."""
        match = SPLIT_PATTERN.search(entry.name.rsplit("/", 1)[-1].lower())
        if match is None:
            raise _invalid(entry, f"belongs to no split by its name; name the files {EXPECTED}.")
        split = SPLITS[match.group()]
        stream = self._open(entry)
        lengths = _read_header(stream, entry)
        part = "inputs" if len(lengths) == 3 else "targets"
        if part in self._writer.parts(split):
            raise _invalid(entry, f"brings the {part} of the split {split} a second time; leave one out.")
        if part == "inputs":
            self._read_images(stream, entry, split, lengths)
        else:
            self._read_labels(stream, entry, split, lengths[0])
        if stream.read(1):
            raise _invalid(entry, "is longer than its header says; upload the original file.")

    def finish(self) -> Description:
        """Check that the files fit together and number the classes from 0."""
        splits = sorted(self._writer.splits())
        if self._fitter is None:
            raise JobError("idx_invalid", f"The archive holds no idx file of images; pack {EXPECTED}.")
        counts = {(split, part): self._writer.count(split, part) for split in splits for part in ("inputs", "targets")}
        labelled = any(counts[split, "targets"] for split in splits)
        for split in splits:
            images, labels = counts[split, "inputs"], counts[split, "targets"]
            if labelled and images != labels:
                raise JobError(
                    "idx_invalid",
                    f"The split {split} has {images:,} images and {labels:,} labels; upload files that match.",
                )
        self._source.options.check_task("idx files are", "classification")
        if labelled and self._source.options.unlabelled:
            labelled = False
            for split in splits:
                self._writer.remove(split, "targets")
        return Description(
            modality="image",
            task="classification" if labelled else None,
            classes=self._number_classes(splits) if labelled else None,
            input=self._fitter.described,
            target=LABEL if labelled else None,
        )

    def _open(self, entry: Entry) -> Stream:
        if not entry.head.startswith(GZIP_MAGIC):
            return entry
        what = f"The file {shown(entry.name)}"
        limits = self._source.limits
        return Inflated(entry, GZIP, Meter(what, self._source.path.stat().st_size, limits.max_decompressed_bytes), what)

    def _read_images(self, stream: Stream, entry: Entry, split: str, lengths: list[int]) -> None:
        count, height, width = lengths
        if not 0 < height * width <= self._source.limits.max_pixels:
            raise _invalid(entry, f"declares images of {height:,} by {width:,} pixels; upload the original file.")
        fitter = PixelFitter(self._source, height, width, channels=1)
        if self._fitter is not None and self._fitter.size != fitter.size:
            raise _invalid(entry, "holds images of another size than the other split; set the option `image_size`.")
        self._fitter = fitter
        array = self._writer.inputs(split, np.uint8, (fitter.channels, *fitter.size))
        step = max(1, CHUNK_BYTES // (height * width))
        for begin in range(0, count, step):
            wanted = min(step, count - begin)
            data = _read_exactly(stream, entry, wanted * height * width)
            array.append(fitter.fit(np.frombuffer(data, np.uint8).reshape(wanted, height, width, 1)))
            self._source.progress(entry.fraction)

    def _read_labels(self, stream: Stream, entry: Entry, split: str, count: int) -> None:
        array = self._writer.targets(split, np.int64)
        for begin in range(0, count, CHUNK_BYTES):
            data = np.frombuffer(_read_exactly(stream, entry, min(CHUNK_BYTES, count - begin)), np.uint8)
            self._label_counts += np.bincount(data, minlength=256)
            array.append(data)

    def _number_classes(self, splits: list[str]) -> list[str]:
        """The labels that occur, as names; the arrays get their numbers among these."""
        labels = np.flatnonzero(self._label_counts)
        if not np.array_equal(labels, np.arange(len(labels))):
            for split in splits:
                for chunk in chunks(self._writer.read_values(split, "targets")):
                    chunk[:] = np.searchsorted(labels, chunk)
        return [str(label) for label in labels]


def _read_header(stream: Stream, entry: Entry) -> list[int]:
    """The length of each axis: of three for images, of one for labels."""
    head = _read_exactly(stream, entry, 4)
    if not is_idx(head):
        raise _invalid(entry, "is not an idx file of unsigned bytes with one axis (labels) or three (images).")
    axes = head[3]
    lengths = list(struct.unpack(f">{axes}I", _read_exactly(stream, entry, 4 * axes)))
    if not math.prod(lengths):
        raise _invalid(entry, "is empty; upload the original file.")
    return lengths


def _read_exactly(stream: Stream, entry: Entry, size: int) -> bytes:
    data = read_up_to(stream, size)
    if len(data) < size:
        raise _invalid(entry, "is shorter than its header says; upload the whole file.")
    return data


def _invalid(entry: Entry, problem: str) -> JobError:
    return JobError("idx_invalid", f"The file {shown(entry.name)} {problem}")
