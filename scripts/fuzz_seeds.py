"""Sound model files to start fuzzing from, and ways to spoil them. For `fuzz_headers.py` and tests.

Seeds are made small, since a mutation of a short header reaches more than one of a long list:
generated headers, the bundled model's, and real vocabularies with their lists cut short.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import pack

from edgemind.catalog.gguf_header import Header, List, Text, parse_header
from edgemind.catalog.gguf_types import ARRAY, FORMS, INT32, STRING, UINT32

WEIGHTS = 4096
"""Bytes kept of what follows a header."""
INTERESTING = (
    *(0, 1, 2, 3, 4, 7, 8, 9, 31, 32, 33, 63, 64, 255, 256, 512, 513, 1024, 65_535, 65_536),
    *((1 << 20) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 40), (1 << 62)),
    *((1 << 63) - 1, 1 << 63, (1 << 64) - 8, (1 << 64) - 1),
)

Pair = tuple[str, int, object]
"""A key, its type, and its value; for a list the value is (type, values)."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The head of a file of `size` bytes, and the places in it worth spoiling."""

    name: str
    data: bytes
    size: int
    places: tuple[int, ...]


def string(text: bytes) -> bytes:
    """A GGUF string."""
    return pack("<Q", len(text)) + text


def value(kind: int, held: object) -> bytes:
    """A GGUF value without its type."""
    if kind == STRING:
        assert isinstance(held, bytes)
        return string(held)
    if kind == ARRAY:
        assert isinstance(held, tuple)
        inner, values = held
        return pack("<IQ", inner, len(values)) + b"".join(value(inner, one) for one in values)
    return FORMS[kind].pack(held)


def header(
    pairs: Iterable[Pair],
    tensors: Sequence[tuple[bytes, Sequence[int], int, int]] = (),
    *,
    version: int = 3,
    data: bytes = b"",
    alignment: int = 32,
) -> bytes:
    """A GGUF file: pairs, then tensors (name, shape, type, offset), then `data`, aligned."""
    pairs = list(pairs)
    made = b"GGUF" + pack("<IQQ", version, len(tensors), len(pairs))
    for key, kind, held in pairs:
        made += string(key.encode()) + pack("<I", kind) + value(kind, held)
    for name, shape, number, offset in tensors:
        made += string(name) + pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
    return made + bytes(-len(made) % alignment) + data


def model_pairs(tokens: Sequence[bytes], architecture: str = "llama") -> list[Pair]:
    """The keys that every model has, over this vocabulary, two layers and two heads."""
    numbers: Mapping[str, int] = {
        "block_count": 2,
        "context_length": 64,
        "embedding_length": 32,
        "feed_forward_length": 32,
        "attention.head_count": 2,
        "attention.head_count_kv": 1,
    }
    return [
        ("general.architecture", STRING, architecture.encode()),
        *((f"{architecture}.{key}", UINT32, number) for key, number in numbers.items()),
        ("tokenizer.ggml.model", STRING, b"gpt2"),
        ("tokenizer.ggml.tokens", ARRAY, (STRING, list(tokens))),
        ("tokenizer.ggml.token_type", ARRAY, (INT32, [1] * len(tokens))),
        ("tokenizer.ggml.merges", ARRAY, (STRING, [b"a b", b"b c"])),
        ("tokenizer.ggml.eos_token_id", UINT32, 1),
    ]


def generated(tokens: int = 40, version: int = 3) -> bytes:
    """A sound model file but for its weights, which are zeros and too few for its architecture."""
    texts = [b"t%d" % number for number in range(tokens)]
    tensors = [
        (b"token_embd.weight", (32, tokens), 0, 0),
        (b"output_norm.weight", (32,), 0, (used := 32 * tokens * 4)),
        (b"blk.0.attn_q.weight", (32, 32), 2, used + 128),
    ]
    data = bytes(used + 128 + 32 * 18)
    return header(model_pairs(texts), tensors, version=version, data=data)


def seed(name: str, data: bytes, size: int | None = None) -> Seed:
    """A seed from a file's head, which has to be sound."""
    size = len(data) if size is None else size
    return Seed(name, data, size, places(parse_header(io.BytesIO(data), size, name), data))


def places(found: Header, data: bytes) -> tuple[int, ...]:
    """Bytes where counts, types, lengths and shapes begin."""
    spots = {4, 8, 16}
    for key, held in found.values.items():
        spots |= {held.offset - 4, held.offset, held.offset + 4, held.offset + 12}
        spots.add(held.offset - 4 - len(key.encode()) - 8)
    for tensor in found.tensors:
        after = data.find(string(tensor.name)) + 8 + len(tensor.name)
        spots |= {after - len(tensor.name) - 8, *range(after, after + 16 + 8 * 4, 4)}
    return tuple(sorted(spot for spot in spots if 0 <= spot < len(data) - 8))


def bundled(path: Path) -> Seed:
    """The header of a model file, and the first of its weights."""
    with path.open("rb") as file:
        size = path.stat().st_size
        found = parse_header(file, size, str(path))
        file.seek(0)
        used = size - sum(-(-tensor.bytes // 32) * 32 for tensor in found.tensors)
        return seed(path.stem, file.read(used + WEIGHTS), size)


def shortened(path: Path, most: int) -> Seed:
    """A vocabulary's file with at most `most` entries in each list, and tensors to go with it."""
    data = path.read_bytes()
    found = parse_header(io.BytesIO(data), len(data), str(path))
    pairs: list[Pair] = []
    tokens = 0
    for key, held in found.values.items():
        kept: object = held.value
        if isinstance(held.value, Text):
            kept = data[held.value.start : held.value.start + min(held.value.length, 2000)]
        elif isinstance(held.value, List):
            kept = (held.value.kind, _first(data, held.value, most))
            if key == "tokenizer.ggml.tokens":
                tokens = min(most, held.value.count)
        pairs.append((key, held.kind, kept))
    embedding = [(b"token_embd.weight", (32, tokens), 0, 0)]
    made = header(pairs, embedding, data=bytes(32 * tokens * 4))
    return seed(path.stem, made)


def _first(data: bytes, listed: List, most: int) -> list[object]:
    form, at, found = FORMS.get(listed.kind), listed.start, list[object]()
    for _ in range(min(most, listed.count)):
        if form is not None:
            found.append(form.unpack_from(data, at)[0])
            at += form.size
        else:
            length = int.from_bytes(data[at : at + 8], "little")
            found.append(data[at + 8 : at + 8 + length])
            at += 8 + length
    return found


def spoiled(
    rng: random.Random, chosen: Seed, others: Sequence[Seed], most: int = 4
) -> tuple[bytes, int]:
    """A seed's data after one to `most` mutations, and the size its file would have."""
    data, size = bytearray(chosen.data), chosen.size
    for _ in range(rng.randint(1, most)):
        before = len(data)
        _spoil(rng, data, chosen.places, others)
        size += len(data) - before
        if len(data) < 8:
            break
    if rng.random() < 0.1:
        size = rng.choice((len(data), rng.randrange(len(data) + 1), size * 2))
    return bytes(data[:size]), max(size, 0)


def _spoil(
    rng: random.Random, data: bytearray, places: Sequence[int], others: Sequence[Seed]
) -> None:
    # Half of the time where it counts, else anywhere.
    at = rng.choice(places) if places and rng.random() < 0.5 else rng.randrange(len(data))
    at = min(at, len(data) - 1)
    length = min(rng.choice((1, 2, 4, 8, 16, 64, 300)), len(data) - at)
    match rng.randrange(9):
        case 0:
            data[at] ^= 1 << rng.randrange(8)
        case 1 | 2:
            width = rng.choice((4, 8))
            number = rng.choice(INTERESTING) & ((1 << 8 * width) - 1)
            data[at : at + width] = number.to_bytes(width, "little")
        case 3:
            width = rng.choice((1, 4, 8))
            now = int.from_bytes(data[at : at + width], "little") + rng.choice((-2, -1, 1, 2, 8))
            data[at : at + width] = (now & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        case 4:
            del data[at : at + length]
        case 5:
            data[at:at] = data[at : at + length] * rng.choice((1, 1, 2, 50))
        case 6:
            data[at:at] = rng.randbytes(length)
        case 7:
            other = rng.choice(others).data
            start = rng.randrange(len(other))
            data[at : at + length] = other[start : start + length]
        case 8:
            del data[rng.randrange(len(data)) if rng.random() < 0.3 else len(data) - length :]
