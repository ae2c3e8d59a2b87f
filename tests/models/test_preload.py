import subprocess
import sys

CODE = """
import sys, threading
from pathlib import Path
import models.preload
names = [Path(f"/proc/self/task/{task.name}/comm").read_text() for task in Path("/proc/self/task").iterdir()]
from threadpoolctl import threadpool_info
openblas = sum(pool["num_threads"] - 1 for pool in threadpool_info() if pool["internal_api"] == "openblas")
assert len(names) <= 1 + openblas, names
needed = {"torch._dynamo", "sklearn.metrics", "onnxruntime", "onnx", "models.architectures.lenet"}
assert needed <= sys.modules.keys(), needed - sys.modules.keys()
"""


def test_all_is_imported_and_no_thread_started_but_those_of_openblas() -> None:
    """OpenBLAS starts its threads when numpy is imported, and again in a forked child by itself."""
    subprocess.run([sys.executable, "-c", CODE], check=True)
