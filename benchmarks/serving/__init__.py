"""Serving, measured beside other servers that answer from the very same ONNX file, and under overload."""
