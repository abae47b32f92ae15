"""What a GGUF file says it is, and whether that can be: one file, or all parts of a split one.

The checks here hold for every architecture. Most stand where llama.cpp asserts, and so would end
the process: a layer count of 0, more experts used than there are, a scaling of rotary positions
that it does not know, a vocabulary without tokens for single bytes. What depends on the
architecture is left to the probe (`edgemind.probe`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

from edgemind.catalog.gguf_header import (
    MAX_TENSORS,
    TOKENS,
    Header,
    List,
    Text,
    parse_header,
)
from edgemind.catalog.gguf_types import (
    ARRAY,
    FLOAT32,
    INT32,
    STRING,
    UINT16,
    UINT32,
)
from edgemind.catalog.gguf_values import Values
from edgemind.errors import ModelNotFound, ModelUnsupported
from edgemind.formats.window import opened, shown

MAX_LAYERS, MAX_EXPERTS = 512, 1024  # llama.cpp's LLAMA_MAX_LAYERS, LLAMA_MAX_EXPERTS
MAX_PARTS: Final = 512
MAX_TEMPLATE_BYTES: Final = 1 << 20
ROPE_SCALINGS: Final = (b"none", b"linear", b"yarn", b"longrope")
NO_VOCABULARY: Final = (b"none", b"no_vocab")
TEMPLATE: Final = "tokenizer.chat_template"
_ARCHITECTURE: Final = re.compile(rb"[a-z0-9][a-z0-9._-]{0,63}")
_PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
# The bytes that UTF-8 is made of.
_BYTES: Final = (*range(0xC0), *range(0xC2, 0xF5))


@dataclass(frozen=True, slots=True)
class GgufModel:
    """A sound file's account of itself. Texts are as they stand in it: not fit for a terminal.

    `types` are the tensors' types with their bytes, the most first. `template` is the SHA-256 of
    the chat template. `notes` are oddities that llama.cpp puts up with. `metadata` are all single
    values but for long texts, as texts.
    """

    parts: tuple[Path, ...]
    bytes: int
    version: int
    architecture: str
    name: str
    types: tuple[tuple[str, int], ...]
    tensors: int
    parameters: int
    context: int
    vocabulary: int
    tokenizer: str
    template: str | None
    licence: str
    notes: tuple[str, ...]
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


def inspect_gguf(path: Path) -> GgufModel:
    """Read and judge the model at `path`, all of its parts.

    Raises `ModelInvalid` with the reason and the byte for a bad file, `ModelUnsupported` for a
    sound one that is no language model, `ModelNotFound` where it, or a part of it, is missing.
    """
    with opened(path) as (file, size):
        return judge(path, file, size)


def judge(path: Path, file: BinaryIO, size: int) -> GgufModel:
    """`inspect_gguf` of an open file of `size` bytes; `path` leads to its other parts."""
    first = _Judge(path, parse_header(file, size, str(path)), file)
    count = first.parts()
    parts, headers = [path], [first.header]
    for number in range(1, count):
        part, header = _part(path, number, count, first)
        parts.append(part)
        headers.append(header)
        if sum(len(header.tensors) for header in headers) > MAX_TENSORS:
            first.fail(f"its parts hold more than {MAX_TENSORS} tensors")
    first.names_differ(headers)
    return first.verdict(tuple(parts), headers)


def _part(path: Path, number: int, count: int, first: _Judge) -> tuple[Path, Header]:
    match = _PART.fullmatch(path.name)
    if match is None or (int(match["number"]), int(match["count"])) != (1, count):
        first.fail(f"part 1 of {count} has to be called …-00001-of-{count:05d}.gguf")
    name = f"{match['stem']}-{number + 1:05d}-of-{count:05d}.gguf"
    part = path.with_name(name)
    try:
        with opened(part) as (file, size):
            other = _Judge(part, parse_header(file, size, str(part)), file)
            found = other.split("split.no"), other.split("split.count")
            if found != (number, count):
                other.fail(f"it says that it is part {found[0]} of {found[1]}", "split.no")
            return part, other.header
    except ModelNotFound:
        raise ModelNotFound(f"{path} is part 1 of {count}, and {part} is missing") from None


class _Judge(Values):
    """One file, looked at key by key."""

    # Parts of a split file

    def split(self, key: str) -> int:
        """`split.no` or `split.count`; they are uint16, and llama.cpp asserts so."""
        found = self.typed(key, UINT16)
        if found is None:
            self.fail(f"{key} is missing")
        assert isinstance(found.value, int)
        return found.value

    def parts(self) -> int:
        """How many parts the model has; this file has to be the first of them."""
        if "split.count" not in self.header.values:
            return 1
        count = self.split("split.count")
        if count <= 1:
            return 1
        if count > MAX_PARTS:
            self.fail(f"{count} parts; at most {MAX_PARTS} are allowed", "split.count")
        if (number := self.split("split.no")) != 0:
            name = f"{self.path} is part {number + 1} of {count}"
            raise ModelUnsupported(f"{name}: name the first")
        return count

    def names_differ(self, headers: list[Header]) -> None:
        """All parts together hold what the first announces, and nothing twice."""
        if len(headers) == 1:
            return
        key = "split.tensors.count"
        found = self.typed(key, INT32)
        names = Counter(tensor.name for header in headers for tensor in header.tensors)
        if found is None or found.value != names.total():
            self.fail(f"{key} does not say {names.total()}, which is what the parts hold", key)
        name, times = names.most_common(1)[0] if names else (b"", 1)
        if times > 1:
            self.fail(f"tensor {shown(name)} stands in {times} parts")

    # What it is

    def verdict(self, parts: tuple[Path, ...], headers: list[Header]) -> GgufModel:
        """The model, judged whole."""
        architecture = self.text("general.architecture")
        if not _ARCHITECTURE.fullmatch(architecture):
            self.fail(f"its architecture is {shown(architecture)}", "general.architecture")
        kind = self.text("general.type") or b"model"
        if kind != b"model":
            raise ModelUnsupported(f"{self.path} is not a language model but a {shown(kind)}")
        tensors = [tensor for header in headers for tensor in header.tensors]
        if not tensors:
            raise ModelUnsupported(f"{self.path} holds no weights (a vocabulary alone?)")
        name = architecture.decode()
        self._shape(name)
        self._experts(name)
        vocabulary, tokenizer = self._vocabulary(headers)
        notes = tuple(self._odd_tokens(vocabulary))
        types: Counter[str] = Counter()
        for tensor in tensors:
            types[tensor.type.name] += tensor.bytes
        return GgufModel(
            parts=parts,
            bytes=sum(header.size for header in headers),
            version=self.header.version,
            architecture=name,
            name=self._words("general.name"),
            types=tuple(types.most_common()),
            tensors=len(tensors),
            parameters=sum(tensor.elements for tensor in tensors),
            context=self.number(f"{name}.context_length"),
            vocabulary=vocabulary,
            tokenizer=tokenizer,
            template=self._template(),
            licence=self._words("general.license"),
            notes=notes,
            metadata=MappingProxyType(dict(self._single_values())),
        )

    def _single_values(self) -> Iterator[tuple[str, str]]:
        for key, value in self.header.values.items():
            match value.value:
                case bytes() as text:
                    yield key, text.decode("utf-8", "replace")
                case int() | float() as number:
                    yield key, str(number)

    def _words(self, key: str) -> str:
        """A short text for people; empty where there is none."""
        found = self.header.values.get(key)
        if found is None or not isinstance(found.value, bytes):
            return ""
        return found.value.decode("utf-8", "replace")

    def _shape(self, name: str) -> None:
        layers = self.number(f"{name}.block_count")
        if not 0 < layers <= MAX_LAYERS:
            self.fail(f"{layers} layers; 1 to {MAX_LAYERS} are possible", f"{name}.block_count")
        further = f"{name}.nextn_predict_layers"
        if self.number(further, 0) > layers:
            self.fail(f"{further} is more than all {layers} layers", further)
        for key in (f"{name}.context_length", width := f"{name}.embedding_length"):
            if self.number(key) == 0:
                self.fail(f"{key} is 0", key)
        heads_key, kv_key = f"{name}.attention.head_count", f"{name}.attention.head_count_kv"
        heads = self.numbers(heads_key, layers)
        if heads is not None:
            size = f"{name}.attention.key_length"
            if self.number(size, 0) == 0 and heads[0] and self.number(width) % heads[0]:
                self.fail(f"{width} does not divide among {heads[0]} heads", heads_key)
            for layer, (all_heads, kv) in enumerate(
                zip(heads, self.numbers(kv_key, layers) or heads, strict=True)
            ):
                # Layers without attention have 0 of either.
                if all_heads and kv and all_heads % kv:
                    self.fail(f"{all_heads} heads over {kv} in layer {layer}", kv_key)
        turned = f"{name}.rope.dimension_count"
        if self.number(turned, 0) % 2:
            self.fail(f"{turned} is odd", turned)
        scaling = f"{name}.rope.scaling.type"
        if scaling in self.header.values and self.text(scaling) not in ROPE_SCALINGS:
            self.fail(f"{scaling} is {shown(self.text(scaling))}", scaling)

    def _experts(self, name: str) -> None:
        key, used_key = f"{name}.expert_count", f"{name}.expert_used_count"
        experts = self.number(key, 0)
        if name.startswith("hunyuan") and experts <= 1:
            return
        used = max(self.numbers(used_key, self.number(f"{name}.block_count")) or [0])
        groups_key, chosen_key = f"{name}.expert_group_count", f"{name}.expert_group_used_count"
        groups, chosen = self.number(groups_key, 0), self.number(chosen_key, 0)
        if experts > MAX_EXPERTS:
            self.fail(f"{experts} experts; at most {MAX_EXPERTS} are possible", key)
        if used > experts or (used == 0) != (experts == 0):
            self.fail(f"{used} of {experts} experts are used", used_key)
        if groups and groups >= experts:
            self.fail(f"{groups} groups of {experts} experts", groups_key)
        if groups > 1 and (experts % groups or not 0 < chosen < groups):
            self.fail(f"{chosen} of {groups} groups of {experts} experts are used", groups_key)

    # Its vocabulary

    def _vocabulary(self, headers: list[Header]) -> tuple[int, str]:
        kind = self.text("tokenizer.ggml.model")
        if kind in NO_VOCABULARY:
            raise ModelUnsupported(f"{self.path} has no vocabulary: it cannot read or write text")
        if not kind:
            self.fail("tokenizer.ggml.model is missing")
        count = self._listed(TOKENS, None, STRING)
        if not count:
            self.fail(f"{TOKENS} is missing or empty")
        self._listed("tokenizer.ggml.scores", count, FLOAT32, INT32)
        self._listed("tokenizer.ggml.token_type", count, INT32)
        self._listed("tokenizer.ggml.merges", None, STRING)
        if kind == b"llama":
            self._bytes_have_tokens()
        for header in headers:
            for tensor in header.tensors:
                if tensor.name == b"token_embd.weight" and tensor.shape[1:] != (count,):
                    self.fail(f"{count} tokens, but token_embd.weight is {tensor.shape}", TOKENS)
        pre = self.text("tokenizer.ggml.pre")
        return count, "/".join(shown(part)[1:-1] for part in (kind, pre) if part)

    def _odd_tokens(self, count: int) -> Iterator[str]:
        for key, value in self.header.values.items():
            if key.startswith("tokenizer.ggml.") and key.endswith("_token_id"):
                self.typed(key, UINT32)
                if isinstance(value.value, int) and value.value >= count:
                    yield f"{key} is {value.value}, of {count} tokens; llama.cpp ignores it"

    def _listed(self, key: str, count: int | None, *kinds: int) -> int:
        """The length of a list of these types, which has to be `count`; 0 where it is missing."""
        found = self.typed(key, ARRAY)
        if found is None:
            return 0
        assert isinstance(found.value, List)
        if found.value.kind not in kinds:
            self.fail(f"{key} is a list of the wrong type", key)
        if count is not None and found.value.count != count:
            self.fail(f"{key} has {found.value.count} values for {count} tokens", key)
        return found.value.count

    def _bytes_have_tokens(self) -> None:
        """llama.cpp ends the process where a text falls back to a byte that has no token."""
        known = self.header.byte_tokens
        for byte in _BYTES:
            if b"<0x%02X>" % byte not in known and (not byte or bytes([byte]) not in known):
                raise ModelUnsupported(
                    f"{self.path} has no token for byte 0x{byte:02X}: a text with it would end "
                    "the program"
                )

    def _template(self) -> str | None:
        """The SHA-256 of the chat template; None where there is none."""
        found = self.typed(TEMPLATE, STRING)
        if found is None:
            return None
        text = found.value
        if isinstance(text, bytes):
            return hashlib.sha256(text).hexdigest()
        assert isinstance(text, Text)
        if text.length > MAX_TEMPLATE_BYTES:
            self.fail(f"a chat template of {text.length} bytes", TEMPLATE)
        self.file.seek(text.start)
        return hashlib.sha256(self.file.read(text.length)).hexdigest()
