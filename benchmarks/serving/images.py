"""LeNet from a 28×28 grey PNG: one gateway process beside floors and other servers, all on the same file.

Every server answers the label and all ten probabilities, with one thread of ONNX Runtime. Run with
`python -m benchmarks.serving.images [--rounds N] [--seconds N] [--home DIR] [--only NAME ...]`.
"""

from benchmarks.serving import contenders, options, recipes, turns
from benchmarks.serving.wrk import Post

CONNECTIONS = (1, 32)


def main() -> None:
    """Print a table for each number of connections."""
    chosen = options.parse(__doc__, [peer.name for peer in contenders.PEERS])
    with recipes.home(chosen.home) as home:
        trained = recipes.lenet(home)
        image = Post("", recipes.png(), {"Content-Type": "image/png"})
        print(f"LeNet, a PNG of {len(image.body)} bytes")
        turns.compare(
            contenders.ours(trained, image),
            contenders.others(trained, image, chosen.only),
            recipes.expected(trained, image.body),
            CONNECTIONS,
            chosen.rounds,
            chosen.seconds,
        )


if __name__ == "__main__":
    main()
