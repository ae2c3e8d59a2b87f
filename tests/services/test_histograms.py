"""Histograms that take many observations at once."""

import prometheus_client
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.histograms import Histogram

BUCKETS = (0.1, 0.25, 1.0)


@given(st.lists(st.floats(0, 2) | st.sampled_from([*BUCKETS, 0.0])))
def test_all_at_once_counts_as_one_after_the_other(amounts: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    Histogram("seconds", "Times.", ["of"], buckets=BUCKETS, registry=ours).labels("x").observe_all(amounts)
    one_by_one = prometheus_client.Histogram("seconds", "Times.", ["of"], buckets=BUCKETS, registry=theirs).labels("x")
    for amount in amounts:
        one_by_one.observe(amount)

    def samples(registry: CollectorRegistry) -> list[tuple[str, dict[str, str], float]]:
        return [
            (sample.name, sample.labels, round(sample.value, 9))
            for metric in registry.collect()
            for sample in metric.samples
            if not sample.name.endswith("_created")
        ]

    assert samples(ours) == samples(theirs)
