"""The tiny models of the engines' tests."""

from tests.engines.conftest import tiny, tiny_onnx  # noqa: F401 (fixtures)
