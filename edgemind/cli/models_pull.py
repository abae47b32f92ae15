"""`edgemind models pull`: the one command that fetches. Its process is not locked, and does nothing
else: it loads no model, reads no prompt, and sends what a download needs.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from edgemind.catalog.entry import Entry
from edgemind.catalog.hub import Hub
from edgemind.catalog.library import Library
from edgemind.catalog.places.base import tagged
from edgemind.catalog.shelf import FETCHING, Shelf, as_put, check_space, clear, plain
from edgemind.cli.models_change import person_shelf
from edgemind.cli.options import clean_errors
from edgemind.cli.show import CLEAR_LINE
from edgemind.cli.terminal import say
from edgemind.errors import ConfigError, PrivacyError
from edgemind.files import decimal as size
from edgemind.guard.lock import current_lock
from edgemind.guard.telemetry import SWITCHES
from edgemind.usage.limits import duration
from edgemind.wording import printable

_MODEL: Final = re.compile(
    r"(?:hf\.co/|https://huggingface\.co/)?([\w.-]+/[\w.-]+)(?::([\w./-]+))?"
)


def pull_model(
    model: Annotated[str, typer.Argument(help="org/repo, or org/repo:QUANT such as :Q4_K_M.")],
    name: Annotated[str | None, typer.Option(help="A further name for it here.")] = None,
    revision: Annotated[
        str | None, typer.Option(help="A branch, tag or commit; the main branch if not given.")
    ] = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Remove what an unfinished fetch has left.")
    ] = False,
) -> None:
    """Fetch a model from the Hugging Face hub, or a mirror that HF_ENDPOINT names.

    A fetch that was cut off goes on where it stopped. What arrives is held against the hub's
    SHA-256 before it counts as there.
    """
    from edgemind.choosing import person_library

    with clean_errors(), closing(person_library(say)) as library:
        match = _MODEL.fullmatch(model)
        if match is None:
            raise ConfigError(f"{model!r} is no org/repo or org/repo:QUANT")
        if current_lock().on:
            raise PrivacyError(
                "this process is locked out of the network: call it as `edgemind models pull …`"
            )
        os.environ.update(SWITCHES)
        if discard:
            freed = drop(person_shelf(), match[1], match[2])
            print(f"{size(freed)} are free")
            return
        try:
            entry = pull(library, person_shelf(), match[1], match[2], revision)
        except KeyboardInterrupt:
            say("stopped; the same command goes on from there, with --discard it is removed")
            raise
        if name is not None:
            library.alias(entry, name)
        print(printable(f"{entry.name}: {entry.path}"))


def pull(
    library: Library,
    shelf: Shelf,
    repo: str,
    quant: str | None,
    revision: str | None = None,
    hub: Hub | None = None,
) -> Entry:
    """Fetch and add a model; the entry, also where it was there already."""
    from edgemind.card import read_card
    from edgemind.catalog.choice import choose

    hub = hub or Hub()
    listing = hub.list(repo, revision)
    choice = choose(repo, listing.files, quant)
    name = tagged(repo, choice.quant)
    main = choice.files[0]
    old = next((one for one in library.entries() if name.casefold() in _folded(one)), None)
    if old is not None and old.state == "" and old.facts.sha256 == main.sha256:
        say(f"{name} is here already")
        return old
    if old is not None and old.how != "pull":
        raise ConfigError(f"{name} is the name of {old.path}: `edgemind models rm {name}` first")
    folder = shelf.folder / f"{_start(repo, choice.quant)}{listing.commit[:8]}"
    with shelf.marked(folder, FETCHING, [file.name for file in choice.files]) as mark:
        here = sum(_held(folder / file.name) for file in choice.files)
        check_space(shelf.folder, choice.bytes - here)
        with Bar(name, choice.bytes).shown() as bar:
            for file in choice.files:
                if (target := folder / file.name).is_file():
                    bar.tell(file.bytes)
                else:
                    hub.fetch(listing, file, target, bar.tell)
        path = folder if choice.folder else folder / main.name
        card = read_card(path)
        if old is not None:  # an older commit of it
            shelf.remove(library.own_files(old), lambda: library.forget(old))
        entry = library.add(
            name,
            path,
            "pull",
            card.facts(main.sha256),
            source=f"{hub.endpoint}/{repo} at {listing.commit[:12]}",
            own=[as_put(folder / file.name) for file in choice.files],
        )
        mark.unlink()
    return entry


def drop(shelf: Shelf, repo: str, quant: str | None) -> int:
    """Remove unfinished fetches of a model; how many bytes are free for that."""
    freed = 0
    start = _start(repo, quant) if quant else _start(repo, None).rstrip("-")
    for mark in sorted(shelf.folder.glob(f"*/{FETCHING}")):
        if not mark.parent.name.casefold().startswith(start.casefold()):
            continue
        names = mark.read_text(encoding="utf-8").splitlines()
        with shelf.marked(mark.parent, FETCHING, names):
            freed += clear(mark.parent, [*names, *(f"{name}.part" for name in names)])
            mark.unlink()
        mark.parent.rmdir()
    return freed


@dataclass(slots=True)
class Bar:
    """How far a fetch is: a line that is rewritten on a terminal, a few lines elsewhere."""

    name: str
    total: int
    out: TextIO = field(default_factory=lambda: sys.stderr)
    _done: int = 0
    _came: int = 0
    _began: float = 0.0
    _said: float = 0.0

    @contextmanager
    def shown(self) -> Iterator[Bar]:
        """Show it while this lasts."""
        self._began = self._said = time.monotonic()
        try:
            yield self
        finally:
            if self.out.isatty():
                self.out.write(CLEAR_LINE)

    def tell(self, count: int) -> None:
        """So many further bytes are there."""
        self._done += count
        self._came += count
        now = time.monotonic()
        every = 0.2 if self.out.isatty() else 10.0
        if now - self._said < every:
            return
        self._said = now
        seconds = max(now - self._began, 1e-6)
        rate = max(self._came, 0) / seconds
        left = (self.total - self._done) / rate if rate > 0 else 0.0
        line = (
            f"{self.name}: {self._done / max(self.total, 1):.0%} of {size(self.total)}, "
            f"{size(rate)}/s, {duration(left)} left"
        )
        end = "" if self.out.isatty() else "\n"
        self.out.write(f"{CLEAR_LINE if not end else ''}{printable(line)}{end}")
        self.out.flush()


def _held(path: Path) -> int:
    """Bytes of a file that are here already, whole or in part."""
    for one in (path, path.with_name(f"{path.name}.part")):
        if one.is_file():
            return one.stat().st_size
    return 0


def _start(repo: str, quant: str | None) -> str:
    """How the names of a model's folders begin."""
    return f"{plain(f'{repo}-{quant}' if quant else repo)}-"


def _folded(entry: Entry) -> list[str]:
    return [one.casefold() for one in entry.names]
