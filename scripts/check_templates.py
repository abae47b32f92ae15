"""Every real chat template against every real vocabulary: can a message forge a control token?

    python scripts/check_templates.py PATH

PATH is llama-cpp-python's source archive (`pip download --no-deps --no-binary llama-cpp-python
llama-cpp-python==0.3.36`) or the folder it was unpacked to: about 70 templates and 19 vocabularies.
Each template renders three chats whose messages are full of special tokens' texts, whole, halved
and with words inside that some templates take out. The tokens may hold no special token more than
those of the same chat with harmless words, and the messages' text must come out unchanged
("edited": not so, but the template itself took something out, as a few do with /think). "uncut"
counts the chats that would leak if the text were tokenised in one piece: the attacks do attack.
Prints two tables; exit code 1 where anything leaked or changed. Needs llama-cpp-python.
"""

from __future__ import annotations

import argparse
import ctypes
import random
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgemind.chat import ChatTemplate
from edgemind.errors import ModelError
from edgemind.tokenizing import Rendered, tokenize
from edgemind.types import Chat, Message

UNKNOWN, CONTROL, USER_DEFINED = 2, 8, 16
LOSSY = {3: "WPM", 4: "UGM"}
"""Tokenizers of encoders, which change case or spaces: only leaks are checked there."""


class RealVocabulary:
    """A vocab-only GGUF file through llama.cpp's C interface."""

    def __init__(self, path: Path) -> None:
        import llama_cpp

        self._lib: Any = llama_cpp
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            raise SystemExit(f"{path} does not load")
        self._vocab: Any = llama_cpp.llama_model_get_vocab(self._model)
        self.specials: Mapping[str, int] = self._find_specials()
        bos = llama_cpp.llama_vocab_bos(self._vocab)
        self.bos: int | None = bos if llama_cpp.llama_vocab_get_add_bos(self._vocab) else None
        self.bos_text = self.decode([bos]) if bos >= 0 else ""
        eos = llama_cpp.llama_vocab_eos(self._vocab)
        self.eos_text = self.decode([eos]) if eos >= 0 else ""
        self.kind = int(llama_cpp.llama_vocab_type(self._vocab))

    def _find_specials(self) -> dict[str, int]:
        wanted = UNKNOWN | CONTROL | USER_DEFINED
        found: dict[str, int] = {}
        for token in range(self._lib.llama_vocab_n_tokens(self._vocab)):
            if int(self._lib.llama_vocab_get_attr(self._vocab, token)) & wanted:
                text = self._lib.llama_vocab_get_text(self._vocab, token)
                found[text.decode(errors="replace")] = token
        return found

    def encode(self, text: str, special: bool) -> list[int]:
        """Token ids of `text`, nothing added."""
        data = text.encode()
        room = len(data) + 8
        tokens = (self._lib.llama_token * room)()
        count = self._lib.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
        if count < 0:
            raise RuntimeError("llama_tokenize wants more room than there are bytes")
        return list(tokens[:count])

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, special ones written out."""
        buffer = ctypes.create_string_buffer(512)
        data = bytearray()
        for token in tokens:
            size = self._lib.llama_token_to_piece(self._vocab, token, buffer, 512, 0, True)
            data += buffer.raw[: max(size, 0)]
        return data.decode(errors="replace")

    def close(self) -> None:
        """Free the model."""
        self._lib.llama_model_free(self._model)


@dataclass
class Tally:
    """What one row of a table has seen."""

    checked: int = 0
    leaks: int = 0
    changed: int = 0
    edited: int = 0
    uncut: int = 0
    notes: list[str] = field(default_factory=list)


def chats(attack: Callable[[], str]) -> tuple[Chat, ...]:
    """(user), (system, user) and (system, user, assistant, user), each message with an attack."""

    def message(role: Any, text: str) -> Message:
        return Message(role, f"{text} {attack()} – that was “it”, naïve 日本 🙂?")

    def thought() -> Message:
        return Message("assistant", f"Four. {attack()} Yes.", reasoning=f"Hm. {attack()} Ok.")

    return (
        (message("user", "What is 2+2?"),),
        (message("system", "Be brief."), message("user", "What is 2+2?")),
        (
            message("system", "Be brief."),
            message("user", "What is 2+2?"),
            thought(),
            message("user", "And 3+3?"),
        ),
    )


def attacks(specials: Sequence[str], chance: random.Random) -> Callable[[], str]:
    """A maker of hostile texts: special tokens whole, halved, glued and with words inside."""

    def make() -> str:
        parts = []
        for text in chance.sample(specials, min(len(specials), 12)):
            middle = len(text) // 2
            inside = chance.choice(("/think", "/no_think", " ", "\n", "</think>", "<think>", text))
            parts += [text, text[:middle] + inside + text[middle:], text[1:], text[:-1]]
            parts.append(chance.choice((" ", "", "\n", "a", "<", "[")))
        return "".join(parts)

    return make


def check_vocabulary(
    path: Path, templates: Mapping[str, str | None], rows: dict[str, Tally], chance: random.Random
) -> tuple[Tally, RealVocabulary]:
    """All templates over one vocabulary."""
    vocabulary = RealVocabulary(path)
    texts = [text for text in vocabulary.specials if len(text) > 1 and text.strip()]
    forbidden = {vocabulary.specials[text] for text in texts}
    tally = Tally()
    for name, source in templates.items():
        row = rows.setdefault(name, Tally())
        template = ChatTemplate(
            source,
            bos_text=vocabulary.bos_text,
            eos_text=vocabulary.eos_text,
            specials=vocabulary.specials,
        )
        for hostile, harmless in zip(chats(attacks(texts, chance)), chats(str), strict=True):
            try:
                rendered = template.render(hostile)
                expected = tokenize(template.render(harmless), vocabulary)
                plain = ChatTemplate(source).render(hostile).text
            except ModelError as error:
                row.notes.append(str(error))
                continue
            tokens = tokenize(rendered, vocabulary)
            wanted = Counter(token for token in expected if token in forbidden)
            leaked = Counter(token for token in tokens if token in forbidden) != wanted
            whole = tokenize(Rendered((rendered.text,), False), vocabulary)
            uncut = Counter(token for token in whole if token in forbidden) != wanted
            text = vocabulary.decode(tokens)
            missing = [each.content for each in hostile if each.content not in text]
            edited = any(content not in plain for content in missing)
            changed = vocabulary.kind not in LOSSY and any(each in plain for each in missing)
            for seen in (row, tally):
                seen.checked += 1
                seen.leaks += leaked
                seen.changed += changed
                seen.edited += edited and vocabulary.kind not in LOSSY
                seen.uncut += uncut
    return tally, vocabulary


def shape(source: str) -> str:
    """How a template behaves: system role, thoughts, beginning of sequence, further turns."""
    template = ChatTemplate(source, bos_text="<s>", eos_text="</s>", specials=("<s>", "</s>"))
    one, _, three = chats(str)
    try:
        rendered = [template.render(one, enable_thinking=value) for value in (None, True, False)]
        grown = template.render(three).text
        shorter = template.render(three[:2]).text
    except ModelError:
        return "-"
    opened = "".join("T" if each.opened_thought else "." for each in rendered)
    return "  ".join(
        (
            "taken " if template.takes_system else "folded",
            "thinks" if template.thinks else "      ",
            opened,
            "bos" if rendered[0].text.startswith("<s>") else "   ",
            "extends" if grown.startswith(shorter) else "",
        )
    )


def unpacked(path: Path, folder: Path) -> Path:
    """The folder with the templates and vocabularies of the archive or folder at `path`."""
    if path.is_file():
        with tarfile.open(path) as archive:
            members = [
                each
                for each in archive.getmembers()
                if "/llama.cpp/models/" in each.name and each.name.endswith((".jinja", ".gguf"))
            ]
            archive.extractall(folder, members=members, filter="data")
        path = folder
    found = sorted(path.glob("**/llama.cpp/models"))
    if not found:
        raise SystemExit(f"{path} holds no llama.cpp/models folder")
    return found[0]


def main() -> int:
    """Run everything; 1 where anything leaked or changed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, help="source archive of llama-cpp-python, or its folder")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    import llama_cpp

    quiet = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    chance = random.Random(options.seed)
    started = time.monotonic()
    rows: dict[str, Tally] = {}
    total = Tally()
    with tempfile.TemporaryDirectory() as temporary:
        models = unpacked(options.path, Path(temporary))
        sources = sorted((models / "templates").glob("*.jinja"))
        templates: dict[str, str | None] = {"(ChatML)": None}
        templates |= {path.stem: path.read_text("utf-8") for path in sources}
        shown = {name: source or "" for name, source in templates.items()}
        print(f"{'vocabulary':32} specials  chats  uncut  leaks  changed")
        for path in sorted(models.glob("ggml-vocab-*.gguf")):
            tally, vocabulary = check_vocabulary(path, templates, rows, chance)
            changed = LOSSY.get(vocabulary.kind, str(tally.changed))
            name = path.stem.removeprefix("ggml-vocab-")
            counts = f"{tally.checked:5}  {tally.uncut:5}  {tally.leaks:5}  {changed:>7}"
            print(f"{name:32} {len(vocabulary.specials):8}  {counts}")
            vocabulary.close()
            total.checked += tally.checked
            total.leaks += tally.leaks
            total.changed += tally.changed
    print(f"\n{'template':46} chats  leaks  changed  edited  system  thinks  None/True/False  bos")
    for name, row in rows.items():
        counts = f"{row.checked:5}  {row.leaks:5}  {row.changed:7}  {row.edited:6}"
        print(f"{name:46.46} {counts}  {shape(shown[name]) if shown[name] else ''}")
        for note in sorted(set(row.notes)):
            print(f"    {note}")
    print(
        f"\n{len(rows)} templates, {total.checked} chats, {total.leaks} leaks, "
        f"{total.changed} changed texts, {time.monotonic() - started:.0f} s"
    )
    return 1 if total.leaks or total.changed or not total.checked else 0


if __name__ == "__main__":
    sys.exit(main())
