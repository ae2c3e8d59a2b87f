import subprocess
import sys

import pytest

CODE = """
import sys, threading
from importlib import import_module
from pathlib import Path
for module in sys.argv[1].split(","):
    import_module(module)
names = [Path(f"/proc/self/task/{task.name}/comm").read_text() for task in Path("/proc/self/task").iterdir()]
from threadpoolctl import threadpool_info
openblas = sum(pool["num_threads"] - 1 for pool in threadpool_info() if pool["internal_api"] == "openblas")
assert len(names) <= 1 + openblas, names
needed = set(sys.argv[2].split(","))
assert needed <= sys.modules.keys(), needed - sys.modules.keys()
assert "torch" in needed or "torch" not in sys.modules
"""
FOR_TRAINING = (
    "torch,torch._dynamo,sklearn.metrics,onnxruntime.quantization,onnx,models.architectures.lenet,optuna,optuna._gp.acqf,"
    "greenlet,cmaes"
)


@pytest.mark.parametrize(
    ("modules", "needed"),
    [("models.preload", FOR_TRAINING), ("models.jobs.ingest,models.jobs.register", "onnx,onnxruntime")],
    ids=["gpu,cpu", "io"],
)
def test_all_is_imported_and_no_thread_started_but_those_of_openblas(modules: str, needed: str) -> None:
    """OpenBLAS starts its threads when numpy is imported, and again in a forked child by itself."""
    subprocess.run([sys.executable, "-c", CODE, modules, needed], check=True)
