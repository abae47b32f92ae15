"""Quantising an ONNX graph by onnxruntime's own tools. Runs in a child of `making`.

The tools name their temporary files after the model and put them beside it, where nothing may be
written: so they get the graph itself.
"""

from __future__ import annotations

import importlib
import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from edgemind.errors import ModelError, ModelUnsupported
from edgemind.quantize.gguf_child import Tell

BLOCK: Final = 32
ACCURACY: Final = 4
"""MatMulNBits' `accuracy_level` for activations in 8 bits: what a processor multiplies fast."""
LARGE_BYTES: Final = 1 << 30
"""From so many bytes on weights lie in a file of their own: a graph's file ends at 2 GiB."""
MADE: Final = ("MatMulNBits", "MatMulInteger", "DynamicQuantizeMatMul")


def quantize_onnx(request: dict[str, Any], tell: Tell) -> None:
    """Write each graph of request["graphs"], pairs of a source and a name to write.

    Raises `ModelUnsupported` where a graph holds no matrices that could be quantised.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    onnx: Any = importlib.import_module("onnx")
    graphs = request["graphs"]
    for number, (source, out) in enumerate(graphs):
        tell("reading", number, len(graphs))
        model = onnx.load(source)
        before = Counter(_matrices(model.graph))
        if not before["FLOAT"] and not before["FLOAT16"]:
            raise ModelUnsupported(
                f"{source} holds no matrices in floats that are multiplied with: take the export "
                "with 32-bit floats"
            )
        if request["type"] != "q4" and before["FLOAT16"]:
            raise ModelUnsupported(
                f"{source} holds 16-bit floats, and {request['type']} is made from 32-bit ones: "
                "take that export, or --type q4"
            )
        large = Path(source).stat().st_size + request["external_bytes"] > LARGE_BYTES
        tell("quantising", number, len(graphs))
        try:
            if request["type"] == "q4":
                _blocks(model, out, large, lambda at, of: tell("quantising", at, of))
            else:
                _dynamic(model, out, large, request["type"])
        except Exception as error:  # the tools raise whatever they meet
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ModelError(f"onnxruntime cannot quantise {source}: {reason[:300]}") from None
        if not any(kind in MADE for kind in _kinds(onnx.load(out, load_external_data=False).graph)):
            raise ModelUnsupported(f"onnxruntime's tools left every matrix of {source} as it is")


def _dynamic(model: Any, out: str, large: bool, kind: str) -> None:
    tools: Any = importlib.import_module("onnxruntime.quantization")
    nested = any(node.op_type == "If" for node in model.graph.node)
    tools.quantize_dynamic(
        model,
        out,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=tools.QuantType.QInt8 if kind == "int8" else tools.QuantType.QUInt8,
        use_external_data_format=large,
        extra_options={"EnableSubgraph": True} if nested else {},
    )


def _blocks(model: Any, out: str, large: bool, tell: Any) -> None:
    tools: Any = importlib.import_module("onnxruntime.quantization.matmul_nbits_quantizer")
    tools.logger.addHandler(_Counting(sum(1 for _ in _matrices(model.graph)), tell))
    tools.logger.propagate = False
    quantizer = tools.MatMulNBitsQuantizer(
        model, bits=4, block_size=BLOCK, is_symmetric=True, accuracy_level=ACCURACY
    )
    quantizer.process()
    quantizer.model.save_model_to_file(out, large)


class _Counting(logging.Handler):
    """Turns the tool's log, a line for each matrix that is done, into progress."""

    def __init__(self, total: int, tell: Any) -> None:
        super().__init__()
        self._total, self._tell, self._done = total, tell, 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("complete quantization of"):
            self._done = min(self._total, self._done + 1)
            self._tell(self._done, self._total)


def _graphs(graph: Any) -> Iterator[Any]:
    """A graph and all those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _graphs(inner)


def _kinds(graph: Any) -> Iterator[str]:
    return (node.op_type for one in _graphs(graph) for node in one.node)


def _matrices(graph: Any) -> Iterator[str]:
    """The number type of each constant matrix that a MatMul multiplies with."""
    onnx: Any = importlib.import_module("onnx")
    all_graphs = [*_graphs(graph)]
    types = {one.name: one.data_type for each in all_graphs for one in each.initializer}
    for each in all_graphs:
        for node in each.node:
            if node.op_type == "MatMul" and node.input[1] in types:
                yield onnx.TensorProto.DataType.Name(types[node.input[1]])
