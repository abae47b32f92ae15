"""The ONNX engine: the five verbs over onnxruntime, for folders that exporters write."""

from edgemind.engines.onnx.engine import OnnxEngine

__all__ = ["OnnxEngine"]
