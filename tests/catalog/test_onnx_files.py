"""ONNX models: sound ones described, those that reach out of their folder or need code refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import onnx
import pytest

import fuzz_onnx
from edgemind.errors import ModelInvalid, ModelNotFound, ModelUnsupported
from edgemind.formats.onnx_files import inspect_onnx

SIZE = 4 * fuzz_onnx.VOCABULARY * fuzz_onnx.DIMENSION


def write(folder: Path, data: bytes | None = None, weights: int = 2 * SIZE) -> Path:
    """A model in a folder, with a file of weights beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / fuzz_onnx.WEIGHTS_FILE).write_bytes(bytes(weights))
    path = folder / "model.onnx"
    path.write_bytes(fuzz_onnx.model() if data is None else data)
    return path


def changed(data: bytes, change: Any) -> bytes:
    """The model after `change` was made to it as a message."""
    model = onnx.ModelProto.FromString(data)
    change(model)
    return bytes(model.SerializeToString())


def refused(path: Path, reason: str) -> None:
    with pytest.raises(ModelInvalid, match=reason) as caught:
        inspect_onnx(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("location", [None, fuzz_onnx.WEIGHTS_FILE, "./" + fuzz_onnx.WEIGHTS_FILE])
def test_a_sound_model(tmp_path: Path, location: str | None, nested: bool) -> None:
    path = write(tmp_path, fuzz_onnx.model(location=location, nested=nested))
    found = inspect_onnx(path)
    assert inspect_onnx(tmp_path) == found
    assert [(port.name, port.element, port.dimensions) for port in found.inputs] == [
        ("input_ids", "int64", 2)
    ]
    assert [(port.name, port.element, port.dimensions) for port in found.outputs] == [
        ("logits", "float32", 3)
    ]
    assert dict(found.opsets) == {"": 18, "com.microsoft": 1}
    # Both branches of an `If` hold the matrix.
    assert dict(found.types)["float32"] == (3 if nested else 2) * SIZE // 4
    beside = (path.parent / fuzz_onnx.WEIGHTS_FILE,)
    assert found.external == (() if location is None else beside)
    assert found.bytes == path.stat().st_size + (0 if location is None else 2 * SIZE)
    assert found.parts == (path, *found.external)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd",
        "../outside",
        "inner/../../outside",
        "..",
        "",
        ".",
        "C:\\weights",
        "a\\..\\..\\b",
        "*/_ORT_MEM_ADDR_/*",
        "_ORT_MEM_ADDR_",
        "a\nb",
        "\x1b[2J",
    ],
)
def test_weights_outside_the_folder(tmp_path: Path, location: str, nested: bool) -> None:
    (tmp_path / "outside").write_bytes(bytes(2 * SIZE))
    (tmp_path / "m" / "inner").mkdir(parents=True)
    path = write(tmp_path / "m", fuzz_onnx.model(location=location, nested=nested))
    refused(path, "which is not a file in its folder")


def test_links_of_weights(tmp_path: Path) -> None:
    path = write(tmp_path / "m", fuzz_onnx.model(location=fuzz_onnx.WEIGHTS_FILE))
    beside = path.with_name(fuzz_onnx.WEIGHTS_FILE)
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    beside.replace(blobs / "one")
    beside.symlink_to(blobs / "one")
    refused(path, "a link out of its folder")
    # As caches keep models: the model itself is a link to the same folder.
    path.replace(blobs / "two")
    path.symlink_to(blobs / "two")
    assert inspect_onnx(path).external == (beside,)
    beside.unlink()
    beside.symlink_to("/etc/hostname")
    refused(path, "a link out of its folder")


def test_weights_that_are_missing_or_short(tmp_path: Path) -> None:
    data = fuzz_onnx.model(location=fuzz_onnx.WEIGHTS_FILE)
    refused(write(tmp_path / "short", data, 2 * SIZE - 1), f"weights up to byte {2 * SIZE} of")
    path = write(tmp_path / "missing", data)
    path.with_name(fuzz_onnx.WEIGHTS_FILE).unlink()
    with pytest.raises(ModelNotFound, match=r"weights in 'model\.onnx_data', which is missing"):
        inspect_onnx(path)
    os.mkfifo(path.with_name(fuzz_onnx.WEIGHTS_FILE))
    refused(path, "not a regular file")


@pytest.mark.parametrize("key", ["offset", "length"])
@pytest.mark.parametrize("value", ["-1", "x", "", str(1 << 62)])
def test_places_of_weights_that_cannot_be(tmp_path: Path, key: str, value: str) -> None:
    def change(model: Any) -> None:
        for entry in model.graph.initializer[0].external_data:
            if entry.key == key:
                entry.value = value

    data = changed(fuzz_onnx.model(location=fuzz_onnx.WEIGHTS_FILE), change)
    refused(write(tmp_path, data), "at a place that is no number|weights up to byte")


def test_two_locations_for_one_tensor(tmp_path: Path) -> None:
    def change(model: Any) -> None:
        model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")

    data = changed(fuzz_onnx.model(location=fuzz_onnx.WEIGHTS_FILE), change)
    refused(write(tmp_path, data), "two values for 'location'")


@pytest.mark.parametrize("nested", [False, True])
def test_operators_that_need_a_library(tmp_path: Path, nested: bool) -> None:
    for domain in ("", "ai.onnx", "com.microsoft"):
        inspect_onnx(write(tmp_path, fuzz_onnx.model(domain=domain, nested=nested)))
    path = write(tmp_path, fuzz_onnx.model(domain="ai.onnx.contrib", nested=nested))
    refused(path, "'ai.onnx.contrib::MatMul' needs a library of its own")


def test_operators_that_the_file_defines(tmp_path: Path) -> None:
    def define(model: Any) -> None:
        node = onnx.helper.make_node("MatMul", ["a", "b"], ["c"])
        opsets = [onnx.helper.make_opsetid("", 18)]
        model.functions.append(
            onnx.helper.make_function("own", "MatMul", ["a", "b"], ["c"], [node], opsets)
        )

    inspect_onnx(write(tmp_path, changed(fuzz_onnx.model(domain="own"), define)))

    def worse(model: Any) -> None:
        define(model)
        model.functions[0].node[0].domain = "elsewhere"

    refused(write(tmp_path, changed(fuzz_onnx.model(domain="own"), worse)), "elsewhere::MatMul")


def test_a_compiled_context_is_refused(tmp_path: Path) -> None:
    def change(model: Any) -> None:
        model.graph.node[1].op_type = "EPContext"
        model.graph.node[1].domain = "com.microsoft"

    refused(write(tmp_path, changed(fuzz_onnx.model(), change)), "com.microsoft::EPContext")


def test_tensors_in_all_places_are_seen(tmp_path: Path) -> None:
    """A tensor that leaves the folder is found wherever a tensor may stand."""
    outside = onnx.TensorProto(
        dims=[1], data_type=1, name="x", data_location=onnx.TensorProto.EXTERNAL
    )
    outside.external_data.add(key="location", value="../outside")
    sparse = onnx.SparseTensorProto(values=outside, dims=[1])
    attribute = onnx.AttributeProto(name="v", type=4, t=outside)
    node = onnx.NodeProto(op_type="Constant", output=["x"], attribute=[attribute])
    graph = onnx.GraphProto(node=[node])
    within = [
        attribute,
        onnx.AttributeProto(name="v", type=9, tensors=[outside]),
        onnx.AttributeProto(name="v", type=11, sparse_tensor=sparse),
        onnx.AttributeProto(name="v", type=12, sparse_tensors=[sparse]),
        onnx.AttributeProto(name="v", type=5, g=graph),
        onnx.AttributeProto(name="v", type=10, graphs=[graph]),
    ]
    changes = [lambda model, one=one: model.graph.node[0].attribute.append(one) for one in within]
    changes += [
        lambda model: model.graph.sparse_initializer.append(sparse),
        lambda model: model.graph.initializer.append(outside),
        lambda model: model.functions.append(onnx.FunctionProto(name="f", node=[node])),
        lambda model: model.functions.append(
            onnx.FunctionProto(name="f", attribute_proto=[attribute])
        ),
    ]
    for change in changes:
        refused(write(tmp_path, changed(fuzz_onnx.model(), change)), "not a file in its folder")


def test_graphs_that_are_no_language_models(tmp_path: Path) -> None:
    def rename(model: Any) -> None:
        model.graph.input[0].name = "pixels"

    with pytest.raises(ModelUnsupported, match="lacks input_ids or logits"):
        inspect_onnx(write(tmp_path, changed(fuzz_onnx.model(), rename)))

    def retype(model: Any) -> None:
        model.graph.input[0].type.tensor_type.elem_type = 1

    with pytest.raises(ModelUnsupported, match="takes tokens as float32"):
        inspect_onnx(write(tmp_path, changed(fuzz_onnx.model(), retype)))

    def repeat(model: Any) -> None:
        model.graph.input.append(model.graph.input[0])

    refused(write(tmp_path, changed(fuzz_onnx.model(), repeat)), "no input, or one of them twice")

    def train(model: Any) -> None:
        model.training_info.add()

    refused(write(tmp_path, changed(fuzz_onnx.model(), train)), "instructions for training")


def test_files_that_are_no_models(tmp_path: Path) -> None:
    refused(write(tmp_path, b""), "holds 0 graphs")
    refused(write(tmp_path, b"hello there"), "field|bytes|kind")
    refused(write(tmp_path, b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "should follow")
    refused(write(tmp_path, b"\x80" * 11), "more than ten bytes")
    sound = fuzz_onnx.model()
    refused(write(tmp_path, sound + sound), "holds 2 graphs")
    with pytest.raises(ModelNotFound):
        inspect_onnx(tmp_path / "none.onnx")


def test_messages_in_messages_are_bounded(tmp_path: Path) -> None:
    inner = b""
    for _ in range(200):  # a graph in an attribute in a node in a graph …
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            inner = tag + varint(len(inner)) + inner
    refused(write(tmp_path, b"\x3a" + varint(len(inner)) + inner), "messages 25 deep")


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def test_the_number_of_fields_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.formats.protobuf.MAX_FIELDS", 1000)
    refused(write(tmp_path, b"\x08\x01" * 1001), "more than 1000 fields")


def test_a_folder_has_to_be_clear(tmp_path: Path) -> None:
    refused(tmp_path, "holds 0 .onnx files")
    write(tmp_path / "onnx")
    assert inspect_onnx(tmp_path).path == tmp_path / "onnx" / "model.onnx"
    write(tmp_path)
    refused(tmp_path, "holds 2 .onnx files: name the one to use")


def test_files_beside_it_are_bounded(tmp_path: Path) -> None:
    path = write(tmp_path / "onnx")
    for folder in (tmp_path, tmp_path / "onnx"):
        config = folder / "config.json"
        config.write_bytes(b"{}")
        inspect_onnx(path)
        with config.open("r+b") as file:
            file.truncate((1 << 20) + 1)
        refused(path, "config.json is longer than 1 MiB")
        config.unlink()
