"""A model folder's tokens, through the `tokenizers` library."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from edgemind.engines.onnx.folder import read_json
from edgemind.errors import ModelError, ModelInvalid, ModelNotFound, ModelUnsupported
from edgemind.formats.onnx_template import template_of

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_USUAL_SPACE = "▁"


class OnnxVocabulary:
    """`edgemind.tokenizing.Vocabulary` over tokenizer.json.

    `size` is how many logits the model gives, which may be more than there are tokens. `ends`, set
    by the engine, are the ids that end a generation. Raises `ModelNotFound`, `ModelInvalid` or
    `ModelUnsupported`.
    """

    def __init__(self, folder: Path, size: int) -> None:
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise ModelNotFound(
                f"{folder} has no tokenizer.json: export the model's fast tokenizer beside it"
            )
        settings = read_json(path)
        try:
            library = importlib.import_module("tokenizers")
        except ImportError as error:
            raise ModelError(
                f"tokenizers is missing ({error}): run `pip install tokenizers`"
            ) from None
        try:
            self._tokenizer: Any = library.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ModelInvalid(f"cannot read {path}: {error}") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.size = size
        self.ends: frozenset[int] = frozenset()
        added = self._tokenizer.get_added_tokens_decoder()
        self._specials = {token.content: number for number, token in added.items() if token.content}
        self._added: dict[int, str] = {number: token.content for number, token in added.items()}
        self._bytes, self._space = _spelling(path, settings)
        self._pieces: dict[int, bytes] = {}
        self.config = read_json(folder / "tokenizer_config.json")
        self._folder = folder
        self._closed = False

    def close(self) -> None:
        """Refuse everything from now on, as other engines do."""
        self._closed = True

    def _open(self) -> Any:
        if self._closed:
            raise RuntimeError("the engine is closed; load the model again")
        return self._tokenizer

    @property
    def specials(self) -> Mapping[str, int]:
        """Text → id of every token that was added to the vocabulary."""
        self._open()
        return self._specials

    # What the configuration says

    def named(self, name: str) -> str:
        """The text of `bos_token` or `eos_token`; empty where the model has none."""
        for settings in (self.config, read_json(self._folder / "special_tokens_map.json")):
            value = settings.get(name)
            if isinstance(value, dict):
                value = value.get("content")
            if isinstance(value, str):
                return value
        return ""

    @property
    def template(self) -> str | None:
        """The chat template: of its own file, else of tokenizer_config.json."""
        return template_of(self._folder, self.config)

    @cached_property
    def bos(self) -> int | None:
        """Beginning-of-sequence id, where the model's prompts start with one."""
        tokenizer = self._open()
        bos = self.specials.get(self.named("bos_token"))
        wanted = self.config.get("add_bos_token")
        if isinstance(wanted, bool):
            return bos if wanted else None
        whole = tokenizer.encode("a").ids
        plain = tokenizer.encode("a", add_special_tokens=False).ids
        begins = len(whole) > len(plain) and whole[: len(plain)] != plain
        return int(whole[0]) if begins and (bos is None or whole[0] == bos) else None

    # Texts and tokens

    def encode(self, text: str, special: bool) -> list[int]:
        """Token ids of `text`, nothing added; with `special`, special texts become tokens."""
        tokenizer = self._open()
        text = text.encode("utf-8", "replace").decode("utf-8")
        if special or self._specials_in is None:
            return list(tokenizer.encode(text, add_special_tokens=False).ids)
        tokens: list[int] = []
        start = 0
        # The library finds added tokens whatever one asks: a text cut inside has none.
        for match in self._specials_in.finditer(text):
            cut = match.start() + 1
            tokens += self._continued(text[start:cut], start > 0)
            start = cut
        return tokens + self._continued(text[start:], start > 0)

    def _continued(self, text: str, within: bool) -> list[int]:
        """Ids of a text that may go on in the middle of a line: no space is put in front."""
        plain = self._tokenizer.encode(text, add_special_tokens=False).ids
        if not within or not text:
            return list(plain)
        lead = self._tokenizer.encode("\n", add_special_tokens=False).ids
        whole = self._tokenizer.encode("\n" + text, add_special_tokens=False).ids
        return list(whole[len(lead) :] if whole[: len(lead)] == lead else plain)

    @cached_property
    def _specials_in(self) -> re.Pattern[str] | None:
        longer = sorted((text for text in self.specials if len(text) > 1), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longer))) if longer else None

    def piece(self, token: int) -> bytes:
        """The bytes of a token, special ones written out; empty for an id without a token."""
        self._open()
        if token not in self._pieces:
            self._pieces[token] = self._spelt(token)
        return self._pieces[token]

    def _spelt(self, token: int) -> bytes:
        if (added := self._added.get(token)) is not None:
            return added.encode("utf-8", "replace")
        text: str | None = self._open().id_to_token(token)
        if text is None:
            return b""
        if self._bytes is not None:
            spelt = [self._bytes.get(character) for character in text]
            if None not in spelt:
                return bytes(byte for byte in spelt if byte is not None)
            return text.encode("utf-8", "replace")
        if match := _BYTE.fullmatch(text):
            return bytes([int(match[1], 16)])
        return text.replace(self._space, " ").encode("utf-8", "replace")

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, special tokens written out."""
        self._open()
        return b"".join(self.piece(token) for token in tokens).decode("utf-8", "replace")

    def is_end(self, token: int) -> bool:
        """Whether `token` ends a generation."""
        self._open()
        return token in self.ends


def byte_characters() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes → the bytes (openai/gpt-2, encoder.py)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + index): byte for index, byte in enumerate(others)
    }


def _spelling(path: Path, settings: Mapping[str, Any]) -> tuple[dict[str, int] | None, str]:
    """How tokens spell text: byte stand-ins or None, and what stands for a space.

    Read from the decoder in tokenizer.json, since the library decodes whole texts only: a stream
    needs each token's bytes.
    """
    text = json.dumps(settings.get("decoder"), ensure_ascii=False)
    kinds = re.findall(r'"type": "(\w+)"', text)
    if "ByteLevel" in kinds:
        return byte_characters(), ""
    unknown = {*kinds} - {"Sequence", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"}
    if unknown or not kinds:
        told = ", ".join(sorted(unknown)) or "none"
        raise ModelUnsupported(f"{path} spells its tokens in a way not known here: {told}")
    return None, _USUAL_SPACE
