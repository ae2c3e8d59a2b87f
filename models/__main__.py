"""`python -m models`: the catalogue's snapshot, and a summary of any architecture.

python -m models catalogue --write
python -m models catalogue --check
python -m models summary lenet --set dropout=0.1 --input 1,32,32 --classes 10
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from models.errors import JobError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 1 for a stale catalogue and 2 for a wrong request."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except JobError as error:
        print(error.detail, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models", description="The registry of architectures.")
    commands = parser.add_subparsers(required=True)
    catalogue = commands.add_parser("catalogue", help="the snapshot that the gateway reads")
    action = catalogue.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", action="store_true", help="write it")
    action.add_argument("--check", action="store_true", help="fail if it is stale")
    catalogue.set_defaults(command=_catalogue)
    summary = commands.add_parser("summary", help="layers, output shapes, parameters and multiply-adds")
    summary.add_argument("architecture")
    summary.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter; the value is JSON"
    )
    summary.add_argument("--input", type=_shape, default=(1, 28, 28), help="shape of an input, such as 1,28,28")
    summary.add_argument("--classes", type=int, default=10, help="size of the output")
    summary.set_defaults(command=_summary)
    return parser


def _catalogue(options: argparse.Namespace) -> int:
    from models import catalogue

    if options.write:
        catalogue.SNAPSHOT.write_text(catalogue.text(), encoding="utf-8")
        return 0
    if catalogue.is_fresh():
        return 0
    print("models/catalogue.json is stale: run `python -m models catalogue --write`", file=sys.stderr)
    return 1


def _summary(options: argparse.Namespace) -> int:
    import torch

    from models import registry, summary

    hyperparameters = dict(_setting(text) for text in options.set)
    config = registry.get(options.architecture).configure(hyperparameters)
    with torch.device("meta"):
        network = config.build(options.input, options.classes)
    print(summary.written(network, options.input))
    return 0


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(side) for side in text.split(","))


def _setting(text: str) -> tuple[str, Any]:
    """`dropout=0.1`; a value that is not JSON is text, so that `activation=tanh` needs no quotes."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
