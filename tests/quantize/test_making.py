"""Quantised copies of real, tiny files: what is in them, and what is left when something fails."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.onnx.sampling import Logits
from edgemind.engines.reading import predictions
from edgemind.errors import ConfigError, EdgemindError, ModelError, ModelInvalid, ModelUnsupported
from edgemind.quantize.making import Order, quantize
from edgemind.quantize.quality import TEXT
from edgemind.verify import children
from scripts.random_model import SHAPES, write_model
from tests.engines import onnx_models

TOLD = list[tuple[str, int, int]]


def make(source: Path, target: Path, kind: str = "Q8_0", **options: object) -> TOLD:
    told: TOLD = []
    order = Order(source, target, kind, **options)  # type: ignore[arg-type]
    made = quantize(order, lambda *said: told.append(said))
    assert made.path == target and made.source.bytes and made.target.bytes
    assert [path.name for path in target.parent.iterdir() if path.name.startswith(".")] == []
    return told


def types(path: Path) -> dict[str, str]:
    return {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}


def refused(source: Path, target: Path, kind: str = "Q8_0", **options: object) -> EdgemindError:
    before = {path: path.stat().st_mtime_ns for path in target.parent.iterdir()}
    with pytest.raises(EdgemindError) as caught:
        make(source, target, kind, **options)
    assert {path: path.stat().st_mtime_ns for path in target.parent.iterdir()} == before
    return caught.value


# GGUF


def test_a_gguf_copy(tiny: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.gguf"
    told = make(tiny, target)
    kinds = types(target)
    assert kinds["blk.0.attn_q.weight"] == kinds["blk.1.ffn_down.weight"] == "Q8_0"
    assert kinds["output_norm.weight"] == "F32"
    assert told[0][0] == "quantising" and told[-1][1] == told[-1][2] == len(kinds)
    # What was known of the model is known of the copy.
    fields = gguf.GGUFReader(target).fields
    assert fields["general.name"].contents() == "random"
    assert (
        fields["tokenizer.chat_template"].contents()
        == gguf.GGUFReader(tiny).fields["tokenizer.chat_template"].contents()
    )


def test_types_of_the_head_and_of_the_table(tiny: Path, tmp_path: Path) -> None:
    # The tiny model's embeddings are its head: the head's type is what counts then.
    make(tiny, tmp_path / "a.gguf", "Q4_0", output_type="f16")
    assert types(tmp_path / "a.gguf")["token_embd.weight"] == "F16"
    make(tiny, tmp_path / "b.gguf", "Q4_0", embedding_type="Q5_1")
    assert types(tmp_path / "b.gguf")["token_embd.weight"] == "Q5_1"


def test_few_bits_need_an_importance_matrix(tmp_path: Path) -> None:
    wide, target = tmp_path / "wide.gguf", tmp_path / "small.gguf"
    shape = dataclasses.replace(SHAPES["tiny"], layers=1, width=256, inner=256)
    write_model(wide, shape)  # blocks of these types have 256 columns
    error = refused(wide, target, "IQ2_XXS")
    assert isinstance(error, ConfigError) and "give --imatrix-text FILE" in str(error)
    told = make(wide, target, "IQ2_XXS", importance="Six times 7 is 42. " * 20)
    assert types(target)["blk.0.attn_q.weight"] == "IQ2_XXS"
    assert told[0][0] == "reading the text"


def test_an_importance_matrix_changes_the_weights(tiny: Path, tmp_path: Path) -> None:
    make(tiny, tmp_path / "plain.gguf", "Q4_1")
    make(tiny, tmp_path / "weighed.gguf", "Q4_1", importance=TEXT.read_text())
    plain, weighed = (tmp_path / f"{name}.gguf" for name in ("plain", "weighed"))
    assert types(plain) == types(weighed)
    assert plain.read_bytes() != weighed.read_bytes()


def test_what_stands_there_is_not_replaced_unasked(tiny: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.gguf"
    target.write_text("precious")
    assert "exists already" in str(refused(tiny, target))
    assert target.read_text() == "precious"
    make(tiny, target, force=True)
    assert target.read_bytes()[:4] == b"GGUF"


def test_a_source_is_never_its_own_target(tiny: Path, tmp_path: Path) -> None:
    source = tmp_path / "one.gguf"
    source.write_bytes(tiny.read_bytes())
    assert "is the source" in str(refused(source, source, force=True))
    link = tmp_path / "link.gguf"
    link.symlink_to(source)
    assert "is the source" in str(refused(source, link, force=True))


def test_targets_that_cannot_be(tiny: Path, tiny_onnx: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    folder = tiny_onnx["concatenating"]
    for source, name, said in (
        (tiny, "copy", "should end in .gguf"),
        (tiny, "nowhere/copy.gguf", "there is no folder"),
        (folder, "copy.onnx", "has to be a folder"),
        (folder, "mine", "no folder with an ONNX model"),
    ):
        with pytest.raises(ConfigError, match=said):
            make(source, tmp_path / name, "Q8_0" if source == tiny else "q4", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_damaged_sources(tiny: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny.read_bytes()[:-5000])
    assert isinstance(refused(cut, tmp_path / "copy.gguf"), ModelInvalid)


def test_a_library_that_aborts_is_an_error(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = (
        "import os\n"
        "from edgemind.verify.children import serve\n"
        "def work(request, say, until):\n"
        "    open(request['out'], 'w').write('half')\n"
        "    os.write(2, b'/build/ggml.c:1: GGML_ASSERT(blocks) failed\\n')\n"
        "    os.abort()\n"
        "serve('quantize', lambda: True, {'quantize': work})\n"
    )
    monkeypatch.setattr(children, "command", lambda _: (sys.executable, "-P", "-c", child))
    error = refused(tiny, tmp_path / "copy.gguf")
    assert isinstance(error, ModelError)
    assert "did not survive quantising" in str(error) and "GGML_ASSERT(blocks) failed" in str(error)
    assert str(error).endswith("nothing was made")


def test_nothing_is_left_of_an_interrupted_copy(tiny: Path, tmp_path: Path) -> None:
    def interrupt(_what: str, at: int, _of: int) -> None:
        if at > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize(Order(tiny, tmp_path / "copy.gguf", "Q8_0"), interrupt)
    assert [*tmp_path.iterdir()] == []


def test_the_child_writes_nowhere_else(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux locks files")
    elsewhere = tmp_path / "elsewhere"
    child = (
        "from edgemind.cli.child import shut_in\n"
        "from edgemind.verify.children import serve\n"
        "def work(request, say, until):\n"
        f"    try: open({str(elsewhere)!r}, 'w')\n"
        "    except PermissionError as error: say({'error': 'ModelError', 'text': 'refused'})\n"
        "serve('quantize', shut_in, {'quantize': work})\n"
    )
    monkeypatch.setattr(children, "command", lambda _: (sys.executable, "-P", "-c", child))
    assert str(refused(tiny, tmp_path / "copy.gguf")) == "refused"


# ONNX


COPIES = [
    *((name, "q4") for name in ("position_ids", "merged", "pair", "genai", "half")),
    *((name, "int8") for name in ("grouped", "merged", "genai")),
    ("grouped", "uint8"),
]


@pytest.mark.parametrize(("name", "kind"), COPIES)
def test_onnx_copies(name: str, kind: str, tmp_path: Path) -> None:
    source = onnx_models.write(tmp_path / "source", onnx_models.MATRIX[name])
    target = tmp_path / "target"
    make(source, target, kind)
    files = {path.name for path in target.iterdir()}
    assert {path.name for path in source.glob("*.json")} < files
    before, after = expected(source), expected(target)
    # The first token sees only itself: later on, attention over random weights is chaotic.
    alike = before[0] @ after[0] / (np.linalg.norm(before[0]) * np.linalg.norm(after[0]))
    assert (0.9 if kind == "q4" else 0.999) < alike < 1 - 1e-6


def expected(folder: Path) -> Logits:
    engine = OnnxEngine(folder, context=64, threads=1)
    try:
        return np.concatenate([*predictions(engine, [40, 50])])
    finally:
        engine.close()


def test_names_of_onnx_variants(tmp_path: Path) -> None:
    source = onnx_models.write(tmp_path / "source", onnx_models.MATRIX["pair"])
    make(source, tmp_path / "small", "q4")
    names = sorted(path.name for path in (tmp_path / "small").glob("*.onnx"))
    assert names == ["decoder_model_q4.onnx", "decoder_with_past_model_q4.onnx"]
    make(source, tmp_path / "small", "int8", force=True)
    names = sorted(path.name for path in (tmp_path / "small").glob("*.onnx"))
    assert names == ["decoder_model_int8.onnx", "decoder_with_past_model_int8.onnx"]
    assert "exists already" in str(refused(source, tmp_path / "small", "q4"))


def test_a_graph_that_is_quantised_already(nano: Path, tmp_path: Path) -> None:
    error = refused(nano.parent / "edgemind-nano-onnx", tmp_path / "copy", "q4")
    assert isinstance(error, ModelUnsupported) and "take the export with 32-bit" in str(error)


def test_options_of_the_other_format(
    tiny: Path, tiny_onnx: dict[str, Path], tmp_path: Path
) -> None:
    folder = tiny_onnx["concatenating"]
    for options in ({"output_type": "F16"}, {"importance": "text"}):
        assert "are for GGUF models" in str(refused(folder, tmp_path / "a", "q4", **options))
    assert "is for ONNX models" in str(refused(tiny, tmp_path / "a.gguf", variant="q4"))


def test_missing_tools(
    tiny_onnx: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    error = refused(tiny_onnx["concatenating"], tmp_path / "copy", "q4")
    assert "pip install 'edgemind[quantize]'" in str(error)
