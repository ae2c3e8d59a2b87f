"""`ingest`: turn an upload, or a built-in data set, into arrays and a manifest."""

import errno
from collections.abc import Callable
from typing import Any, NamedTuple

from models.errors import JobError, UnknownName
from models.readers import (
    builtin,
    conll,
    csv,
    idx,
    image_folder,
    mask_folder,
    npz,
    pairs,
    parquet,
    series,
    texts,
    trees,
)
from models.readers.detect import detect
from models.readers.source import UNLABELLED, Limits, ReadOptions, Source
from models.readers.split import carve, cut
from models.readers.writer import DatasetWriter, Description
from models.run import JobContext, Outcome


class Format(NamedTuple):
    """What reads uploads of a format, and the options that it heeds besides `task` and `split`."""

    read: Callable[[Source, DatasetWriter], Description]
    options: tuple[str, ...]


_IMAGES = (UNLABELLED, "image_size", "channels")
FORMATS = {
    "image-folder": Format(image_folder.read, _IMAGES),
    "mask-folder": Format(mask_folder.read, (*_IMAGES, "classes")),
    "idx": Format(idx.read, _IMAGES),
    "csv": Format(csv.read, ("target",)),
    "parquet": Format(parquet.read, ("target",)),
    "npz": Format(npz.read, (*_IMAGES, "classes")),
    "text-folder": Format(texts.read_documents, (UNLABELLED,)),
    "text-classes": Format(texts.read_examples, (UNLABELLED,)),
    "pairs": Format(pairs.read, ("target",)),
    "conll": Format(conll.read, ("target",)),
    "trees": Format(trees.read, ()),
    "series": Format(series.read, ("target", "time", "series", "known_ahead", "gaps")),
}


def run(context: JobContext) -> Outcome:
    """Ingest the data set that the request describes.

    The request is `{"dataset", "format", "builtin"?, "options"?}`; `options` are those of `ReadOptions`.

    Raises:
        JobError: the upload cannot be read or learned from; nothing of it is kept.
        Stopped: the user wishes to cancel or to pause; a resumed ingest begins anew.
    """
    try:
        return _ingest(context)
    except MemoryError:
        raise JobError(
            "memory_exhausted", "Reading the upload takes more memory than a job may use; upload less at once."
        ) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise JobError(
            "storage_full", "No room is left on the disk for the data set; make room and try again."
        ) from None


def _ingest(context: JobContext) -> Outcome:
    options = ReadOptions.parse(context.request.get("options") or {})
    with DatasetWriter(context.scratch / "dataset") as writer:
        description = _read(context, options, writer)
        _check_options(options, description)
        if description.is_in_order_of_time:
            cut(writer, options.fractions)
        else:
            carve(writer, options.fractions, stratified=description.has_row_classes)
        manifest = writer.finish(description)
    context.report.progress(1.0)
    context.report.log(_summary(manifest))
    result = {
        "dataset": context.request.get("dataset"),
        **{key: manifest[key] for key in ("modality", "task", "digest")},
    }
    result |= {"splits": manifest["splits"], "skipped": manifest["skipped"]}
    return Outcome(result=result, dataset=writer.directory, manifest=manifest)


def _read(context: JobContext, options: ReadOptions, writer: DatasetWriter) -> Description:
    limits = Limits.of(context.limits)
    format = context.request.get("format", "auto")
    upload = context.upload or context.scratch
    source = Source(upload, options, limits, context.scratch, context.report, context.decode_image, context.fit_image)
    if format == "builtin":
        return builtin.read(source, writer, context.request["builtin"])
    if format == "auto":
        format = detect(upload, limits, options)
        context.report.log(f"The upload is of the format {format}.")
    if format == "image-folder" and options.task == "segmentation":
        format = "mask-folder"
    if format not in FORMATS:
        raise UnknownName("format", format, ["auto", *FORMATS])
    reader = FORMATS[format]
    options.check_heeded(format, reader.options)
    return reader.read(source, writer)


def _check_options(options: ReadOptions, description: Description) -> None:
    if options.classes is not None and description.task != "segmentation":
        raise JobError(
            "options_invalid", "`classes` names the classes of masks, and this upload has none; leave it out."
        )
    if (options.image_size or options.channels) and description.modality != "image":
        raise JobError(
            "options_invalid", "`image_size` and `channels` are for images, and this upload has none; leave them out."
        )


def _summary(manifest: dict[str, Any]) -> str:
    counts = ", ".join(f"{split['count']:,} {name}" for name, split in manifest["splits"].items())
    return f"Read {counts} samples; skipped {manifest['skipped']['count']:,} entries."
