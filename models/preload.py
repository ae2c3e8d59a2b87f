"""Everything that a training child needs, imported before it is forked.

A forkserver imports this module once; its children then reach their first optimiser step without
importing anything. A thread does not survive a fork, so nothing here computes: importing starts no thread
of torch, OpenMP or ONNX Runtime.
"""

import os
from importlib import import_module

from models import registry

MODULES = (
    "models.jobs.train",
    "models.jobs.evaluate",
    "models.jobs.infer",
    "models.jobs.optimize",
    "models.jobs.cross_validate",
    "models.jobs.learning_curve",
    "models.jobs.validation_curve",
    "models.jobs.bias_variance",
    "models.jobs.baseline",
    "models.jobs.diagnose",
    "models.jobs.trial",
    # What these import only when it is used:
    "models.quality",
    "plotly.graph_objects",
    "sklearn.ensemble",
    "sklearn.metrics",
    "sklearn.model_selection",
    "cmaes",
    *(f"optuna._gp.{part}" for part in ("acqf", "batched_lbfgsb", "optim_mixed", "prior", "search_space")),
    "torch._dynamo",
    "torch.onnx._internal.torchscript_exporter.utils",
    *(f"torch.onnx.symbolic_opset{opset}" for opset in range(7, 21)),
)

# pandas, which scikit-learn imports, imports Arrow, whose allocator would start a thread.
os.environ["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
for _module in MODULES:
    import_module(_module)
registry.architectures()
