"""Dynamic batching: requests that wait for one network with one shape of input.

Nothing polls and nothing waits for company: a batch is taken the moment something is free to run it, and is made
of what has come by then. What arrives in one turn of the event loop, or while a batch runs, forms the next one.
"""

import asyncio
import heapq
import math
import threading
import time
from collections.abc import Sequence

from services.errors import TooManyRequests
from services.serving.batch import Done, Run, Ticket, run
from services.serving.memory import QueueMemory
from services.serving.metrics import ModelMetrics
from services.serving.network import Feeds, Network
from services.serving.runners import Runners
from services.serving.service_times import ServiceTimes

INLINE_SECONDS = 1e-3
"""Batches that are known to take no longer run on the event loop: handing them to a thread would take longer."""
MARGIN = 1.25
"""By how much the predicted time to an answer is stretched before it is held against the deadline."""


class Batcher:
    """The queue of one network for one shape. `submit` is for the event loop; `take` is for any thread."""

    def __init__(
        self,
        network: Network,
        times: ServiceTimes,
        runners: Runners,
        metrics: ModelMetrics,
        memory: QueueMemory,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.network = network
        self.times = times
        self._runners = runners
        self._metrics = metrics
        self._memory = memory
        self._loop = loop
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, float, int, Ticket]] = []
        self._count = 0
        self._planned = False
        self._on_threads = not network.runs_inline
        """Whether batches go to the runners; what is queued for them has an alarm, before one of them can take it."""
        self.rows_waiting = 0
        self.rows_running = 0
        self.rows_expected = 0
        """Rows that were admitted and are still being decoded."""

    @property
    def num_rows(self) -> int:
        """Rows that wait, run or are on their way."""
        return self.rows_waiting + self.rows_running + self.rows_expected

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, runs or is on its way."""
        return not self.num_rows

    def admit(self, rows: int, deadline: float) -> None:
        """Raise `TooManyRequests` if by all that is known so many rows cannot be answered in time."""
        seconds = self.num_rows * self.times.recent_per_row
        if seconds <= INLINE_SECONDS:
            return
        wait = self._runners.stretch(self) * seconds / self.network.concurrency
        finish = time.monotonic() + MARGIN * (wait + self.times.recent_per_row * rows)
        if finish > deadline:
            detail = "The queue is too long to answer within the deadline; try again later or allow more time."
            raise TooManyRequests("overloaded", detail, max(1, math.ceil(wait)))

    def submit(self, feeds: Feeds, rows: int, num_bytes: int, deadline: float, priority: int, done: Done) -> Ticket:
        """Queue one request: first by priority (1 comes first), then by deadline. Raises `TooManyRequests`.

        `done` is called on the event loop, with an answer or an error.
        """
        self.admit(rows, deadline)
        self._memory.take(num_bytes)
        ticket = Ticket(feeds, rows, num_bytes, deadline, time.monotonic(), done, self._drop)
        if self._on_threads:
            ticket.watch(self._loop)
        with self._lock:
            self._count += 1
            heapq.heappush(self._waiting, (priority, deadline, self._count, ticket))
            self.rows_waiting += rows
        if not self._planned:
            self._planned = True
            self._loop.call_soon(self._dispatch)
        return ticket

    def _drop(self, ticket: Ticket) -> None:
        """Free the inputs of one that is over before its turn; its place in the queue is passed over."""
        with self._lock:
            if ticket.is_taken:
                return
            num_bytes, ticket.num_bytes, ticket.feeds = ticket.num_bytes, 0, {}
        self._memory.give_back(num_bytes)

    def _dispatch(self) -> None:
        """Run of what waits as much as is quick here and now, else offer it to the runners."""
        self._planned = False
        size = self._inline_size(INLINE_SECONDS)
        if size is None:
            if not self._on_threads:
                self._on_threads = True
                with self._lock:
                    for *_, ticket in self._waiting:
                        ticket.watch(self._loop)
            self._runners.offer(self)
            return
        self._on_threads = False
        ends_at = time.monotonic() + INLINE_SECONDS
        while size is not None and (tickets := self.take(size)):
            self.deliver(tickets, run(self.network, tickets, None))
            size = self._inline_size(ends_at - time.monotonic())
        if self._waiting:  # in the next turn of the loop, so that other work has its turn too
            self._planned = True
            self._loop.call_soon(self._dispatch)

    def _inline_size(self, seconds: float) -> int | None:
        """How many rows to run here and now; None if that would hold up the event loop for longer."""
        if not self.network.runs_inline or not self._waiting:
            return None
        rows = self._waiting[0][3].rows
        predicted = self.times.seconds(rows)
        if (rows > 1 or not self.network.joins) and (predicted is None or predicted > seconds):
            return None
        return self.times.choose_within(self.rows_waiting, seconds) if self.network.joins else rows

    def take(self, size: int | None = None) -> list[Ticket]:
        """The next batch, of the best size unless one is given, without what was cancelled or expired."""
        tickets: list[Ticket] = []
        rows = 0
        now = time.monotonic()
        with self._lock:
            size = size or self.times.choose(max(1, self.rows_waiting))
            least = self.times.seconds(1) or 0.0
            while self._waiting:
                ticket = self._waiting[0][3]
                if tickets and (rows + ticket.rows > size or not self.network.joins):
                    break
                heapq.heappop(self._waiting)
                self.rows_waiting -= ticket.rows
                ticket.is_taken = True
                if ticket.is_over:
                    self._loop.call_soon_threadsafe(self._memory.give_back, ticket.num_bytes)
                    continue
                # Who cannot be answered in time makes room for those behind; alone, one is tried all the same.
                if ticket.deadline < now + (least if self._waiting else 0.0):
                    self._loop.call_soon_threadsafe(self._memory.give_back, ticket.num_bytes)
                    self._loop.call_soon_threadsafe(ticket.expire)
                    continue
                tickets.append(ticket)
                rows += ticket.rows
            self.rows_running += rows
        return tickets

    def deliver(self, tickets: Sequence[Ticket], outcome: Run) -> None:
        """Hand the results of a batch to those who wait for them; on the event loop."""
        rows = sum([ticket.rows for ticket in tickets])
        with self._lock:
            self.rows_running -= rows
        self._memory.give_back(sum([ticket.num_bytes for ticket in tickets]))
        if outcome.is_clean:
            self.times.record(rows, outcome.assemble_seconds + outcome.run_seconds + outcome.split_seconds)
            self._metrics.batch(rows, outcome, [outcome.started_at - ticket.submitted_at for ticket in tickets])
        for ticket, result in zip(tickets, outcome.results, strict=True):
            ticket.finish(result)
