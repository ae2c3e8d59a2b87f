"""The syllabus itself: architectures, tasks, data set readers, the training engine and ONNX export.

Nothing in this package knows of HTTP, SQL or Celery, and importing it does not import torch.
"""
