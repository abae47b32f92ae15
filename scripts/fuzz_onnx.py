"""Small ONNX models to spoil, and what is tried with them. Reached from `fuzz_headers.py`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from edgemind.catalog.trusted import TrustedFiles
from edgemind.errors import ModelError
from edgemind.probe import check_model

WEIGHTS_FILE, WEIGHTS_OUTSIDE = "model.onnx_data", "outside_data"
VOCABULARY, DIMENSION = 64, 16


def model(*, location: str | None = None, nested: bool = False, domain: str = "") -> bytes:
    """A model of a gather and a matrix: tokens in, logits out.

    Its weights lie in the file, or in `location`. With `nested` the matrix stands in a branch of an
    `If`. `domain` is that of its multiplication.
    """
    import onnx
    from onnx import TensorProto, helper

    weights: Any = [
        helper.make_tensor(
            name, TensorProto.FLOAT, shape, bytes(4 * VOCABULARY * DIMENSION), raw=True
        )
        for name, shape in (
            ("embedding", (VOCABULARY, DIMENSION)),
            ("head", (DIMENSION, VOCABULARY)),
        )
    ]
    if location is not None:
        for number, one in enumerate(weights):
            size = len(one.raw_data)
            one.ClearField("raw_data")
            one.data_location = TensorProto.EXTERNAL
            for key, text in (
                ("location", location),
                ("offset", str(number * size)),
                ("length", str(size)),
            ):
                one.external_data.add(key=key, value=text)
    product = helper.make_node("MatMul", ["rows", "head"], ["product"], domain=domain)
    nodes = [helper.make_node("Gather", ["embedding", "input_ids"], ["rows"])]
    if nested:
        out = helper.make_tensor_value_info("product", TensorProto.FLOAT, None)
        branch = helper.make_graph([product], "branch", [], [out], [weights.pop()])
        yes = helper.make_tensor("yes", TensorProto.BOOL, (), [True])
        nodes += [
            helper.make_node("Constant", [], ["condition"], value=yes),
            helper.make_node(
                "If", ["condition"], ["logits"], then_branch=branch, else_branch=branch
            ),
        ]
    else:
        nodes += [product, helper.make_node("Identity", ["product"], ["logits"])]
    shape = ["batch", "length"]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [*shape, VOCABULARY])],
        weights,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    made: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    return bytes(made.SerializeToString())


def models() -> list[bytes]:
    """Sound models: weights inside, beside, and in a branch."""
    return [
        model(),
        model(location=WEIGHTS_FILE),
        model(nested=True),
        model(location=WEIGHTS_FILE, nested=True),
    ]


def try_folder(folder: Path) -> tuple[str, float]:
    """Check the model in a folder, then remove that; what came of it, and the seconds."""
    begun = time.monotonic()
    try:
        check_model(folder / "model.onnx", TrustedFiles(folder / "trusted", lambda _: "fuzz"))
        told = "opened in the probe"
    except ModelError as error:
        told = type(error).__name__
        told += " by the probe" if "not usable" in str(error) else " by its file"
        if "did not survive" in str(error):
            told = "it ended the probe"
    finally:
        shutil.rmtree(folder)
    return told, time.monotonic() - begun
