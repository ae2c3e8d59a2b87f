"""Time from submitting a training job to its first optimizer step, on the warm embedded stack.

The floor is what no service of this design can avoid: two durable commits (the job row, the claim) and a
forked child. The figure is taken from the database's clock: creation of the job row to the row of its first
step's progress event, which includes writing that event. Run with `python -m benchmarks.submit_to_first_step`.
"""

import json
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.stack import Stack

RUNS = 25
BODY = {
    "kind": "train",
    "architecture": "lenet",
    "dataset": "digits",
    "training": {"epochs": 1, "device": "cpu"},
}


def first_step(stack: Stack) -> tuple[float, float]:
    """Submit one job; milliseconds to its first step by the database's clock and as its client sees it."""
    started_at = time.perf_counter()
    job = stack.submit({**BODY, "model": "bench"})
    with stack.http.stream("GET", f"/v1/jobs/{job['id']}/events") as answer:
        for line in answer.iter_lines():
            data = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if data.get("step"):
                seen = (time.perf_counter() - started_at) * 1000
                at = datetime.fromisoformat(data["at"]) - datetime.fromisoformat(job["created_at"])
                break
    stack.wait_for(job["id"])
    return at.total_seconds() * 1000, seen


def main() -> None:
    """Print the medians as a Markdown table."""
    with tempfile.TemporaryDirectory() as home, Stack(Path(home)) as stack:
        first_step(stack)
        times = [first_step(stack) for _ in range(RUNS)]
    print(f"| submit to first step, {RUNS} runs | median | min | max |\n|---|---|---|---|")
    for name, column in zip(("database's clock", "client's event stream"), zip(*times, strict=True), strict=True):
        print(f"| {name} | {statistics.median(column):.0f} ms | {min(column):.0f} ms | {max(column):.0f} ms |")


if __name__ == "__main__":
    main()
