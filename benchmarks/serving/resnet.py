"""ResNet-18 at 224×224×3 from JPEG with 32 connections: the gateway beside `session.run` alone, and its int8 variant.

The floor has the network's time and the decoding's, and nothing for HTTP, waiting or the load itself, all of which
share its cores. Run with `python -m benchmarks.serving.resnet [--rounds N] [--seconds N] [--home DIR]`.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from benchmarks.serving import contenders, gateway, options, recipes, turns
from benchmarks.serving.contenders import Contender
from benchmarks.serving.gateway import Trained
from benchmarks.serving.wrk import Load, Post

CONNECTIONS = 32
ALONE, FLOAT, INT8 = "`session.run` alone, decoding taken off", "Syllabus", "Syllabus, int8"


def floor(trained: Trained, image: bytes, seconds: int) -> dict[str, Any]:
    """What `session_floor` finds, in a process of its own, and `requests_per_second` with decoding taken off."""
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(image)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.serving.session_floor", str(trained.onnx), file.name]
        command += ["--seconds", str(seconds)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(printed)
    core_seconds = found["cores"] / found["images_per_second"] + found["decode_seconds"]
    return {**found, "requests_per_second": found["cores"] / core_seconds}


def variant(trained: Trained, image: Post, name: str) -> Contender:
    """The gateway, asked for a variant; how far its probabilities may be off is for the optimize job to say."""
    post = Post(gateway.predict_path(trained, variant=name), image.body, image.headers)
    return Contender(f"Syllabus, {name}", contenders.gateway_launch(trained), post, None)


def main() -> None:
    """Print the rates, their ratios, and the accuracies from the optimize job's report."""
    chosen = options.parse(__doc__)
    with recipes.home(chosen.home) as home:
        trained = recipes.resnet(home)
        image = Post("", recipes.jpeg(), {"Content-Type": "image/jpeg"})
        expected = recipes.expected(trained, image.body)
        floors: list[dict[str, Any]] = []
        contestants = {FLOAT: contenders.ours(trained, image)}
        if int8_result(trained)["accepted"]:
            contestants[INT8] = variant(trained, image, "int8")
        loads: dict[str, list[Load]] = {name: [] for name in contestants}
        for number in range(chosen.rounds):
            names = [ALONE, *contestants]
            for name in names if number % 2 == 0 else reversed(names):
                print(f"Round {number + 1}: {name}", file=sys.stderr)
                if name == ALONE:
                    floors.append(floor(trained, image.body, chosen.seconds))
                else:
                    found = turns.measure(contestants[name], expected, [CONNECTIONS], chosen.seconds)
                    loads[name].append(found[CONNECTIONS])
        print(f"ResNet-18, a JPEG of {len(image.body)} bytes, {CONNECTIONS} connections, {chosen.rounds} rounds\n")
        _print(floors, loads)
        _print_accuracy(int8_result(trained))


def int8_result(trained: Trained) -> dict[str, Any]:
    """What the optimize job says of the int8 variant."""
    assert trained.optimization is not None
    return next(each for each in trained.optimization["variants"] if each["name"] == "int8")


def _print(floors: Sequence[dict[str, Any]], loads: dict[str, list[Load]]) -> None:
    alone, ours = [each["requests_per_second"] for each in floors], turns.rates(loads[FLOAT])
    print("| | images/s | p50, ms | p99, ms | errors | to the floor | to float |\n|---|---|---|---|---|---|---|")
    print(f"| {ALONE} | {statistics.median(alone):.0f} | | | | | |")
    for name, runs in loads.items():
        to_float = turns.ratio(turns.rates(runs), ours) if name != FLOAT else ""
        print(f"{turns.row(name, runs)} {turns.ratio(turns.rates(runs), alone)} | {to_float} |")
    layouts = " or ".join(sorted({each["layout"] for each in floors}))
    raw = statistics.median(each["images_per_second"] for each in floors)
    decoding = statistics.median(each["decode_seconds"] for each in floors) * 1000
    print(f"\nThe floor: {raw:.1f} images/s by {layouts}; decoding one takes {decoding:.2f} ms of a core.")


def _print_accuracy(int8: dict[str, Any]) -> None:
    if not int8["accepted"]:
        print(f"\nThe int8 variant was refused: {int8['reason']}")
    if int8["report"] is not None:
        metrics = int8["report"]["metrics"]
        values = {name: metrics[name][metrics["main"]] for name in ("original", "variant")}
        print(
            f"\n{metrics['main'].capitalize()} on the {metrics['split']} rows: float {values['original']:.4f}, "
            f"int8 {values['variant']:.4f} (loss {metrics['loss']:.4f})."
        )


if __name__ == "__main__":
    main()
