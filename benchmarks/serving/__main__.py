"""`python -m benchmarks.serving`: all of the serving benchmarks, on models that are trained once for all of them."""

import subprocess
import sys

from benchmarks.serving import options, recipes

PIECES = ("images", "tensors", "resnet", "generate", "names", "overload")


def main() -> None:
    """Run each in a process of its own."""
    chosen = options.parse(__doc__)
    with recipes.home(chosen.home) as home:
        arguments = ["--rounds", str(chosen.rounds), "--seconds", str(chosen.seconds), "--home", str(home)]
        for piece in PIECES:
            print(f"\n### {piece}\n", flush=True)
            subprocess.run([sys.executable, "-m", f"benchmarks.serving.{piece}", *arguments], check=True)


if __name__ == "__main__":
    main()
