"""The reader of GGUF headers: what is sound it reads, what is not it refuses, with the place."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path
from struct import pack

import gguf
import pytest

import fuzz_seeds
from edgemind.catalog import gguf_header
from edgemind.catalog.gguf_header import Header, List, Text, parse_header, read_header
from edgemind.catalog.gguf_types import (
    ARRAY,
    BOOL,
    FLOAT32,
    INT8,
    INT32,
    STRING,
    TENSOR_TYPES,
    UINT16,
    UINT32,
    UINT64,
)
from edgemind.errors import ModelInvalid, ModelNotFound
from fuzz_seeds import Pair, header, string

F32, Q4_0 = 0, 2
NAME: Pair = ("general.name", STRING, b"x")
TOKENS = gguf_header.TOKENS


def parse(data: bytes, size: int | None = None) -> Header:
    return parse_header(io.BytesIO(data), len(data) if size is None else size, "x.gguf")


def refused(data: bytes, reason: str, size: int | None = None) -> int:
    """The byte that the refusal names."""
    with pytest.raises(ModelInvalid, match=reason) as caught:
        parse(data, size)
    told = str(caught.value)
    assert told.startswith("x.gguf is not a sound GGUF file: ")
    assert "\n" not in told
    return int(told.rpartition("(byte ")[2].rstrip(")"))


@pytest.mark.parametrize("version", [2, 3])
def test_what_a_sound_header_holds(version: int) -> None:
    pairs: list[Pair] = [
        NAME,
        ("a.long", STRING, long := b"y" * 1000),
        ("a.count", UINT32, 7),
        ("a.share", FLOAT32, 0.5),
        ("a.yes", BOOL, 1),
        ("a.list", ARRAY, (INT32, [1, -2, 3])),
        ("a.words", ARRAY, (STRING, [b"", b"two", b"z" * 500])),
    ]
    tensors = [(b"one", (4, 2), F32, 0), (b"two", (64,), Q4_0, 32), (b"none", (), F32, 96)]
    data = header(pairs, tensors, version=version, data=bytes(100))
    found = parse(data)
    assert (found.version, found.size, found.alignment) == (version, len(data), 32)
    values = found.values
    assert [values[key].value for key in ("general.name", "a.count", "a.share", "a.yes")] == [
        b"x", 7, 0.5, 1,
    ]  # fmt: skip
    text = values["a.long"].value
    assert isinstance(text, Text) and data[text.start : text.start + text.length] == long
    numbers = values["a.list"].value
    assert isinstance(numbers, List) and (numbers.kind, numbers.count) == (INT32, 3)
    assert data[numbers.start : numbers.start + 4] == pack("<i", 1)
    assert [(t.name, t.shape, t.type.name, t.offset) for t in found.tensors] == [
        (b"one", (4, 2), "F32", 0), (b"two", (64,), "Q4_0", 32), (b"none", (), "F32", 96),
    ]  # fmt: skip
    assert [(t.elements, t.bytes) for t in found.tensors] == [(8, 32), (64, 36), (1, 4)]


def test_types_of_tensors_are_those_of_the_library() -> None:
    known = {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    known[9] = (32, 36)  # Q8_1 lost two bytes each of its scales in llama.cpp, and is never stored
    ours = {number: (one.block, one.size) for number, one in TENSOR_TYPES.items()}
    assert {number: ours.get(number) for number in known} == known


def test_a_header_that_begins_wrong() -> None:
    sound = header([NAME])
    assert refused(b"", "starts with ''") == 0
    assert refused(b"GGML" + sound[4:], "starts with 'GGML'") == 0
    assert refused(b"FUGG" + sound[4:], "big-endian") == 0
    assert refused(sound[:4] + pack(">I", 3) + sound[8:], "big-endian") == 4
    for version in (0, 1, 4, 0xFFFF):
        assert refused(sound[:4] + pack("<I", version) + sound[8:], f"version {version}") == 4
    assert refused(sound[:20], "20 bytes should follow and there are 16") == 4


@pytest.mark.parametrize("count", [1 << 63, (1 << 64) - 1, 1 << 32, 10_000, 300])
def test_counts_that_do_not_fit(count: int) -> None:
    sound = header([NAME])
    reason = "at most" if count > 1 << 14 else "at most|do not fit"
    assert refused(sound[:8] + pack("<Q", count) + sound[16:], reason) == 8
    assert refused(sound[:16] + pack("<Q", count) + sound[24:], reason) == 16


def test_a_file_cut_anywhere_is_refused() -> None:
    whole = fuzz_seeds.generated(5)
    for length in range(len(whole)):
        refused(whole[:length], "(byte|starts with)")
    parse(whole)


def test_lengths_beyond_the_file() -> None:
    data = header([NAME, ("a.list", ARRAY, (INT32, [1, 2, 3]))])
    at = data.index(string(b"x"))
    assert refused(data[:at] + pack("<Q", 1 << 62) + data[at + 8 :], "a string of") == at
    at = data.index(pack("<IQ", INT32, 3)) + 4
    for count in (1000, 1 << 61, 1 << 62, (1 << 64) - 1):
        assert refused(data[:at] + pack("<Q", count) + data[at + 8 :], "do not fit") == at


def test_keys_that_cannot_be() -> None:
    assert refused(header([("", UINT32, 1)]), "key 0 is ''") == 24
    assert refused(header([NAME, NAME]), "'general.name' stands twice") > 24
    # To a reader that stops at a zero byte these would be one key.
    refused(header([NAME, ("general.name\0x", UINT32, 1)]), "key 1 is 'general.name.x00x'")
    refused(header([("a\x1b[2J", UINT32, 1)]), "x1b")
    bad = header([("ab", UINT32, 1)]).replace(b"ab", b"\xff\xfe")
    refused(bad, "not UTF-8")
    refused(header([("k" * 1025, UINT32, 1)]), "at most 1024")


def test_types_that_are_unknown() -> None:
    data = header([("ab", UINT32, 1)])
    at = data.index(b"ab") + 2
    for kind in (13, 100, (1 << 32) - 1):
        assert refused(data[:at] + pack("<I", kind) + data[at + 4 :], "unknown type") == at
    listed = header([("ab", ARRAY, (INT8, [1]))])
    at = listed.index(b"ab") + 6
    refused(listed[:at] + pack("<I", 77) + listed[at + 4 :], "list of the unknown type 77")
    refused(listed[:at] + pack("<I", ARRAY) + listed[at + 4 :], "list of lists")


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (UINT32, 0, "power of two"),
        (UINT32, 24, "power of two"),
        (UINT32, 1 << 21, "power of two"),
        (UINT64, 32, "uint64, not a uint32"),
        (STRING, b"32", "string, not a uint32"),
    ],
)
def test_alignments_that_cannot_be(kind: int, value: object, reason: str) -> None:
    refused(header([("general.alignment", kind, value)]), reason)


def test_an_alignment_moves_the_weights() -> None:
    pairs: list[Pair] = [("general.alignment", UINT32, 1 << 12)]
    tensors = [(b"one", (8,), F32, 0), (b"two", (8,), F32, 1 << 12)]
    data = header(pairs, tensors, data=bytes((1 << 12) + 32), alignment=1 << 12)
    assert len(parse(data).tensors) == 2
    refused(data[:-1], "behind the end of the file")


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        ((b"a", (8,), 4, 0), "unknown type 4"),
        ((b"a", (8,), 43, 0), "unknown type 43"),
        ((b"a", (8,), (1 << 32) - 1, 0), "unknown type"),
        ((b"a", (8, 1, 1, 1, 1), F32, 0), "5 dimensions"),
        ((b"a", (0, 8), F32, 0), "impossible shape"),
        ((b"a", (1 << 63,), F32, 0), "impossible shape"),
        ((b"a", (1 << 32, 1 << 32), F32, 0), "impossible shape"),
        ((b"a", (1 << 16,) * 4, F32, 0), "impossible shape"),
        ((b"a", (31,), Q4_0, 0), "no multiple of the 32"),
        ((b"a", (8,), F32, 4), "not aligned"),
        ((b"a", (8,), F32, 1 << 20), "behind the end"),
        ((b"a", (8,), F32, (1 << 64) - 32), "behind the end"),
        ((b"a", (1 << 40,), F32, 0), "behind the end"),
        ((b"a" * 64, (8,), F32, 0), "at most 63"),
        ((b"a\0b", (8,), F32, 0), "is no name"),
        ((b"\xff", (8,), F32, 0), "is no name"),
    ],
)
def test_tensors_that_cannot_be(
    tensor: tuple[bytes, tuple[int, ...], int, int], reason: str
) -> None:
    made = header([NAME], [tensor], data=bytes(64))
    assert 24 < refused(made, reason) < len(made)


def test_tensors_twice_or_one_over_the_other() -> None:
    one = (b"one", (16,), F32, 0)
    refused(header([NAME], [one, (b"one", (8,), F32, 64)], data=bytes(96)), "'one' stands twice")
    refused(header([NAME], [one, (b"two", (8,), F32, 32)], data=bytes(96)), "overlap")
    refused(header([NAME], [(b"two", (8,), F32, 32), one], data=bytes(96)), "overlap")
    parse(header([NAME], [(b"two", (8,), F32, 64), one], data=bytes(96)))


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ([b"a", b"b", b"a"], "'a' is number 0 and 2"),
        ([b"ab", b"b", b"ab\0c"], "'ab' is number 0 and 2"),
        ([b"[EMPTY_2]", b"b", b""], r"'\[EMPTY_2\]' is number 0 and 2"),
        ([b"x", b"\0a", b"[EMPTY_1]"], r"'\[EMPTY_1\]' is number 1 and 2"),
    ],
)
def test_tokens_twice(tokens: list[bytes], reason: str) -> None:
    data = header([(TOKENS, ARRAY, (STRING, tokens))])
    at = refused(data, reason)
    assert data[at : at + len(tokens[2])] == tokens[2]


def test_equal_hashes_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_header, "hash", len, raising=False)
    tokens = [b"a", b"b", b"cc", b"dd", b"eee"]
    data = header([(TOKENS, ARRAY, (STRING, tokens)), NAME])
    assert parse(data).values["general.name"].value == b"x"
    refused(header([(TOKENS, ARRAY, (STRING, [*tokens, b"b"]))]), "'b' is number 1 and 5")


def test_tokens_for_bytes_are_found() -> None:
    tokens = [b"<0x0A>", b"a", b"<0xff>", b"<0xFF>", b"word"]
    found = parse(header([(TOKENS, ARRAY, (STRING, tokens))]))
    assert found.byte_tokens == {b"<0x0A>", b"a", b"<0xFF>"}


class Zeros(io.RawIOBase):
    """A file of zeros behind a header: as long as anybody claims, and nothing on the disk."""

    def __init__(self, head: bytes) -> None:
        self._head, self._at, self.read_bytes = head, 0, 0

    def seek(self, offset: int, _whence: int = 0) -> int:
        self._at = offset
        return offset

    def read(self, count: int = -1) -> bytes:
        self.read_bytes += count
        part = self._head[self._at : self._at + count]
        self._at += count
        return part.ljust(count, b"\0")


@pytest.mark.parametrize(
    "head",
    [
        pack("<IQ", STRING, 1 << 15),
        pack("<IQ", STRING, 1 << 40),
        pack("<IQ", INT32, 1 << 40),
        pack("<IQQ", STRING, 1 << 21, 1 << 33),
    ],
)
@pytest.mark.parametrize("key", [b"a.words", TOKENS.encode()])
def test_a_huge_file_is_not_read(head: bytes, key: bytes) -> None:
    """Lists that claim terabytes, in a file that has them: memory and reading stay small."""
    start = b"GGUF" + pack("<IQQ", 3, 0, 2) + string(key) + pack("<I", ARRAY)
    file = Zeros(start + head)
    tracemalloc.start()
    try:
        with pytest.raises(ModelInvalid):
            parse_header(file, 1 << 50, "x.gguf")  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20
    assert file.read_bytes < 80 << 20


def test_long_strings_in_lists_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [b"x" * 70_000]
    refused(header([("a", ARRAY, (STRING, words))]), "string 0 of a list has 70000 bytes")
    refused(header([(TOKENS, ARRAY, (STRING, words))]), "string 0 of a list has 70000 bytes")
    monkeypatch.setattr(gguf_header, "MAX_LIST_BYTES", 500_000)
    many = [b"%060d" % number for number in range(5000)]
    parse(header([("a", ARRAY, (STRING, many))]))
    twice: list[Pair] = [("a", ARRAY, (STRING, many)), ("b", ARRAY, (STRING, many * 2))]
    refused(header(twice), "lists of strings are too long")


def test_strings_across_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.formats.window.CHUNK", 16)
    tokens = [b"t" * (number % 40) + b"%d" % number for number in range(300)]
    found = parse(header([(TOKENS, ARRAY, (STRING, tokens)), ("a", ARRAY, (STRING, tokens)), NAME]))
    assert found.values["general.name"].value == b"x"


def test_a_file_that_shrinks() -> None:
    data = header([NAME, ("a.long", STRING, b"y" * 1000)])
    refused(data[:40], "became shorter while it was read", size=len(data))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelInvalid, match="folder"):
        read_header(tmp_path)
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ModelInvalid, match="not a regular file"):
        read_header(tmp_path / "pipe.gguf")
    with pytest.raises(ModelInvalid, match="not a regular file"):
        read_header(Path("/dev/zero"))


def test_the_bundled_model(nano: Path) -> None:
    found = read_header(nano)
    used = max(tensor.offset + tensor.bytes for tensor in found.tensors)
    assert 0 < found.size - used < 1 << 20
    assert found.values["split.count"].kind == UINT16 if "split.count" in found.values else True
