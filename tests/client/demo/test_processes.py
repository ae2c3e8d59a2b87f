"""Grandchildren are waited for, and killed when they overstay."""

import subprocess
import sys

import pytest

# The child ends at once and leaves a grandchild; what is printed last is printed when that has ended too.
PROGRAM = """
import subprocess, sys
from client.demo.processes import adopt_orphans, outlive_children
adopt_orphans()
grandchild = "import time; time.sleep({sleep}); print('grandchild', flush=True)"
child = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {{grandchild!r}}])"
subprocess.run([sys.executable, "-c", child], check=True)
outlive_children({patience})
print("alone", flush=True)
"""


@pytest.mark.parametrize(("sleep", "patience", "printed"), [(0.2, 60, ["grandchild", "alone"]), (600, 0, ["alone"])])
def test_no_grandchild_is_left(sleep: float, patience: float, printed: list[str]) -> None:
    program = PROGRAM.format(sleep=sleep, patience=patience)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (printed, "")
