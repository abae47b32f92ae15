"""The window's work with the disk: conversations that are kept, models, documents, settings.

Every method may wait for a disk or another process: they are called in the disk's thread, by one
call at a time. No Qt.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgemind.config import Config, load_config
from edgemind.conversation.documents import fenced_file
from edgemind.errors import EdgemindError
from edgemind.files import decimal as size
from edgemind.folders import data_folder
from edgemind.history import FILE, History, new_conversation
from edgemind.receipts import Receipt
from edgemind.settings import Key, sources
from edgemind.settings_file import Value, write_setting
from edgemind.transcript import Turn, turns_of
from edgemind.types import Message
from edgemind.wording import count, printable

if TYPE_CHECKING:
    from edgemind.catalog.entry import Entry

Fit = Literal["fits", "tight", "too large", "unknown"]
ROOMY = 0.8
"""Up to this share of the free memory a model fits with room for other programs."""


@dataclass(slots=True)
class Conversation:
    """A conversation at the left. `turns` are None until they were read from the disk."""

    id: str = field(default_factory=new_conversation)
    title: str = ""
    ended: float = 0.0
    turns: list[Turn] | None = field(default_factory=list)
    kept: bool = False
    system: str | None = None


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model that can be chosen: its name, what it is, and whether this machine holds it."""

    name: str
    path: Path
    facts: str
    memory: str
    fit: Fit
    default: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds, and for each value that does not come from the file, what sets it."""

    config: Config
    elsewhere: dict[Key, str]


class Shelf:
    """Where a person's things are. `warn` takes a line that has to be known."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._history = History(data_folder() / FILE, warn=warn)

    def close(self) -> None:
        """Close what is open."""
        self._history.close()

    @staticmethod
    def warm_up() -> None:
        """Load what the first answer will be shown with, while nobody waits for it."""
        from edgemind.conversation.markdown import parsed

        parsed("# One\n\n- *two*\n")

    def conversations(self) -> list[Conversation]:
        """Those that are kept, the latest first."""
        return [
            Conversation(one.id, title_of(one.first), one.ended, None, kept=True)
            for one in reversed(self._history.conversations())
        ]

    def read(self, conversation: Conversation) -> tuple[str | None, list[Turn]]:
        """The instructions and the turns of a conversation that is kept."""
        return turns_of(self._history.said(conversation.id))

    def keep(
        self,
        conversation: str,
        model: str,
        messages: Sequence[Message],
        *,
        source: Path | None = None,
        receipts: Iterable[Receipt | None] = (),
        instead: bool = False,
    ) -> None:
        """Put messages at the end of a conversation; with `instead`, for those of its last turn.

        `source` is the model's path; `receipts` are those of the answers among the messages.
        """
        if instead:
            held = self._history.said(conversation)
            if not self._history.take_back(conversation, [one.number for one in held[-2:]]):
                # The instructions went with the only turn.
                before = (one.message for one in held)
                messages = [*(one for one in before if one.role == "system"), *messages]
        place = None if source is None else str(source)
        self._history.add(conversation, model, messages, source=place, receipts=receipts)

    def remove(self, conversation: str | None) -> int:
        """Remove a conversation, or all, byte by byte; how many there were."""
        return self._history.clear(conversation)

    def models(self) -> list[ModelRow]:
        """The models that have a name here."""
        from edgemind.choosing import person_library

        with closing(person_library(self._warn)) as library:
            return [_row(entry) for entry in library.entries() if entry.state != "missing"]

    def row(self, path: Path) -> ModelRow:
        """A model that has no name here, by its own account. Raises as reading its card does."""
        from edgemind.catalog.places.base import called

        return _with_card(called(path.name if path.is_dir() else path.stem), path, False)

    def add(self, path: Path) -> ModelRow:
        """Give a model a name; its files stay where they are."""
        from edgemind.card import read_card
        from edgemind.catalog.places.base import called
        from edgemind.choosing import person_library

        path = path.absolute()
        card = read_card(path)
        name = called(path.name if path.is_dir() else path.stem)
        with closing(person_library(self._warn)) as library:
            entry = library.add(name, path, "link", card.facts())
        return _row(entry)

    def document(self, path: Path) -> tuple[str, str]:
        """A text file's name, and its text as a part of a prompt, marked as data."""
        return printable(path.name), fenced_file(path)

    def settings(self) -> Settings:
        """What is set, and by what."""
        config = load_config()
        stands: dict[Key, str] = {}
        for source in sources(None)[1:]:  # all but the file
            stands |= source.names
        return Settings(config, stands)

    def set(self, key: Key, value: Value | None) -> Settings:
        """Change one value in config.toml; what holds then."""
        write_setting(key, value)
        return self.settings()


def title_of(prompt: str) -> str:
    """A conversation's title: how its first prompt begins."""
    from edgemind.conversation.documents import split_documents

    names, text = split_documents(printable(prompt))
    line = " ".join(text.split()) or ", ".join(names)
    return line if len(line) <= 80 else f"{line[:79]}…"


def is_model(path: Path) -> bool:
    """Whether what was dropped is meant as a model: a GGUF or ONNX file, or a folder with one."""
    if path.is_dir():
        inside = (path, path / "onnx")
        return any(any(one.glob("*.onnx")) for one in inside) or any(path.glob("*.gguf"))
    return path.suffix.lower() in (".gguf", ".onnx")


def model_in(path: Path) -> Path:
    """The model that is meant: of a folder with one GGUF file, that file."""
    files = sorted(path.glob("*.gguf")) if path.is_dir() else []
    return files[0] if len(files) == 1 else path


def _row(entry: Entry) -> ModelRow:
    try:
        return _with_card(entry.name, entry.path, entry.default)
    except (EdgemindError, OSError):
        return ModelRow(entry.name, entry.path, "cannot be read", "", "unknown", entry.default)


def _with_card(name: str, path: Path, default: bool) -> ModelRow:
    from edgemind.card import WIDTH, read_card
    from edgemind.conditions import memory

    card = read_card(path)
    parts = (f"{count(card.parameters)} parameters", card.quantisation, size(card.bytes))
    needed = card.memory(card.usual_context, WIDTH)
    free = memory()[0]
    told = f"needs {size(needed)}" + ("" if free is None else f" of {size(free)} free")
    fit: Fit = "unknown"
    if free is not None:
        fit = "too large" if needed > free else "tight" if needed > ROOMY * free else "fits"
    facts = " · ".join(printable(part) for part in parts if part)
    return ModelRow(printable(name), path, facts, told, fit, default)


def same_path(left: Path, right: Path) -> bool:
    """Whether two paths name one place."""
    return os.path.abspath(left) == os.path.abspath(right)
