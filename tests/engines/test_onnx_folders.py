"""ONNX folders: which file is taken, what they say of themselves, what is refused and why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

import edgemind
from edgemind.engines.base import Interrupted
from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.onnx.folder import HALF_FIRST, find_files, read_json
from edgemind.engines.onnx.providers import chosen, provider_key, started
from edgemind.engines.trails import part
from edgemind.errors import (
    ConfigError,
    ContextFull,
    EdgemindError,
    ModelInvalid,
    ModelNotFound,
    ModelUnsupported,
)
from edgemind.formats.onnx_files import inspect_onnx
from edgemind.types import Sampling
from tests.engines.branches import GREEDY, OTHER, PROMPT, say
from tests.engines.onnx_models import VOCABULARY, Kind, write

# Which file


@pytest.mark.parametrize(
    ("names", "variant", "expected"),
    [
        (["model.onnx"], None, "model.onnx"),
        (["model.onnx", "model_q4.onnx"], None, "model_q4.onnx"),
        (["model.onnx", "model_q4.onnx"], "f32", "model.onnx"),
        (["onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_int8.onnx"], None,
         "onnx/model_int8.onnx"),
        (["onnx/model_q4.onnx", "model.onnx"], "q4", "onnx/model_q4.onnx"),
        (["decoder_model_merged.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx"], None,
         "decoder_model_merged.onnx"),
        (["decoder_model_merged_quantized.onnx"], None, "decoder_model_merged_quantized.onnx"),
        (["whatever.onnx"], None, "whatever.onnx"),
    ],
)  # fmt: skip
def test_which_file(tmp_path: Path, names: list[str], variant: str | None, expected: str) -> None:
    (tmp_path / "onnx").mkdir()
    for name in names:
        (tmp_path / name).touch()
    assert find_files(tmp_path, variant).decoder == tmp_path / expected


def test_a_pair_and_a_graphics_processor(tmp_path: Path) -> None:
    for name in ("decoder_model", "decoder_with_past_model", "decoder_model_fp16"):
        (tmp_path / f"{name}.onnx").touch()
    files = find_files(tmp_path)
    assert files.paths == (
        tmp_path / "decoder_model.onnx", tmp_path / "decoder_with_past_model.onnx",
    )  # fmt: skip
    assert find_files(tmp_path, prefer=HALF_FIRST).decoder.name == "decoder_model_fp16.onnx"


def test_a_file_that_is_named_itself(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", Kind(layout="merged"))
    file = folder / "onnx" / "decoder_model_merged.onnx"
    assert find_files(file).home == folder
    with edgemind.load(file, threads=1) as mind:
        assert mind.model == "tiny"


def test_variants_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "model_q4.onnx").touch()
    with pytest.raises(ConfigError, match="no variant 'fp16'; it has q4"):
        find_files(tmp_path, "fp16")
    for name in ("model_a.onnx", "model_b.onnx"):
        (tmp_path / name).touch()
    (tmp_path / "model_q4.onnx").unlink()
    with pytest.raises(ConfigError, match="choose a variant of a, b"):
        find_files(tmp_path)


# What a folder says of itself


def test_what_the_files_say(tmp_path: Path) -> None:
    folder = write(tmp_path / "m")
    settings = {"eos_token_id": 598, "do_sample": True, "temperature": 0.5, "top_k": 9,
                "top_p": 0.7, "min_p": 0.1, "repetition_penalty": 1.2}  # fmt: skip
    (folder / "generation_config.json").write_text(json.dumps(settings))
    engine = OnnxEngine(folder, context=10_000, threads=1)
    info = engine.info
    assert (info.name, info.architecture, info.context_length) == ("tiny", "llama", 2048)
    assert (info.bos_text, info.eos_text) == ("<|endoftext|>", "<|im_end|>")
    assert info.template is not None and "im_start" in info.template
    assert info.sampling == Sampling(0.5, 9, 0.7, 0.1, 1.2, -1)
    assert info.parameters > 100_000
    assert info.bytes == (folder / "model.onnx").stat().st_size
    assert engine.context_length == 2048
    assert engine.vocabulary.is_end(598) and not engine.vocabulary.is_end(599)
    assert engine.vocabulary.bos is None
    engine.close()
    (folder / "generation_config.json").write_text('{"do_sample": false}')
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
    engine = OnnxEngine(folder, threads=1)
    assert engine.info.sampling.temperature == 0.0
    assert engine.info.template == "{{ messages[0].content }}"
    assert engine.vocabulary.is_end(599), "the tokenizer's own end, where no file names one"
    engine.close()


def test_genai_says_it_in_its_own_file(tmp_path: Path) -> None:
    engine = OnnxEngine(write(tmp_path / "m", Kind("fused", "genai", kv_heads=2)), threads=1)
    assert (engine.info.architecture, engine.context_length) == ("llama", 2048)
    assert engine.info.sampling.top_k == 11
    assert engine.vocabulary.is_end(599)
    engine.close()


def test_text_goes_in_and_out_unchanged(tmp_path: Path) -> None:
    engine = OnnxEngine(write(tmp_path / "m"), threads=1)
    vocabulary = engine.vocabulary
    for text in ("", "hello there", "é🙂\n\t 42", "<|im_end|>", "x<|im_end|>y", "a\0b", "x" * 5000):
        for special in (False, True):
            assert vocabulary.decode(vocabulary.encode(text, special)) == text
    assert len(vocabulary.encode("<|im_end|>", True)) == 1
    assert len(vocabulary.encode("<|im_end|>", False)) > 1
    assert not {*vocabulary.specials.values()} & {*vocabulary.encode("a<|im_end|><|im_e", False)}
    assert vocabulary.encode("\ud800", False) == vocabulary.encode("?", False)
    assert vocabulary.decode([10**6]) == ""
    engine.close()


SENTENCE_PIECES: dict[str, Any] = {
    "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "pre_tokenizer": None,
    "post_processor": {"type": "TemplateProcessing", "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
    "decoder": {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "added_tokens": [
        {"id": number, "content": text, "special": True, "normalized": False, "single_word": False,
         "lstrip": False, "rstrip": False}
        for number, text in enumerate(("<unk>", "<s>", "</s>"))],
}  # fmt: skip


def test_sentence_pieces(tmp_path: Path) -> None:
    folder = write(tmp_path / "m")
    settings = read_json(folder / "tokenizer.json") | SENTENCE_PIECES
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcxyz",
             "▁a", "ab"]  # fmt: skip
    settings["model"] |= {
        "vocab": {text: number for number, text in enumerate(texts)}, "merges": ["▁ a", "a b"],
        "byte_fallback": True, "unk_token": "<unk>",
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(settings))
    tokens = {"bos_token": {"content": "<s>"}, "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokens))
    engine = OnnxEngine(folder, threads=1)
    vocabulary = engine.vocabulary
    assert vocabulary.bos == 1, "the tokenizer puts it in front itself"
    assert engine.info.bos_text == "<s>"
    assert vocabulary.decode(vocabulary.encode("a b é🙂", False)) == " a b é🙂"
    # A text that is cut inside a special token's is no special token, and gets no space there.
    tokens_ = vocabulary.encode("x</s>y", False)
    assert 2 not in tokens_
    assert vocabulary.decode(tokens_) == " x</s>y"
    engine.close()
    settings["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    (folder / "tokenizer.json").write_text(json.dumps(settings))
    with pytest.raises(ModelUnsupported, match="WordPiece"):
        OnnxEngine(folder, threads=1)


# What is refused


def graph(inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], kind: int) -> bytes:
    """A model with these inputs and outputs, which computes nothing of use."""
    nodes, values = [], []
    for index, (name, shape) in enumerate(outputs.items()):
        made = helper.make_tensor(f"c{index}", kind, [1], [0.0])
        nodes.append(helper.make_node("Constant", [], [name], value=made))
        values.append(helper.make_tensor_value_info(name, kind, shape))
    entries = [
        helper.make_tensor_value_info(
            name, TensorProto.INT64 if "ids" in name or "mask" in name else kind, shape
        )
        for name, shape in inputs.items()
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "odd", entries, values),
        opset_imports=[helper.make_opsetid("", 18)],
    )
    model.ir_version = 9
    return model.SerializeToString()


IDS: dict[str, list[Any]] = {"input_ids": ["b", "s"]}
CACHE: dict[str, list[Any]] = {"past_key_values.0.key": ["b", 2, "p", 8]}
OUT: dict[str, list[Any]] = {"logits": ["b", "s", 9], "present.0.key": ["b", 2, "t", 8]}


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason"),
    [
        ({**IDS, **CACHE, "encoder_hidden_states": ["b", "s", 8]}, OUT, "encoder-decoder"),
        ({**IDS, **CACHE, "pixel_values": ["b", 3, 8, 8]}, OUT, "pictures"),
        ({**IDS, **CACHE, "past_conv.0": ["b", 8, 3]}, OUT, "hybrid"),
        ({"inputs_embeds": ["b", "s", 8], **CACHE}, OUT, "embeddings"),
        ({"input_ids": ["b", "s"]}, {"last_hidden_state": ["b", "s", 8]}, "no language model"),
        (IDS, {"logits": ["b", "s", 9]}, "without its cache"),
        ({**IDS, **CACHE, "past_key_values.0.value": ["b", 2, "p", 8]}, OUT, "in pairs"),
        ({**IDS, "past_key_values.0.key": ["b", "h", "p", 8]}, OUT, "fixed heads"),
        ({**IDS, "past_key_values.0.key": [2, "b", 2, "p", 8]}, OUT, "fixed heads"),
        ({**IDS, "past_key_values.0.key": ["b", 2, 64, 8]}, OUT, "exactly 64"),
        ({**IDS, **CACHE, "beam_width": [1]}, OUT, "not known here: beam_width"),
        ({"input_ids": ["b", 16], **CACHE}, OUT, "exactly 16 tokens"),
    ],
)
def test_models_of_other_kinds(
    tmp_path: Path, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], reason: str
) -> None:
    (tmp_path / "model.onnx").write_bytes(graph(inputs, outputs, TensorProto.FLOAT))
    with pytest.raises(ModelUnsupported, match=reason) as caught:
        OnnxEngine(tmp_path)
    assert "\n" not in str(caught.value)


def test_caches_of_other_types(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(graph({**IDS, **CACHE}, OUT, TensorProto.DOUBLE))
    with pytest.raises(ModelUnsupported, match="double"):
        OnnxEngine(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("onnx/encoder_model.onnx", "", "encoder-decoder"),
        ("onnx/vision_encoder.onnx", "", "vision model"),
        ("config.json", '{"is_encoder_decoder": true}', "encoder-decoder"),
        ("genai_config.json", '{"model": {"decoder": {"filename": "model.onnx"}, "vision": '
         '{"filename": "v.onnx"}}}', "separate vision model"),
        ("genai_config.json", '{"model": {"decoder": {"pipeline": []}}}', "pipeline"),
    ],
)  # fmt: skip
def test_folders_of_other_kinds(tmp_path: Path, name: str, content: str, reason: str) -> None:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").touch()
    (tmp_path / name).write_text(content)
    with pytest.raises(ModelUnsupported, match=reason):
        find_files(tmp_path)


def spoil(folder: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("model.onnx", b"", ModelInvalid),
        ("model.onnx", b"hello there, this is no model", ModelInvalid),
        ("model.onnx", bytes(100), ModelInvalid),
        ("model.onnx", None, ModelNotFound),
        ("tokenizer.json", None, ModelNotFound),
        ("tokenizer.json", b"{", ModelInvalid),
        ("tokenizer.json", b"{}", ModelInvalid),
        ("config.json", b"[1]", ModelInvalid),
        ("generation_config.json", b"\xff", ModelInvalid),
        ("genai_config.json", b'{"model": {"decoder": {"filename": "../x.onnx"}}}', ModelInvalid),
        ("genai_config.json", b'{"model": 1}', ModelInvalid),
    ],
)
def test_damage(
    tmp_path: Path, name: str, content: bytes | None, error: type[EdgemindError]
) -> None:
    folder = write(tmp_path / "m")
    spoil(folder, name, content)
    with pytest.raises(error) as caught:
        OnnxEngine(folder, threads=1)
    assert "\n" not in str(caught.value)


def test_files_that_are_cut(tmp_path: Path) -> None:
    folder = write(tmp_path / "m")
    whole = (folder / "model.onnx").read_bytes()
    for cut in (1, 7, 50, 1000, len(whole) // 2, len(whole) - 1):
        (folder / "model.onnx").write_bytes(whole[:cut])
        with pytest.raises((ModelInvalid, ModelUnsupported)):
            OnnxEngine(folder, threads=1)


def outside(folder: Path, location: str) -> Path:
    """A model whose weights lie in a file of their own."""
    path = folder / "model.onnx"
    model = onnx.load(str(path))
    onnx.save(
        model,
        str(path),
        save_as_external_data=True,
        location="model.onnx_data",
        size_threshold=1024,
    )
    path.write_bytes(path.read_bytes().replace(b"model.onnx_data", location.encode()))
    return path


def test_weights_beside_the_graph(tmp_path: Path) -> None:
    folder = write(tmp_path / "m")
    plain = OnnxEngine(folder, threads=1)
    expected, parameters = say(plain, PROMPT), plain.info.parameters
    plain.close()
    path = outside(folder, "model.onnx_data")
    assert inspect_onnx(path).external == (folder / "model.onnx_data",)
    engine = OnnxEngine(folder, threads=1)
    assert engine.info.bytes > (folder / "model.onnx_data").stat().st_size
    assert (say(engine, PROMPT), engine.info.parameters) == (expected, parameters)
    engine.close()
    (folder / "model.onnx_data").unlink()
    with pytest.raises(ModelNotFound, match=r"model\.onnx_data"):
        OnnxEngine(folder, threads=1)


@pytest.mark.parametrize("location", ["../../x.onnx__", "/etc/passwd_xyz"])
def test_weights_outside_the_folder(tmp_path: Path, location: str) -> None:
    assert len(location) <= len("model.onnx_data")
    folder = write(tmp_path / "m")
    outside(folder, location.ljust(len("model.onnx_data"), "x"))
    with pytest.raises(ModelInvalid, match="not a file in its folder"):
        OnnxEngine(folder, threads=1)


# Providers


def test_providers() -> None:
    with pytest.raises(ConfigError, match="did you mean cuda"):
        provider_key("cudda")
    with pytest.raises(ConfigError, match="there are cpu"):
        provider_key("quantum")
    cpu = "CPUExecutionProvider"
    assert chosen("cpu", [cpu]) == ([cpu], None)
    assert chosen("cuda", ["CUDAExecutionProvider", cpu]) == (["CUDAExecutionProvider", cpu], None)
    names, notice = chosen("coreml", [cpu])
    assert names == [cpu] and notice is not None and "coreml" in notice
    assert started("cuda", [cpu]) is not None
    assert started("cpu", [cpu]) is None


def test_a_provider_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with edgemind.load(write(tmp_path / "m"), provider="qnn", threads=1) as mind:
        assert len(mind.notices) == 1 and "qnn" in mind.notices[0]
        assert mind._engine.device == "cpu:1"


# Memory


@pytest.fixture
def sized(tmp_path: Path) -> Callable[[int], OnnxEngine]:
    folder = write(tmp_path / "m", Kind(kv_heads=2))

    def made(memory: int) -> OnnxEngine:
        return OnnxEngine(folder, width=8, threads=1, memory=memory)

    return made


TOKEN_BYTES = 2 * 2 * 2 * 16 * 4  # layers, keys and values, heads, their width, floats


def test_room_and_memory_that_runs_out(sized: Callable[[int], OnnxEngine]) -> None:
    engine = sized(1000 * TOKEN_BYTES)
    # 100 tokens of the prompt, then 2 x 100 for each branch, past and present.
    assert [engine.room(tokens) for tokens in (10, 100, 200, 400, 2000)] == [8, 4, 2, 0, 0]
    root = engine.prefill([7] * 90, GREEDY)
    children = engine.fork(root, [GREEDY] * 8)
    for child in children:
        part(child)  # else they are one as long as they say the same
    assert len(engine.step(children)) == 8, "the prompt's run told what comes first"
    before = [[*child.tokens] for child in children]
    with pytest.raises(ContextFull, match="fewer branches"):
        engine.step(children)
    assert [child.tokens for child in children] == before
    for child in children[4:]:
        engine.drop(child)
    assert len(engine.step(children[:4])) == 4
    engine.close()


def test_dropping_gives_memory_back(sized: Callable[[int], OnnxEngine]) -> None:
    engine = sized(1 << 30)
    root = engine.prefill([7] * 300, GREEDY)
    children = engine.fork(root, [GREEDY] * 8)
    assert engine.cache_bytes < 3.5 * 300 * TOKEN_BYTES, "a fork copies nothing"
    engine.step(children)
    engine.step(children)
    assert engine.cache_bytes < 3.5 * 300 * TOKEN_BYTES, "nor do twins take more than one"
    for child in children:
        part(child)
    engine.step(children)
    whole = engine.cache_bytes
    assert 17 * 300 * TOKEN_BYTES < whole < 1.3 * 17 * 300 * TOKEN_BYTES
    for child in children[:4]:
        engine.drop(child)
    assert engine.cache_bytes < whole / 2
    for child in children[4:]:
        engine.drop(child)
    engine.drop(root)
    assert engine.cache_bytes == 0
    engine.close()


def test_a_step_copies_nothing_while_its_branches_stay(tmp_path: Path) -> None:
    folder = write(tmp_path / "m", Kind("fused", "genai", kv_heads=2))
    engine = OnnxEngine(folder, width=8, threads=1)
    branches = engine.fork(engine.prefill(PROMPT, GREEDY), [GREEDY] * 4)
    for _ in range(2):  # the first one draws from what the prompt's run gave
        engine.step(branches)
    [pack] = {branch.pack for branch in branches}  # type: ignore[attr-defined]
    addresses = [array.ctypes.data for array in pack.arrays]
    for _ in range(30):
        engine.step(branches)
    assert {branch.pack for branch in branches} == {pack}  # type: ignore[attr-defined]
    assert [array.ctypes.data for array in pack.arrays] == addresses, "it is written in place"
    engine.close()


def test_a_running_run_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag is set once the graph runs: onnxruntime sees it at its next node."""
    engine = OnnxEngine(write(tmp_path / "m"), threads=1)
    expected = say(engine, PROMPT)
    branch = engine.prefill(PROMPT, GREEDY)
    said = [engine.step([branch])[0].id]
    [session] = engine._run._sessions
    run = session.run_with_iobinding

    def late(binding: object, options: object) -> None:
        engine.interrupt()
        run(binding, options)

    monkeypatch.setattr(session, "run_with_iobinding", late)
    with pytest.raises(Interrupted):
        engine.step([branch])
    monkeypatch.undo()
    engine.resume()
    assert said + [engine.step([branch])[0].id for _ in range(7)] == expected
    engine.close()


def test_logits_of_a_long_prompt_are_never_whole(tmp_path: Path) -> None:
    sizes: dict[bool, int] = {}
    for keep in (False, True):
        kind = dataclasses.replace(Kind(), keep=keep)
        engine = OnnxEngine(write(tmp_path / str(keep), kind), threads=1)
        runner = engine._run
        assert runner.vocabulary_size == VOCABULARY
        made: list[int] = []
        bind = runner.bind_logits

        def noted(
            which: int, rows: int, length: int = 1, made: list[int] = made, bind: Any = bind
        ) -> None:
            made.append(rows * length)
            bind(which, rows, length)

        runner.bind_logits = noted  # type: ignore[method-assign]
        engine.drop(engine.prefill(OTHER * 40, GREEDY))
        sizes[keep] = max(made)
        # With a real vocabulary the chunks are small where the graph gives all logits.
        runner.vocabulary_size = 152_000
        assert runner.chunk_tokens == (512 if keep else 110)
        engine.close()
    assert sizes == {False: 512, True: 1}
