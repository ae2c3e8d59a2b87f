"""Can anything be learned from the data, and will the test be a test?

Rows that are held out and were learned from all the same, columns that say nothing, values far from all others,
classes with next to no rows.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.finding import Finding, Verdict, above, worst
from models.diagnosis.subject import Subject, named
from models.splits import Parts

Array = NDArray[Any]
SOME_SHARED, MANY_SHARED = 0.01, 0.05
"""Share of a held-out split's rows that are among the training rows."""
UNEVEN, VERY_UNEVEN = 10.0, 100.0
"""Rows of the largest class for each row of the smallest."""
FAR_OUT = 30.0
"""Standard deviations of a column, beyond which a value takes away the scale of all others."""
MOSTLY_MISSING = 0.5
_CHUNK_ROWS = 4096


class Fault(NamedTuple):
    """One thing that is wrong with the data."""

    verdict: Verdict
    detail: str
    remedy: str


def check(subject: Subject) -> Finding:
    """Look at every row once."""
    dataset = subject.dataset
    parts = dataset.rows(subject.plan.settings.split)
    shared, numbers = _duplicates(subject, parts)
    counts = _class_counts(subject)
    columns = _columns(subject) if dataset.modality == "tabular" else {}
    numbers |= {"rows": {name: len(rows) for name, (_, rows) in parts.items()}, "class_counts": counts, **columns}
    faults = [*shared, *_uneven(counts), *_told_of(columns)]
    if dataset.modality == "image" and (alike := _constant_images(subject)):
        numbers["constant_images"] = alike
        share = alike / len(subject.train)
        faults.append(
            Fault(above(share, 0.01, 0.5), f"{alike} training images are of one colour", "remove empty images")
        )
    faults = [fault for fault in faults if fault.verdict != "good"]
    if not faults:
        return Finding("good", "No row is in two splits, and nothing is amiss with columns or classes.", numbers)
    detail = "; ".join(fault.detail for fault in faults)
    remedies = tuple(dict.fromkeys(fault.remedy for fault in faults))
    return Finding(worst(fault.verdict for fault in faults), f"{detail}.", numbers, remedies)


def _duplicates(subject: Subject, parts: Parts) -> tuple[list[Fault], dict[str, Any]]:
    """Held-out rows whose inputs are to the bit those of a training row, and equal inputs of different targets."""
    learned = _by_input(subject, *parts["train"])
    disagreeing = sum(len(targets) > 1 for targets in learned.values())
    faults, shared = [], {}
    for name, (source, rows) in parts.items():
        if name != "train":
            shared[name] = sum(digest in learned for digest in _digests(subject, source, rows))
            text = f"{shared[name]} of {len(rows)} {name} rows are among the training rows"
            verdict = above(shared[name] / len(rows), SOME_SHARED, MANY_SHARED) if shared[name] > 1 else "good"
            faults.append(Fault(verdict, text, "remove the duplicates before the data is divided"))
    total = len(parts["train"][1])
    if subject.task.name == "classification" and disagreeing:
        text = f"{disagreeing} inputs occur with different labels"
        faults.append(Fault(above(disagreeing / total, 0.01, 0.1), text, "correct the labels of equal inputs"))
    return faults, {"shared": shared, "repeated": total - len(learned), "disagreeing": disagreeing}


def _by_input(subject: Subject, source: str, rows: Array) -> dict[bytes, set[bytes]]:
    """For each different input, the different targets that it has."""
    targets = subject.dataset.targets(source)
    found: dict[bytes, set[bytes]] = {}
    for digest, row in zip(_digests(subject, source, rows), rows, strict=True):
        found.setdefault(digest, set()).add(b"" if targets is None else np.asarray(targets[row]).tobytes()[:64])
    return found


def _digests(subject: Subject, source: str, rows: Array) -> Iterator[bytes]:
    """A fingerprint of each row's input."""
    inputs = subject.dataset.stored(source)
    for row in rows:
        yield blake2b(np.ascontiguousarray(inputs[row]).tobytes(), digest_size=16).digest()


def _class_counts(subject: Subject) -> dict[str, int] | None:
    if subject.task.name != "classification":
        return None
    labels = subject.dataset.labels or []
    counts = np.bincount(subject.train.targets.cpu().numpy(), minlength=len(labels))
    return dict(zip(labels, counts.tolist(), strict=True))


def _uneven(counts: dict[str, int] | None) -> Iterator[Fault]:
    if counts is None:
        return
    remedy = "collect rows of the rare classes, and judge by averages over classes rather than by accuracy"
    missing = [label for label, count in counts.items() if count == 0]
    if missing:
        yield Fault("bad", f"no training row is of {named(missing)}", remedy)
        return
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[most] / counts[least]
    text = f"{most} has {counts[most]} training rows and {least} {counts[least]}"
    yield Fault(above(ratio, UNEVEN, VERY_UNEVEN), text, remedy)


def _columns(subject: Subject) -> dict[str, Any]:
    """Of the training rows: columns without variation, mostly missing ones, and the farthest value of each other."""
    columns = subject.dataset.input["columns"]
    values = np.concatenate([batch.inputs.cpu().numpy() for batch in subject.train.batches(_CHUNK_ROWS)]).astype(
        np.float64
    )
    names = [column["name"] for column in columns]
    constant, missing, far_out = [], {}, {}
    for name, column, each in zip(names, columns, values.T, strict=True):
        known = each[np.isfinite(each)]
        if (share := 1 - len(known) / len(each)) > MOSTLY_MISSING:
            missing[name] = share
        if len(known) == 0 or np.ptp(known) == 0:
            constant.append(name)
        elif column["kind"] == "numeric":
            distance = float(np.abs(known - known.mean()).max() / known.std())
            if distance > FAR_OUT:
                far_out[name] = distance
    return {"constant": constant, "missing": missing, "far_out": far_out}


def _told_of(columns: dict[str, Any]) -> Iterator[Fault]:
    if not columns:
        return
    if columns["constant"]:
        yield Fault(
            "suspicious", f"the same in every row: {named(columns['constant'])}", "leave out columns that say nothing"
        )
    if columns["missing"]:
        yield Fault(
            "suspicious", f"mostly missing: {named(list(columns['missing']))}", "complete or leave out these columns"
        )
    if columns["far_out"]:
        written = [f"{name} ({distance:.0f} standard deviations)" for name, distance in columns["far_out"].items()]
        yield Fault(
            "suspicious", f"far from all others: a value of {named(written)}", "take the logarithm, or remove outliers"
        )


def _constant_images(subject: Subject) -> int:
    """How many training images have pixels that are all alike."""
    count = 0
    for batch in subject.train.batches(_CHUNK_ROWS):
        pixels = batch.inputs.flatten(1)
        count += int((pixels.amax(dim=1) == pixels.amin(dim=1)).sum())
    return count
