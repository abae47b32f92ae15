"""Does the catalogue of models survive several processes, and kill -9? Real processes.

    python scripts/check_catalogue.py [--changes 200] [--kills 20] [--seed 0]

First two processes add (by link, copy and move), alias, choose and remove models of one catalogue
at once, `--changes` times each, now and then the same name. Each writes down what it has done. Then
every entry has to be there exactly if its process left it there, with its file whole, and nothing
else may lie in the folder of models. Then children that do the same are killed at random moments,
`--kills` times: the catalogue has to open without a complaint, every entry with its file, nothing
half done left behind. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

from edgemind.catalog.bundled import bundled_model
from edgemind.catalog.entry import Entry, How
from edgemind.catalog.library import FILE, Library
from edgemind.catalog.shelf import STAGING, Shelf
from edgemind.cli.models_change import add
from edgemind.errors import ConfigError

SHARED = 3
"""Names that both processes fight for."""
HOWS: tuple[How, ...] = ("link", "copy", "move")


class Person:
    """One process's hands: changes the catalogue, and knows what should be in it."""

    def __init__(self, folder: Path, tag: str, seed: int) -> None:
        self.folder = folder
        self.tag = tag
        self.chance = random.Random(seed)
        self.library = Library(folder / "data" / FILE, complain)
        self.shelf = Shelf(folder / "data" / "models")
        self.mine: dict[str, str] = {}
        self.count = 0

    def change(self) -> None:
        """One change, by chance."""
        match self.chance.randrange(6):
            case 0 | 1 | 2:
                self.add()
            case 3:
                self.remove()
            case 4:
                self.fight()
            case 5 if self.mine:
                with suppress(ConfigError):  # it was no longer there
                    self.library.use(self.entry(self.chance.choice(sorted(self.mine))))

    def add(self) -> None:
        """A new model of our own, by one of the ways, and an alias of it."""
        self.count += 1
        name = f"{self.tag}-{self.count}"
        source = self.folder / f"{name}.gguf"
        source.write_bytes(bundled_model().read_bytes())
        how = self.chance.choice(HOWS)
        entry = add(self.library, self.shelf, source, name, how)
        self.mine[name] = how
        self.library.alias(entry, f"{name}-too")

    def remove(self) -> None:
        """One of ours."""
        if not self.mine:
            return
        name = self.chance.choice(sorted(self.mine))
        entry = self.entry(name)
        own = self.library.own_files(entry)
        if own:
            left = self.shelf.remove(own, lambda: self.library.forget(entry))
            if left:
                complain(f"{left} was left")
        else:
            self.library.forget(entry)
        del self.mine[name]

    def fight(self) -> None:
        """Take or free a name that the other wants too; who is second is told so."""
        number = self.chance.randrange(SHARED)
        with suppress(ConfigError):
            entry = next(
                (one for one in self.library.entries() if one.name == f"shared-{number}"), None
            )
            if entry is None:
                path = self.folder / f"shared-{number}.gguf"
                add(self.library, self.shelf, path, f"shared-{number}", "link")
            else:
                self.library.forget(entry)

    def entry(self, name: str) -> Entry:
        """Of ours; its absence is what is looked for."""
        for one in self.library.entries():
            if one.name == name:
                return one
        complain(f"{name} is lost")
        raise AssertionError


def complain(line: str) -> None:
    """What must not happen."""
    print(f"pid {os.getpid()}: {line}", flush=True)
    os._exit(1)


def child(folder: Path, tag: str, seed: int, changes: int) -> int:
    """A process that changes the catalogue; writes down at its end what it has left there."""
    process = os.fork()
    if process:
        return process
    try:
        person = Person(folder, tag, seed)
        for _ in range(changes):
            person.change()
        person.library.close()
        (folder / f"{tag}.json").write_text(json.dumps(person.mine))
        os._exit(0)
    except BaseException as error:
        complain(f"{type(error).__name__}: {error}")
    return 0


def look(folder: Path, expected: set[str] | None) -> list[str]:
    """All that is wrong with the catalogue; `expected` are the names that should be there."""
    wrong: list[str] = []
    library = Library(folder / "data" / FILE, wrong.append)
    shelf = Shelf(folder / "data" / "models")
    with closing(library):
        shelf.sweep(lambda: [one.path for one in library.entries()])
        entries = [one for one in library.entries() if one.how != "bundled"]
        names = {one.name for one in entries if not one.name.startswith("shared-")}
        if expected is not None and names != expected:
            wrong.append(f"lost {expected - names}, too many {names - expected}")
        whole = bundled_model().stat().st_size
        for one in entries:
            if one.path.stat().st_size != whole:
                wrong.append(f"{one.path} is not whole")
        kept = {one.path for one in entries if one.how != "link"}
        lying = {path for path in shelf.folder.rglob("*") if path.is_file()}
        lying -= {shelf.folder / ".lock"}
        if lying != kept:
            wrong.append(f"without an entry {lying - kept}, without a file {kept - lying}")
        if list(shelf.folder.rglob(STAGING)):
            wrong.append("something is still marked")
    if (folder / "data" / FILE).exists():
        with closing(sqlite3.connect(folder / "data" / FILE)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                wrong.append("the file is damaged")
    return wrong


def start(folder: Path) -> None:
    """The files that names are fought for over."""
    for number in range(SHARED):
        (folder / f"shared-{number}.gguf").write_bytes(bundled_model().read_bytes())


def main() -> int:
    """Run both; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        start(folder)
        began = time.monotonic()
        children = [child(folder, tag, given.seed + i, given.changes) for i, tag in enumerate("ab")]
        for one in children:
            if os.waitpid(one, 0)[1] != 0:
                wrong.append("a process failed")
        if not wrong:
            expected = {
                name for tag in "ab" for name in json.loads((folder / f"{tag}.json").read_text())
            }
            wrong += look(folder, expected)
            seconds = time.monotonic() - began
            print(
                f"two processes, {given.changes} changes each in {seconds:.1f} s: "
                f"{len(expected)} models left"
            )
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        start(folder)
        for kill in range(given.kills):
            if wrong:
                break
            children = [
                child(folder, f"{tag}{kill}", given.seed + 1000 + 2 * kill + i, 10_000)
                for i, tag in enumerate("ab")
            ]
            time.sleep(chance.uniform(0, 1.5))
            for one in children:
                os.kill(one, signal.SIGKILL)
                if os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) != -signal.SIGKILL:
                    wrong.append("a process failed")
            wrong += look(folder, None)
        models = len(Library(folder / "data" / FILE, wrong.append).entries()) - 1
        print(f"{2 * given.kills} processes killed: {models} models in the catalogue")
    print("\n".join(wrong) or "nothing was lost or broken")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
