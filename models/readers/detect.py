"""`auto`: which format an upload has, by its bytes; its name is not looked at."""

import tarfile
import zlib
from pathlib import Path

from models.errors import JobError
from models.readers import idx, image_files, mask_folder, npz
from models.readers.archive import GZIP_MAGIC, walk
from models.readers.source import Limits
from models.readers.stream import GZIP

HEAD_BYTES = 4096
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
UNREADABLE = {
    b"PAR1": "a Parquet file; export the table as CSV",
    b"BZh": "compressed with bzip2; use zip or tar.gz",
    b"\xfd7zXZ\0": "compressed with xz; use zip or tar.gz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; use zip or tar.gz",
    b"7z\xbc\xaf": "a 7z archive; use zip or tar.gz",
    b"Rar!": "a RAR archive; use zip or tar.gz",
    b"\x89HDF": "an HDF5 file; save the arrays with numpy.savez",
    npz.NPY_MAGIC: "a single array; save inputs and targets with numpy.savez",
    **{magic: "a single image; pack images as class/file into a zip or tar" for magic in image_files.IMAGE_MAGICS},
}


def detect(path: Path, limits: Limits) -> str:
    """The name of the format: `image-folder`, `mask-folder`, `idx`, `npz` or `csv`.

    Raises:
        JobError: `format_unknown`, `format_unsupported`; and those of `walk`.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise JobError("format_unknown", "The upload is empty; send the file as the body.")
    for magic, what in UNREADABLE.items():
        if head.startswith(magic):
            raise JobError("format_unsupported", f"The upload is {what}.")
    if head.startswith(ZIP_MAGICS) or _is_tar(head):
        return _detect_in_archive(path, limits)
    if idx.is_idx(head):
        raise JobError("format_unsupported", f"The upload is a single idx file; pack {idx.EXPECTED} into a zip or tar.")
    if head.startswith(GZIP_MAGIC):
        return _detect_in_gzip(path, limits, head)
    return "csv"


def _is_tar(head: bytes) -> bool:
    """Whether the first block is a tar header; its checksum tells."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        return False
    return True


def _detect_in_gzip(path: Path, limits: Limits, head: bytes) -> str:
    try:
        inner = zlib.decompressobj(GZIP).decompress(head, HEAD_BYTES)
    except zlib.error:
        inner = b""
    if not _is_tar(inner):
        raise JobError(
            "format_unsupported",
            "The upload is a gzip file but not a tar.gz; send a table uncompressed, files as zip or tar.",
        )
    return _detect_in_archive(path, limits)


def _detect_in_archive(path: Path, limits: Limits) -> str:
    """By the first entry that tells. Images in a folder `images` may have masks beside them, which come later."""
    trees: set[str] = set()
    for entry in walk(path, limits, gzip_entries=True):
        if entry.head.startswith(npz.NPY_MAGIC):
            return "npz"
        if idx.is_idx_entry(entry):
            return "idx"
        if image_files.is_side_file(entry) is None:
            place = mask_folder.placed(entry.name)
            if place is None:
                return "image-folder"
            trees.add(place.tree)
            if len(trees) > 1:
                return "mask-folder"
    if trees:
        return "image-folder"
    raise JobError(
        "format_unknown",
        "The archive holds no images, idx files or NumPy arrays; pack images as class/file, or upload a table as CSV.",
    )
