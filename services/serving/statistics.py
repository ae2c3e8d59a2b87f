"""Triton's statistics extension, told from the same counters that Prometheus scrapes.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from prometheus_client import Metric

from services.serving.metrics import MODEL

PREFIX = "syllabus_model_"
LAST = "last_batch_seconds"
ANSWERED, ANSWER_SECONDS = "request_seconds_count", "request_seconds_sum"
QUEUED, QUEUE_SECONDS = "queue_seconds_count", "queue_seconds_sum"
RUNS, ROWS = "batch_rows_count", "batch_rows_sum"
BATCHES, BATCH_SECONDS, SHARED_SECONDS = "batches_total", "batch_seconds_total", "shared_seconds_total"
SAMPLES = frozenset(
    PREFIX + name
    for name in (
        *(LAST, ANSWERED, ANSWER_SECONDS, QUEUED, QUEUE_SECONDS, RUNS, ROWS),
        *(BATCHES, BATCH_SECONDS, SHARED_SECONDS),
    )
)
"""The names of the samples that are read; all others are passed over."""
PHASES = {"compute_input": "input", "compute_infer": "infer", "compute_output": "output"}
"""The parts of a run by their names in the protocol, and as `services.serving.metrics` labels them."""
OK = "200"

Version = tuple[str, str]
"""A model's name and the number of a version."""
Numbers = defaultdict[tuple[str, ...], float]
"""Of one version: by the name of a sample and the values of its labels, in the order of the labels' names."""


def documents(families: Iterable[Metric], versions: Iterable[Version]) -> list[dict[str, Any]]:
    """The `model_stats` of these versions in their order; all is 0 for one that was never called.

    `families` are what a collector gives: that of one process's registry, or `MultiProcessCollector`, which adds up
    those of all processes. The variants and graphs of a version are added up here. The last of the batch sizes stands
    for it and all larger ones, where they are that large (`services.serving.metrics.ROWS`).
    """
    counted = _count(families)
    return [_document(name, number, counted[name, number]) for name, number in versions]


def _count(families: Iterable[Metric]) -> defaultdict[Version, Numbers]:
    counted: defaultdict[Version, Numbers] = defaultdict(lambda: defaultdict(float))
    for sample in (sample for family in families for sample in family.samples if sample.name in SAMPLES):
        name = sample.name.removeprefix(PREFIX)
        key = (name, *(value for label, value in sorted(sample.labels.items()) if label not in MODEL))
        numbers = counted[sample.labels["model"], sample.labels["version"]]
        numbers[key] = max(numbers[key], sample.value) if name == LAST else numbers[key] + sample.value
    return counted


def _document(name: str, number: str, numbers: Numbers) -> dict[str, Any]:
    batches = {rows: count for (sample, *labels), count in numbers.items() if sample == BATCHES for rows in labels}
    answered, seconds = _sum(numbers, ANSWERED), _sum(numbers, ANSWER_SECONDS)
    succeeded, success_seconds = numbers[ANSWERED, OK], numbers[ANSWER_SECONDS, OK]
    requests = numbers[QUEUED,]
    return {
        "name": name,
        "version": number,
        "last_inference": round(numbers[LAST,] * 1000),
        "inference_count": round(numbers[ROWS,]),
        "execution_count": round(numbers[RUNS,]),
        "inference_stats": {
            "success": _duration(succeeded, success_seconds),
            "fail": _duration(answered - succeeded, seconds - success_seconds),
            "queue": _duration(requests, numbers[QUEUE_SECONDS,]),
            # The protocol counts the time of a run once for every request that was part of it.
            **{
                stage: _duration(requests, _sum(numbers, BATCH_SECONDS, phase) + _sum(numbers, SHARED_SECONDS, phase))
                for stage, phase in PHASES.items()
            },
            "cache_hit": _duration(0, 0),
            "cache_miss": _duration(0, 0),
        },
        "batch_stats": [
            {
                "batch_size": int(rows),
                **{
                    stage: _duration(batches[rows], numbers[BATCH_SECONDS, phase, rows])
                    for stage, phase in PHASES.items()
                },
            }
            for rows in sorted(batches, key=int)
        ],
    }


def _sum(numbers: Numbers, *beginning: str) -> float:
    """The sum over all labels that follow this beginning of a key."""
    return sum(value for key, value in numbers.items() if key[: len(beginning)] == beginning)


def _duration(count: float, seconds: float) -> dict[str, int]:
    return {"count": round(count), "ns": round(seconds * 1e9)}
