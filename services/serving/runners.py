"""The threads that run batches, shared fairly by all networks.

A thread that has finished a batch takes the next one itself, without a turn of the event loop in between. Which
source is next goes round in turns, so that a busy model does not starve another.
"""

import asyncio
import threading
from collections.abc import Sequence
from typing import Protocol

import onnxruntime

from services.serving.batch import Run, Ticket, run
from services.serving.network import Network


class Source(Protocol):
    """Where batches come from."""

    network: Network
    rows_waiting: int

    def take(self) -> list[Ticket]:
        """The next batch; empty if nothing waits after all."""

    def deliver(self, tickets: Sequence[Ticket], outcome: Run) -> None:
        """Take back what a batch came to; called on the event loop."""


class Runners:
    """At most `slots` processors at work at once."""

    def __init__(self, slots: int, loop: asyncio.AbstractEventLoop) -> None:
        self.slots = slots
        self._loop = loop
        self._free = slots
        self._ready: dict[Source, None] = {}
        self._running: dict[Source, int] = {}
        self._num_endless = 0
        """Runs under way of graphs that may have no end."""
        self._change = threading.Condition()
        self._under_way: list[onnxruntime.RunOptions] = []
        self._threads: list[threading.Thread] = []
        self._closing = False

    def offer(self, source: Source) -> None:
        """Say that a source has something to run."""
        with self._change:
            self._ready[source] = None
            if len(self._threads) < self.slots:
                name = f"runner-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._change.notify()

    def stretch(self, source: Source) -> int:
        """By how much the others at work stretch the time of this one: how many there are, itself included."""
        if not self._running and not self._ready:  # as it is for networks that run on the event loop
            return 1
        with self._change:
            return len({source, *self._ready, *self._running})

    def close(self) -> None:
        """End the threads, and with them the runs under way: one of them may have no end of its own."""
        with self._change:
            self._closing = True
            for options in self._under_way:
                options.terminate = True
            self._change.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (source := self._next()) is not None:
            tickets = source.take()
            if source.rows_waiting:
                self.offer(source)
            if tickets:
                outcome = self._run(source, tickets)
                self._loop.call_soon_threadsafe(source.deliver, tickets, outcome)
            self._finish(source)

    def _run(self, source: Source, tickets: Sequence[Ticket]) -> Run:
        """Run a batch so that it ends when nobody waits for it any more."""
        options = source.network.new_options()
        for ticket in tickets:
            ticket.batch, ticket.options = tickets, options
        with self._change:
            self._under_way.append(options)
            # Whoever left before now did not know these options.
            if self._closing or all(ticket.is_over for ticket in tickets):
                options.terminate = True
        try:
            return run(source.network, tickets, options)
        finally:
            with self._change:
                self._under_way.remove(options)

    def _next(self) -> Source | None:
        with self._change:
            while True:
                if self._closing:
                    return None
                source = self._first_in_turn()
                # It waits for its processors; none behind it overtakes.
                if source is not None and source.network.threads <= self._free:
                    break
                self._change.wait()
            del self._ready[source]
            self._free -= source.network.threads
            self._running[source] = self._running.get(source, 0) + 1
            self._num_endless += not source.network.bounded
            return source

    def _first_in_turn(self) -> Source | None:
        """Of those that may run without an end, all but one have to wait where others need a processor too."""
        may_begin = self._num_endless < max(1, self.slots - 1)
        return next((source for source in self._ready if may_begin or source.network.bounded), None)

    def _finish(self, source: Source) -> None:
        with self._change:
            self._free += source.network.threads
            self._running[source] -= 1
            self._num_endless -= not source.network.bounded
            if not self._running[source]:
                del self._running[source]
            if source.rows_waiting:
                self._ready[source] = None
            self._change.notify_all()
