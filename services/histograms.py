"""Prometheus histograms that take many observations at once."""

from bisect import bisect_left
from collections.abc import Iterable

import prometheus_client


class Histogram(prometheus_client.Histogram):
    """prometheus_client's own, which spends microseconds on each observation (locks, a walk over the buckets)."""

    def observe_all(self, amounts: Iterable[float]) -> None:
        """Observe each of these amounts; every bucket is touched once."""
        bounds = self._upper_bounds
        counts: dict[int, int] = {}
        total = 0.0
        for amount in amounts:
            place = bisect_left(bounds, amount)
            counts[place] = counts.get(place, 0) + 1
            total += amount
        self._sum.inc(total)
        for place, count in counts.items():
            self._buckets[place].inc(count)
