"""The first opening of an unknown model: what the child survives is opened and remembered."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

import edgemind
import fuzz_onnx
from edgemind import probe
from edgemind.catalog.trusted import Fingerprint, TrustedFiles
from edgemind.errors import ModelError, ModelInvalid, ModelNotFound, ModelUnsupported
from edgemind.probe import check_model, limits_for, trusted_files
from edgemind.verify import children
from edgemind.verify.children import Limits
from tests.engines.conftest import tiny  # noqa: F401 (a fixture)


@pytest.fixture
def trusted(tmp_path: Path) -> TrustedFiles:
    return TrustedFiles(tmp_path / "trusted", lambda _: "1")


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A sound model that nobody has opened yet."""
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny.read_bytes())
    return path


def child_is(monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """The child does this instead of what it should, behind the same limits and locks."""
    script = f"""
import os, sys, time
from edgemind.cli.child import shut_in
from edgemind.verify.children import serve
def task(request, say, until):
    {task}
serve("probe", shut_in, {{"probe": task}})
"""
    monkeypatch.setattr(children, "command", lambda _: (sys.executable, "-P", "-c", script))


def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "call", lambda *_, **__: pytest.fail("a child was started"))


def refusal(model: Path, trusted: TrustedFiles) -> str:
    with pytest.raises(ModelInvalid) as caught:
        check_model(model, trusted)
    assert str(caught.value).isprintable()
    assert not trusted.holds(model)
    return str(caught.value)


def test_a_sound_model_is_tried_once(
    model: Path, trusted: TrustedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_model(model, trusted)
    assert trusted.holds(model)
    with monkeypatch.context() as patch:
        no_child(patch)
        check_model(model, trusted)
    model.write_bytes(model.read_bytes())
    os.utime(model, ns=(1, 1))
    tried: list[str] = []
    call = probe.call
    monkeypatch.setattr(
        probe, "call", lambda name, *a, **b: tried.append(name) or call(name, *a, **b)
    )
    check_model(model, trusted)
    assert tried == ["probe"]


def test_a_bad_header_never_reaches_the_child(
    model: Path, trusted: TrustedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_child(monkeypatch)
    model.write_bytes(model.read_bytes()[:-100])
    assert "is not a sound GGUF file" in refusal(model, trusted)
    with pytest.raises(ModelNotFound):
        check_model(model.with_name("none.gguf"), trusted)


def test_what_the_library_refuses(model: Path, trusted: TrustedFiles) -> None:
    model.write_bytes(model.read_bytes().replace(b"blk.1.ffn_up", b"blk.1.ffn_xx"))
    told = refusal(model, trusted)
    assert "cannot load" in told and "blk.1.ffn_up.weight" in told


def test_what_the_library_refuses_with_words_of_the_file(
    model: Path, trusted: TrustedFiles
) -> None:
    length = (5).to_bytes(8, "little")
    sound = model.read_bytes()
    assert sound.count(length + b"qwen2") == 2
    at = sound.rindex(length + b"qwen2") + 8
    model.write_bytes(sound[:at] + b"\x1b[2Jx" + sound[at + 5 :])
    assert "'?[2Jx'" in refusal(model, trusted)


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("os.abort()", "signal 6"),
        ("os.kill(os.getpid(), 11)", "signal 11"),
        ("os._exit(7)", "exit code 7"),
        ("os._exit(0)", "exit code 0"),
        (
            "os.write(2, b'/x/y.cpp:12: GGML_ASSERT(a == b) failed\\x1b[2J\\nmore\\n'); os.abort()",
            "(y.cpp:12: GGML_ASSERT(a == b) failed?[2J)",
        ),
        ("bytearray(1 << 40)", "MemoryError"),
    ],
)
def test_children_that_end(
    model: Path, trusted: TrustedFiles, monkeypatch: pytest.MonkeyPatch, task: str, reason: str
) -> None:
    child_is(monkeypatch, task)
    told = refusal(model, trusted)
    assert told.startswith(f"{model} is not usable: the library that runs it did not survive it")
    assert reason in told


def test_children_that_do_not_end(
    model: Path, trusted: TrustedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "BASE_SECONDS", 1.5)
    child_is(monkeypatch, "time.sleep(600)")
    assert "was not loaded within 2 s" in refusal(model, trusted)


def test_errors_that_the_child_tells(
    model: Path, trusted: TrustedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, kind in (("ModelUnsupported", ModelUnsupported), ("ModelError", ModelError)):
        child_is(monkeypatch, f"say({{'error': '{name}', 'text': 'told\\x07'}})")
        with pytest.raises(kind, match=r"^told\?$"):
            check_model(model, trusted)
    child_is(monkeypatch, "say({'error': 'SystemExit', 'text': 'told'})")
    assert "exit code 0" in refusal(model, trusted)
    child_is(monkeypatch, "say({'error': [], 'text': 'told'}); say(['done']); say(7)")
    assert "exit code 0" in refusal(model, trusted)


LOCKED = """
import resource, socket
    def refused(action):
        try:
            action()
        except OSError:
            return True
        return False
    assert refused(socket.socket)
    assert refused(os.fork)
    assert refused(lambda: open(request["path"], "ab"))
    assert open(request["path"], "rb").read(4) == b"GGUF"
    assert resource.getrlimit(resource.RLIMIT_CPU) == (11, 11)
    assert resource.getrlimit(resource.RLIMIT_AS)[1] == {memory}
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    say("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="locks of Linux")
def test_what_the_child_may(
    model: Path, trusted: TrustedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = limits_for(model.stat().st_size, 1)
    child_is(monkeypatch, LOCKED.format(memory=limits.memory).strip())
    check_model(model, trusted)


def test_a_model_that_changes_meanwhile(
    model: Path, trusted: TrustedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(*_: Any, **__: Any) -> children.Reply:
        model.write_bytes(b"GGUF, but other")
        return children.Reply(("done",), 0)

    monkeypatch.setattr(probe, "call", change)
    assert "changed while it was looked at" in refusal(model, trusted)


def test_limits_grow_with_the_file() -> None:
    assert limits_for(0, 1) == Limits(10.0, 3 << 30, 65)
    assert limits_for(4 << 30, 500) == Limits(10.0 + (4 << 30) / (20 << 20), 15 << 30, 564)


def test_texts_hold_every_byte_of_utf8() -> None:
    held = set("".join(probe._TEXTS).encode())
    assert held == {*range(0xC0), *range(0xC2, 0xF5)}


@pytest.mark.parametrize(
    ("package", "folder", "others"),
    [("llama_cpp", "lib", "m/model.onnx"), ("onnxruntime", "capi", "model.gguf")],
)
def test_another_library_knows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, folder: str, others: str
) -> None:
    onnx, gguf = tmp_path / "m" / "model.onnx", tmp_path / "model.gguf"
    onnx.parent.mkdir()
    for path in (onnx, gguf):
        path.touch()
        trusted_files(tmp_path).add(path, [Fingerprint.of(path)])
        assert trusted_files(tmp_path).holds(path)
    library = tmp_path / package / folder
    library.mkdir(parents=True)
    (library.parent / "__init__.py").touch()
    (library / "liblibrary.so").write_bytes(b"another build")
    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    held = {path for path in (onnx, gguf) if trusted_files(tmp_path).holds(path)}
    assert held == {tmp_path / others}


def test_a_model_with_another_onnx(tmp_path: Path, trusted: TrustedFiles) -> None:
    path = tmp_path / "m" / "model.onnx"
    path.parent.mkdir()
    (path.parent / fuzz_onnx.WEIGHTS_FILE).write_bytes(bytes(1 << 16))
    path.write_bytes(fuzz_onnx.model(location=fuzz_onnx.WEIGHTS_FILE))
    check_model(path, trusted)
    assert trusted.holds(path)
    with path.with_name(fuzz_onnx.WEIGHTS_FILE).open("ab") as file:
        file.write(b"more")
    assert not trusted.holds(path)
    path.write_bytes(path.read_bytes().replace(b"MatMul", b"MatMux"))
    assert "is not usable" in refusal(path, trusted)
    assert "did not survive" not in refusal(path, trusted)


# Through the Python door


def test_loading_looks_first(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child_is(monkeypatch, "os.abort()")
    with pytest.raises(ModelInvalid, match="did not survive it"):
        edgemind.load(model)
    edgemind.load(model, trust=True, context=64, width=1, threads=1).close()
    with pytest.raises(ModelInvalid, match="did not survive it"):
        edgemind.load(model)


def test_the_bundled_model_is_trusted(monkeypatch: pytest.MonkeyPatch, nano: Path) -> None:
    no_child(monkeypatch)
    for path in (None, nano):
        edgemind.load(path, context=64, width=1, threads=1).close()
