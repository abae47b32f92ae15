"""What a GGUF file says it is: facts of sound ones, impossible ones refused, parts put together."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edgemind.catalog.bundled import BYTES, SHA256, bundled_hash, bundled_model, is_bundled
from edgemind.catalog.gguf_model import GgufModel, inspect_gguf
from edgemind.catalog.gguf_types import ARRAY, FLOAT32, INT32, STRING, UINT16, UINT32, UINT64
from edgemind.errors import ModelError, ModelInvalid, ModelNotFound, ModelUnsupported
from fuzz_seeds import Pair, generated, header, model_pairs

TOKENS = [b"t%d" % number for number in range(10)]
EMBEDDING = (b"token_embd.weight", (32, 10), 0, 0)
WEIGHTS = bytes(32 * 10 * 4)


def write(path: Path, pairs: list[Pair], tensors: list[object] | None = None) -> Path:
    path.write_bytes(header(pairs, [EMBEDDING] if tensors is None else tensors, data=WEIGHTS))  # type: ignore[arg-type]
    return path


def changed(*changes: Pair) -> list[Pair]:
    """The keys of a sound model, with these in their place; a value of None takes one out."""
    keys = {key: (key, kind, value) for key, kind, value in model_pairs(TOKENS)}
    keys |= {change[0]: change for change in changes}
    return [pair for pair in keys.values() if pair[2] is not None]


def test_the_bundled_model_and_its_hash(nano: Path) -> None:
    found = inspect_gguf(nano)
    assert (found.parts, found.bytes, found.architecture) == ((nano,), BYTES, "llama")
    assert found.licence == "apache-2.0" and found.notes == ()
    assert found.vocabulary > 1000 and found.context >= 1024 and found.parameters > 4_000_000
    assert dict(found.types).keys() == {"Q8_0", "F32"}
    assert bundled_hash() == SHA256, "a new model: put its size and hash into catalog/bundled.py"


def test_what_is_bundled_is_told_by_its_place(nano: Path, tmp_path: Path) -> None:
    copy, link = tmp_path / nano.name, tmp_path / "link.gguf"
    copy.write_bytes(nano.read_bytes())
    link.symlink_to(nano)
    assert is_bundled(bundled_model()) and is_bundled(link)
    assert not is_bundled(copy) and not is_bundled(tmp_path / "none")


def test_a_bundled_model_of_another_size_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.catalog.bundled.BYTES", BYTES + 1)
    assert not is_bundled(bundled_model())


def test_what_a_model_says(tmp_path: Path) -> None:
    template = b"{{ messages }}" * 100
    path = write(
        tmp_path / "a.gguf",
        changed(
            ("general.name", STRING, b"a\x1b[2Jb"),
            ("general.license", STRING, b"mit"),
            ("tokenizer.ggml.pre", STRING, b"smollm"),
            ("tokenizer.chat_template", STRING, template),
            ("tokenizer.ggml.padding_token_id", UINT32, 99),
        ),
    )
    assert inspect_gguf(path) == GgufModel(
        parts=(path,),
        bytes=path.stat().st_size,
        version=3,
        architecture="llama",
        name="a\x1b[2Jb",
        types=(("F32", 1280),),
        tensors=1,
        parameters=320,
        context=64,
        vocabulary=10,
        tokenizer="gpt2/smollm",
        template=hashlib.sha256(template).hexdigest(),
        licence="mit",
        notes=("tokenizer.ggml.padding_token_id is 99, of 10 tokens; llama.cpp ignores it",),
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("general.architecture", STRING, None), "its architecture is ''"),
        (("general.architecture", STRING, b"\x1b[2J"), "its architecture is '.x1b"),
        (("general.architecture", UINT32, 1), "general.architecture is a uint32"),
        (("general.architecture", STRING, b"llama\0x"), "zero byte"),
        (("general.architecture", STRING, b"l" * 300), "too long"),
        (("llama.block_count", UINT32, None), "llama.block_count is missing"),
        (("llama.block_count", UINT32, 0), "0 layers"),
        (("llama.block_count", UINT32, 513), "513 layers"),
        (("llama.block_count", INT32, 2), "llama.block_count is a int32"),
        (("llama.nextn_predict_layers", UINT32, 3), "more than all 2 layers"),
        (("llama.context_length", UINT32, None), "llama.context_length is missing"),
        (("llama.context_length", UINT32, 0), "llama.context_length is 0"),
        (("llama.embedding_length", UINT32, 0), "llama.embedding_length is 0"),
        (("llama.embedding_length", UINT32, 33), "does not divide among 2 heads"),
        (("llama.attention.head_count", ARRAY, (UINT32, [2])), "list of 2 numbers"),
        (("llama.attention.head_count", ARRAY, (UINT64, [2, 2])), "list of 2 numbers"),
        (("llama.attention.head_count", ARRAY, (INT32, [2, -2])), "negative number -2"),
        (("llama.attention.head_count_kv", UINT32, 3), "2 heads over 3 in layer 0"),
        (("llama.attention.head_count_kv", ARRAY, (INT32, [1, 3])), "2 heads over 3 in layer 1"),
        (("llama.rope.dimension_count", UINT32, 7), "is odd"),
        (("llama.rope.scaling.type", STRING, b"twist"), "is 'twist'"),
        (("llama.expert_count", UINT32, 1025), "1025 experts"),
        (("llama.expert_count", UINT32, 4), "0 of 4 experts are used"),
        (("llama.expert_used_count", UINT32, 1), "1 of 0 experts are used"),
        (("llama.expert_group_count", UINT32, 1), "1 groups of 0 experts"),
        (("tokenizer.ggml.model", STRING, None), "tokenizer.ggml.model is missing"),
        (("tokenizer.ggml.tokens", ARRAY, None), "missing or empty"),
        (("tokenizer.ggml.tokens", ARRAY, (STRING, [])), "missing or empty"),
        (("tokenizer.ggml.tokens", ARRAY, (INT32, [1])), "list of the wrong type"),
        (("tokenizer.ggml.tokens", ARRAY, (STRING, TOKENS[:9])), "9 values|10 values for 9"),
        (("tokenizer.ggml.token_type", ARRAY, (INT32, [1] * 9)), "9 values for 10 tokens"),
        (("tokenizer.ggml.token_type", ARRAY, (FLOAT32, [1] * 10)), "wrong type"),
        (("tokenizer.ggml.scores", ARRAY, (FLOAT32, [1] * 11)), "11 values for 10 tokens"),
        (("tokenizer.ggml.scores", UINT32, 1), "scores is a uint32"),
        (("tokenizer.ggml.merges", ARRAY, (INT32, [1])), "wrong type"),
        (("tokenizer.ggml.eos_token_id", INT32, 1), "eos_token_id is a int32"),
        (("tokenizer.chat_template", STRING, b"x" * ((1 << 20) + 1)), "template of 1048577 bytes"),
        (("tokenizer.chat_template", UINT32, 1), "chat_template is a uint32"),
        (("split.count", UINT32, 2), "split.count is a uint32"),
        (("split.count", UINT16, 600), "600 parts"),
        (("split.count", UINT16, 2), "split.no is missing"),
    ],
)
def test_models_that_cannot_be(tmp_path: Path, change: Pair, reason: str) -> None:
    inspect_gguf(write(tmp_path / "sound.gguf", changed()))
    path = write(tmp_path / "bad.gguf", changed(change))
    with pytest.raises(ModelInvalid, match=reason) as caught:
        inspect_gguf(path)
    assert str(caught.value).startswith(f"{path} is not a sound GGUF file: ")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([("llama.expert_group_count", UINT32, 4)], "4 groups of 4 experts"),
        ([("llama.expert_group_count", UINT32, 3)], "0 of 3 groups of 4 experts are used"),
        ([("llama.expert_used_count", UINT32, 5)], "5 of 4 experts are used"),
    ],
)
def test_experts_that_cannot_be(tmp_path: Path, changes: list[Pair], reason: str) -> None:
    sound: list[Pair] = [
        ("llama.expert_count", UINT32, 4),
        ("llama.expert_used_count", ARRAY, (UINT32, [2, 1])),
    ]
    inspect_gguf(write(tmp_path / "sound.gguf", changed(*sound)))
    with pytest.raises(ModelInvalid, match=reason):
        inspect_gguf(write(tmp_path / "bad.gguf", changed(*sound, *changes)))


def test_layers_without_attention(tmp_path: Path) -> None:
    heads: list[Pair] = [
        ("llama.attention.head_count", ARRAY, (INT32, [2, 0])),
        ("llama.attention.head_count_kv", ARRAY, (INT32, [0, 0])),
    ]
    inspect_gguf(write(tmp_path / "hybrid.gguf", changed(*heads)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("general.type", STRING, b"mmproj"), "not a language model but a 'mmproj'"),
        (("tokenizer.ggml.model", STRING, b"no_vocab"), "no vocabulary"),
        (("tokenizer.ggml.model", STRING, b"llama"), "no token for byte 0x00"),
    ],
)
def test_sound_files_that_are_no_use(tmp_path: Path, change: Pair, reason: str) -> None:
    with pytest.raises(ModelUnsupported, match=reason):
        inspect_gguf(write(tmp_path / "other.gguf", changed(change)))


def test_a_vocabulary_alone(tmp_path: Path) -> None:
    with pytest.raises(ModelUnsupported, match="holds no weights"):
        inspect_gguf(write(tmp_path / "vocabulary.gguf", changed(), []))


def test_a_vocabulary_with_all_bytes(tmp_path: Path) -> None:
    """One byte that no text can hold may be missing, no other."""
    for missing, sound in ((0xC1, True), (0xC3, False), (0x20, False)):
        tokens = [b"<0x%02X>" % byte for byte in range(256) if byte != missing]
        pairs = model_pairs(tokens)
        pairs[pairs.index(("tokenizer.ggml.model", STRING, b"gpt2"))] = (
            "tokenizer.ggml.model", STRING, b"llama",
        )  # fmt: skip
        path = tmp_path / f"{missing}.gguf"
        tensors = [(b"token_embd.weight", (32, 255), 0, 0)]
        path.write_bytes(header(pairs, tensors, data=bytes(32 * 255 * 4)))
        if sound:
            assert inspect_gguf(path).tokenizer == "llama"
        else:
            with pytest.raises(ModelUnsupported, match=f"byte 0x{missing:02X}"):
                inspect_gguf(path)


# Split files


def part(folder: Path, number: int, count: int, *changes: Pair, name: str = "m") -> Path:
    """Part `number` of `count`, each with one tensor."""
    split: list[Pair] = [
        ("split.no", UINT16, number),
        ("split.count", UINT16, count),
        ("split.tensors.count", INT32, count),
    ]
    pairs = changed(*split) if number == 0 else split
    keys = {pair[0]: pair for pair in pairs} | {change[0]: change for change in changes}
    tensor = EMBEDDING if number == 0 else (b"t%d" % number, (8,), 0, 0)
    path = folder / f"{name}-{number + 1:05d}-of-{count:05d}.gguf"
    return write(path, [*keys.values()], [tensor])


def test_a_split_model(tmp_path: Path) -> None:
    parts = [part(tmp_path, number, 3) for number in range(3)]
    found = inspect_gguf(parts[0])
    assert (found.parts, found.tensors) == (tuple(parts), 3)
    assert found.bytes == sum(path.stat().st_size for path in parts)
    with pytest.raises(ModelUnsupported, match="part 2 of 3: name the first"):
        inspect_gguf(parts[1])
    parts[2].unlink()
    with pytest.raises(ModelNotFound, match=r"part 1 of 3, and .*-00003-of-00003\.gguf is missing"):
        inspect_gguf(parts[0])


@pytest.mark.parametrize(
    ("number", "change", "reason"),
    [
        (1, ("split.no", UINT16, 0), "it is part 0 of 2"),
        (1, ("split.no", UINT32, 1), "split.no is a uint32"),
        (1, ("split.count", UINT16, 3), "it is part 1 of 3"),
        (0, ("split.tensors.count", INT32, 3), "does not say 2"),
    ],
)
def test_parts_that_do_not_go_together(
    tmp_path: Path, number: int, change: Pair, reason: str
) -> None:
    first = part(tmp_path, 0, 2)
    part(tmp_path, 1, 2)
    part(tmp_path, number, 2, change)
    with pytest.raises(ModelError, match=reason):
        inspect_gguf(first)


def test_a_part_under_another_name_or_damaged(tmp_path: Path) -> None:
    first = part(tmp_path, 0, 2)
    second = part(tmp_path, 1, 2)
    second.write_bytes(second.read_bytes()[:-2000])
    with pytest.raises(ModelInvalid, match=r"-00002-of-00002\.gguf is not a sound GGUF file"):
        inspect_gguf(first)
    with pytest.raises(ModelInvalid, match="has to be called"):
        inspect_gguf(first.rename(tmp_path / "other.gguf"))


def test_a_tensor_in_two_parts(tmp_path: Path) -> None:
    first = part(tmp_path, 0, 2)
    write(
        tmp_path / "m-00002-of-00002.gguf",
        [("split.no", UINT16, 1), ("split.count", UINT16, 2)],
        [EMBEDDING],
    )
    with pytest.raises(ModelInvalid, match=r"'token_embd.weight' stands in 2 parts"):
        inspect_gguf(first)


def test_generated_seeds_are_sound(tmp_path: Path) -> None:
    path = tmp_path / "seed.gguf"
    path.write_bytes(generated())
    assert inspect_gguf(path).vocabulary == 40
