"""`ingest`: turn an upload, or a built-in data set, into arrays and a manifest."""

import errno
from typing import Any

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
from models.readers.source import Limits, ReadOptions, Source
from models.readers.split import carve, cut
from models.readers.writer import DatasetWriter, Description
from models.run import JobContext, Outcome

READERS = {
    "image-folder": image_folder.read,
    "mask-folder": mask_folder.read,
    "idx": idx.read,
    "csv": csv.read,
    "parquet": parquet.read,
    "npz": npz.read,
    "text-folder": texts.read_documents,
    "text-classes": texts.read_examples,
    "pairs": pairs.read,
    "conll": conll.read,
    "trees": trees.read,
    "series": series.read,
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
    if format not in READERS:
        raise UnknownName("format", format, ["auto", *READERS])
    return READERS[format](source, writer)


def _check_options(options: ReadOptions, description: Description) -> None:
    if options.classes is not None and description.task != "segmentation":
        raise JobError(
            "options_invalid", "`classes` names the classes of masks, and this upload has none; leave it out."
        )
    if options.of_series and description.modality != "series":
        raise JobError(
            "options_invalid",
            "`time`, `series`, `known_ahead` and `gaps` are for series, and this upload is none; leave them out.",
        )


def _summary(manifest: dict[str, Any]) -> str:
    counts = ", ".join(f"{split['count']:,} {name}" for name, split in manifest["splits"].items())
    return f"Read {counts} samples; skipped {manifest['skipped']['count']:,} entries."
