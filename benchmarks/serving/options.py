"""The options that every piece of the serving benchmarks takes."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.serving import fashion_mnist, wrk


def parse(
    description: str | None, names: Sequence[str] = (), lacking: Callable[[], str | None] = fashion_mnist.missing
) -> argparse.Namespace:
    """`rounds`, `seconds`, `home` and, out of `names`, `only`. `lacking` says what to do where data are not there.

    Where something needed is missing, this says so and exits with 0.
    """
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="paired runs of each comparison")
    parser.add_argument("--seconds", type=int, default=5, help="length of one run under load")
    parser.add_argument("--home", type=Path, help="directory where trained models stay for the next run")
    if names:
        parser.add_argument("--only", nargs="*", choices=names, default=names, help="servers to compare with")
    options = parser.parse_args()
    if missing := [each for each in (wrk.missing(), lacking()) if each]:
        print("Not measured. " + " ".join(missing))
        sys.exit(0)
    return options
