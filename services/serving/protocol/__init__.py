"""The Open Inference Protocol v2 as bytes: requests to arrays and arrays to responses, for any transport.

The text is KServe's, for REST; `binary_tensor_data` is Triton's extension of it.
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""
