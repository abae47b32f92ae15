"""Telemetry is off before libraries are imported; onnxruntime then neither writes nor connects."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from edgemind.guard.strace import Call, read_call
from edgemind.guard.telemetry import SWITCHES, switch_off
from tests.guard.children import ROOT, calls, linux, traced

SCRIPT = """
import os, sys
if sys.argv[2] == "off":
    from edgemind.guard.telemetry import switch_off
    switch_off(os.environ, locked=False)
else:
    from edgemind.guard.seccomp import deny_network
    deny_network()
import onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
assert session.run(None, {"x": [1.0]})[0].tolist() == [1.0]
del session
"""
NETWORK = ("socket", "connect", "sendto", "sendmsg", "sendmmsg", "bind", "io_uring_setup")


def test_switches() -> None:
    environment = {"ORT_DISABLE_TELEMETRY": "0", "HF_HUB_OFFLINE": "0", "OTHER": "x"}
    switch_off(environment, locked=False)
    assert environment == {**SWITCHES, "HF_HUB_OFFLINE": "0", "OTHER": "x"}
    switch_off(environment, locked=True)
    assert environment["HF_HUB_OFFLINE"] == "1"
    fresh: dict[str, str] = {}
    switch_off(fresh, locked=False)
    assert fresh == dict.fromkeys(
        ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_OFFLINE"), "1"
    )


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """The smallest ONNX model."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "identity",
        [helper.make_tensor_value_info("x", kind, [1])],
        [helper.make_tensor_value_info("y", kind, [1])],
    )
    path = tmp_path / "identity.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    return path


def run(model: Path, how: str, folder: Path) -> tuple[list[str], list[str]]:
    """Network calls, and files made or written, of a process that runs a model."""
    home = folder / f"home-{how}"
    home.mkdir()
    places = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"), "TMPDIR": str(home)}
    # Under a build server's variable the library would be quiet by itself.
    quiet = (*SWITCHES, "HF_HUB_OFFLINE", "CI", "TF_BUILD", "GITHUB_ACTIONS")
    script = f"import os\nfor name in {quiet}: os.environ.pop(name, None)\n{SCRIPT}"
    traces = traced(
        [sys.executable, "-B", "-c", script, str(model), how],
        folder / how,
        environment={**places, "PYTHONPATH": str(ROOT)},
    )
    opened = [read_call(line) for line in calls(traces, "open", "openat", "mkdir", "creat")]
    written = [shown(call) for call in opened if call is not None and writes(call)]
    return list(calls(traces, *NETWORK)), [one for one in written if not one.startswith("/dev/")]


def writes(call: Call) -> bool:
    flags = call.arguments[2] if call.name == "openat" else call.arguments[-1]
    opens = call.name in ("open", "openat")
    worked = call.result is not None and call.result >= 0
    return worked and (not opens or "O_WRONLY" in flags or "O_RDWR" in flags)


def shown(call: Call) -> str:
    return call.path or call.text(0) or ""


@linux
def test_onnxruntime_writes_no_file_and_opens_no_socket(identity: Path, tmp_path: Path) -> None:
    assert run(identity, "off", tmp_path) == ([], [])


@linux
def test_it_would_have(identity: Path, tmp_path: Path) -> None:
    # So that the test above can fail. The lock is on, so that nothing leaves.
    version = tuple(map(int, importlib.metadata.version("onnxruntime").split(".")[:2]))
    if version < (1, 29):
        pytest.skip("this onnxruntime does not report by default")
    network, written = run(identity, "on", tmp_path)
    assert network or written
    assert all("= -1 EPERM" in call for call in network if call.startswith("socket("))
