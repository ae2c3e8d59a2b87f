"""The syllabus itself: architectures, tasks, data set readers, the training engine and ONNX export.

Nothing in this package knows of HTTP, SQL or Celery, and importing it does not import torch. ONNX Runtime reads its
telemetry switch when it is imported, so it is set here, before any module of this package can import it.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
