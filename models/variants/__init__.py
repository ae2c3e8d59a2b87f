"""Smaller or faster files for a model version, each made of the version's own graph.

Every kind is a module with `build(source) -> onnx.ModelProto`; inputs and outputs keep their names and types, the
metadata stays, and all weights are in the file itself.
"""
