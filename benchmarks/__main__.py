"""`python -m benchmarks`: every benchmark, one after another, each in a process of its own."""

import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run them all; the tables they print are what `docs/benchmarks.md` records."""
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        print(f"\n## {path.stem}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=True)


if __name__ == "__main__":
    main()
