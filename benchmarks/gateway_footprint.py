"""The gateway's start time and resident memory beside a FastAPI application that does nothing.

Start time is from the process's start to its first answer. Run with `python -m benchmarks.gateway_footprint`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

import httpx
import psutil

from tests.stack import free_port

RUNS = 7
FLOOR = (
    "import sys, uvicorn; from fastapi import FastAPI; app = FastAPI(); "
    "app.get('/health/live')(lambda: {}); uvicorn.run(app, port=int(sys.argv[1]), log_level='error')"
)


def measure(command: Sequence[str], environment: Mapping[str, str], port: int) -> tuple[float, float]:
    """Start one server; seconds to its first answer and MiB resident after it."""
    started_at = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not answers(port):
            time.sleep(0.005)
        seconds = time.perf_counter() - started_at
        time.sleep(0.5)
        return seconds, psutil.Process(process.pid).memory_info().rss / 2**20
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    """Whether the server is up."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live").is_success
    except httpx.TransportError:
        return False


def main() -> None:
    """Print the medians of paired runs as a Markdown table."""
    rows: dict[str, list[tuple[float, float]]] = {"FastAPI doing nothing": [], "gateway": []}
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "SYLLABUS_HOME": home}
        subprocess.run([sys.executable, "-m", "workers.init"], env=environment, check=True)
        for _ in range(RUNS):
            port = free_port()
            command = [sys.executable, "-c", FLOOR, str(port)]
            rows["FastAPI doing nothing"].append(measure(command, environment, port))
            port = free_port()
            command = [sys.executable, "-m", "api"]
            rows["gateway"].append(measure(command, {**environment, "SYLLABUS_PORT": str(port)}, port))
    print(f"| server, {RUNS} runs | start, median | resident, median |\n|---|---|---|")
    for name, runs in rows.items():
        seconds, mebibytes = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {seconds:.2f} s | {mebibytes:.0f} MiB |")


if __name__ == "__main__":
    main()
