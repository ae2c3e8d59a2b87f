"""`python -m benchmarks`: every benchmark, one after another, each in a process of its own."""

import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run them all; the tables they print are what `docs/benchmarks.md` records."""
    names = [path.stem for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))]
    for name in [*names, "serving"]:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
