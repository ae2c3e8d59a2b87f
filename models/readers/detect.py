"""`auto`: which format an upload has, by its bytes and by the names of the files in it; its own is not looked at."""

from pathlib import Path

from models.errors import JobError
from models.readers import idx, image_files, mask_folder, npz, parquet, texts
from models.readers.archive import GZIP_MAGIC, is_archive, walk
from models.readers.layout import arrange
from models.readers.sniffing import is_series, text_format
from models.readers.source import Limits, ReadOptions
from models.readers.text_files import side_reason

HEAD_BYTES = 4096
UNREADABLE = {
    b"BZh": "compressed with bzip2; use zip or tar.gz",
    b"\xfd7zXZ\0": "compressed with xz; use zip or tar.gz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; use zip or tar.gz",
    b"7z\xbc\xaf": "a 7z archive; use zip or tar.gz",
    b"Rar!": "a RAR archive; use zip or tar.gz",
    b"\x89HDF": "an HDF5 file; save the arrays with numpy.savez",
    npz.NPY_MAGIC: "a single array; save inputs and targets with numpy.savez",
    **{magic: "a single image; pack images as class/file into a zip or tar" for magic in image_files.IMAGE_MAGICS},
}


def detect(path: Path, limits: Limits, options: ReadOptions) -> str:
    """The name of the format.

    Raises:
        JobError: `format_unknown`, `format_unsupported`; and those of `walk`.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise JobError("format_unknown", "The upload is empty; send the file as the body.")
    if head.startswith(parquet.MAGIC):
        return "parquet"
    for magic, what in UNREADABLE.items():
        if head.startswith(magic):
            raise JobError("format_unsupported", f"The upload is {what}.")
    if is_archive(head):
        return _detect_in_archive(path, limits)
    if idx.is_idx(head):
        raise JobError("format_unsupported", f"The upload is a single idx file; pack {idx.EXPECTED} into a zip or tar.")
    if head.startswith(GZIP_MAGIC):
        raise JobError(
            "format_unsupported",
            "The upload is a gzip file but not a tar.gz; send a table or text uncompressed, files as zip or tar.",
        )
    if options.task == "forecasting" or (options.task is None and (options.of_series or is_series(head))):
        return "series"
    return (text_format(head) if options.task in (None, "classification", "tagging", "translation") else None) or "csv"


def _detect_in_archive(path: Path, limits: Limits) -> str:
    """By the first entry that tells. Images in a folder `images` may have masks beside them, which come later; what
    text files are for, all of them tell.
    """
    trees: set[str] = set()
    texts_found: dict[str, str | None] = {}
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
        elif side_reason(entry.name) is None and b"\0" not in entry.head:
            texts_found[entry.name] = text_format(entry.head)
    if trees:
        return "image-folder"
    format = _text_format(texts_found)
    if format is None:
        raise JobError(
            "format_unknown",
            "The archive holds no images, idx files, NumPy arrays or texts; pack images as class/file, texts as"
            " class/file.txt or class.txt, or upload a table as CSV.",
        )
    return format


def _text_format(found: dict[str, str | None]) -> str | None:
    """What all files look like; else documents, if text files lie in folders of classes, or examples of classes."""
    looks = set(found.values())
    if len(looks) == 1 and None not in looks:
        return looks.pop()
    names = [name for name in found if name.lower().endswith(texts.SUFFIX)]
    if not names:
        return None
    return "text-folder" if len(arrange(names).classes or ()) > 1 else "text-classes"
