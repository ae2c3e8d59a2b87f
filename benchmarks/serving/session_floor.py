"""What the network alone allows: `session.run` over and over on all cores, and what decoding adds to it.

`python -m benchmarks.serving.session_floor FILE.onnx IMAGE [--seconds N]` prints one JSON object: images a second of
the best layout, which one that was, and the seconds that decoding one image takes. Layouts: as many threads
as cores with one thread an operator, or one with all of them; images one at a time, or eight.
"""

import argparse
import itertools
import json
import os
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.serving.peers.classifier import decode, session_options

BATCHES = (1, 8)
DECODINGS = 200


def images_per_second(onnx: Path, images: np.ndarray, num_callers: int, num_threads: int, seconds: float) -> float:
    """So many callers share one session, whose operators have so many threads."""
    session = onnxruntime.InferenceSession(onnx, session_options(num_threads), providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images}
    session.run(None, feed)
    counts = [0] * num_callers
    started_at = time.perf_counter()

    def call(caller: int) -> None:
        while time.perf_counter() - started_at < seconds:
            session.run(None, feed)
            counts[caller] += len(images)

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(num_callers)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return sum(counts) / (time.perf_counter() - started_at)


def decode_seconds(file: bytes, channels: int) -> float:
    """Mean time that decoding one image file takes on one core."""
    started_at = time.perf_counter()
    for _ in range(DECODINGS):
        decode(file, channels)
    return (time.perf_counter() - started_at) / DECODINGS


def main() -> None:
    """Print the best of the layouts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("onnx", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    file = options.image.read_bytes()
    image = decode(file, channels=3)
    cores = len(os.sched_getaffinity(0))
    rates = {}
    for (callers, threads), size in itertools.product(((cores, 1), (1, cores)), BATCHES):
        name = f"{callers} × `session.run` of {size}, {threads} thread{'s' * (threads > 1)} each"
        rates[name] = images_per_second(options.onnx, np.stack([image] * size), callers, threads, options.seconds)
    best = max(rates, key=lambda name: rates[name])
    decoding = decode_seconds(file, channels=3)
    print(json.dumps({"layout": best, "images_per_second": rates[best], "decode_seconds": decoding, "cores": cores}))


if __name__ == "__main__":
    main()
