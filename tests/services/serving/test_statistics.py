"""Statistics out of counters, of one process and of several."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from services.serving.batch import Run
from services.serving.metrics import ServingMetrics
from services.serving.statistics import SAMPLES, documents

RUN = Run([], 0.0, assemble_seconds=0.001, run_seconds=0.02, split_seconds=0.003, is_clean=True)
# What every process of the test below counts.
CHILD = """
from prometheus_client import CollectorRegistry
from services.serving.batch import Run
from services.serving.metrics import ServingMetrics

counted = ServingMetrics(CollectorRegistry()).of("m", 1, "")
counted.batch(4, Run([], 0.0, 0.001, 0.02, 0.003, True), [0.25, 0.5])
counted.answered(200, [1.0])
counted.answered(429, [0.125])
"""


def duration(count: int, ns: int) -> dict[str, int]:
    return {"count": count, "ns": ns}


def only(families: Iterable[Metric], name: str = "m", version: str = "1") -> dict[str, Any]:
    (document,) = documents(families, [(name, version)])
    return document


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_what_was_never_called_is_all_zero(registry: CollectorRegistry) -> None:
    ServingMetrics(registry).of("other", 1, "")
    nothing = duration(0, 0)
    parts = ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"]
    assert only(registry.collect()) == {
        "name": "m",
        "version": "1",
        "last_inference": 0,
        "inference_count": 0,
        "execution_count": 0,
        "inference_stats": {part: nothing for part in parts},
        "batch_stats": [],
    }


def test_answers_are_told_apart_by_their_status(registry: CollectorRegistry) -> None:
    counted = ServingMetrics(registry).of("m", 1, "")
    for status, seconds in ((200, 0.5), (200, 0.25), (400, 0.125), (504, 2.0)):
        counted.answered(status, [seconds])
    stats = only(registry.collect())["inference_stats"]
    assert stats["success"] == duration(2, 750_000_000)
    assert stats["fail"] == duration(2, 2_125_000_000)


def test_a_run_counts_once_a_batch_size_and_once_a_request(registry: CollectorRegistry) -> None:
    counted = ServingMetrics(registry).of("m", 1, "")
    counted.batch(1, RUN, [0.5])
    counted.batch(16, RUN, [0.25, 0.25, 0.5])
    document = only(registry.collect())
    assert (document["inference_count"], document["execution_count"]) == (17, 2)
    assert document["last_inference"] > 1.6e12
    stats = document["inference_stats"]
    assert stats["queue"] == duration(4, 1_500_000_000)
    assert stats["compute_input"] == duration(4, 4_000_000)
    assert stats["compute_infer"] == duration(4, 80_000_000)
    assert stats["compute_output"] == duration(4, 12_000_000)
    once = {
        "compute_input": duration(1, 1_000_000),
        "compute_infer": duration(1, 20_000_000),
        "compute_output": duration(1, 3_000_000),
    }
    assert document["batch_stats"] == [{"batch_size": 1, **once}, {"batch_size": 16, **once}]


def test_batches_of_every_large_size_make_one_series(registry: CollectorRegistry) -> None:
    counted = ServingMetrics(registry).of("m", 1, "")
    for rows in (1024, 5000, 70_000):
        counted.batch(rows, RUN, [0.5])
    document = only(registry.collect())
    assert (document["inference_count"], document["execution_count"]) == (76_024, 3)
    assert [each["batch_size"] for each in document["batch_stats"]] == [1024]
    assert document["batch_stats"][0]["compute_infer"] == duration(3, 60_000_000)


def test_variants_are_added_up_and_versions_are_not(registry: CollectorRegistry) -> None:
    metrics = ServingMetrics(registry)
    for version, variant in ((1, ""), (1, "int8"), (2, "")):
        metrics.of("m", version, variant).batch(2, RUN, [0.5])
    first, second = documents(registry.collect(), [("m", "1"), ("m", "2")])
    assert (first["execution_count"], second["execution_count"]) == (2, 1)
    assert first["batch_stats"][0]["compute_infer"] == duration(2, 40_000_000)


def test_the_named_samples_are_enough(registry: CollectorRegistry) -> None:
    counted = ServingMetrics(registry).of("m", 1, "")
    counted.batch(2, RUN, [0.5, 0.5])
    counted.answered(200, [1.0])
    restricted = list(registry.restricted_registry(SAMPLES).collect())
    assert {sample.name for family in restricted for sample in family.samples} == SAMPLES
    assert only(restricted) == only(registry.collect())


def test_several_processes_are_added_up(tmp_path: Path) -> None:
    variables = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", CHILD], env=variables, check=True, timeout=60)
    collector = MultiProcessCollector(None, str(tmp_path))  # type: ignore[no-untyped-call]
    document = only(collector.collect())  # type: ignore[no-untyped-call]
    assert (document["inference_count"], document["execution_count"]) == (8, 2)
    assert document["last_inference"] > 1.6e12
    stats = document["inference_stats"]
    assert stats["success"] == duration(2, 2_000_000_000)
    assert stats["fail"] == duration(2, 250_000_000)
    assert stats["queue"] == duration(4, 1_500_000_000)
    assert stats["compute_infer"] == duration(4, 80_000_000)
    assert [each["batch_size"] for each in document["batch_stats"]] == [4]
