"""`edgemind models add`, `use`, `alias` and `rm`: the catalogue changed by hand."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from edgemind.catalog.entry import Entry, How
from edgemind.catalog.library import BUNDLED, Library
from edgemind.catalog.paths import as_path
from edgemind.catalog.places.base import called
from edgemind.catalog.shelf import Shelf
from edgemind.cli.completing import model_words
from edgemind.cli.models_words import named_entry
from edgemind.cli.options import clean_errors
from edgemind.cli.terminal import say
from edgemind.errors import ConfigError, ModelError, ModelNotFound
from edgemind.files import decimal as size
from edgemind.folders import data_folder
from edgemind.wording import printable

FOLDER = "models"


def person_shelf() -> Shelf:
    """Where edgemind keeps model files of its own."""
    return Shelf(data_folder() / FOLDER)


def add_model(
    path: Annotated[Path, typer.Argument(help="A GGUF file, the first of its parts, or a folder.")],
    name: Annotated[
        str | None, typer.Option(help="What it shall be called; the file's name if not given.")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Leave it where it is (the default).")
    ] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Copy it into edgemind's folder.")] = False,
    move: Annotated[bool, typer.Option("--move", help="Move it into edgemind's folder.")] = False,
) -> None:
    """Give a model a name. It stays where it is, unless it is to be copied or moved.

    Its header is read first: what is damaged or no language model is refused.
    """
    from edgemind.choosing import person_library

    with clean_errors(), closing(person_library(say)) as library:
        if link + copy + move > 1:
            raise ConfigError("give one of --link, --copy and --move")
        how: How = "copy" if copy else "move" if move else "link"
        shelf = person_shelf()
        shelf.sweep(lambda: [entry.path for entry in library.entries()])
        entry = add(library, shelf, as_path(os.fspath(path)), name, how)
        print(printable(f"{entry.name}: {entry.path}"))


def add(
    library: Library,
    shelf: Shelf,
    path: Path,
    name: str | None,
    how: How,
    source: str = "",
    sha256: str | None = None,
) -> Entry:
    """Add the model at `path`, after a look into it; the new entry.

    Raises what reading it raises, and `ConfigError` for a name that is taken.
    """
    from edgemind.card import files_inside, read_card

    path = path.absolute()
    name = name or called(path.name if path.is_dir() else path.stem)
    card = read_card(path)
    if how == "link":
        return library.add(name, path, how, card.facts(sha256), source=source)
    files = files_inside(card)
    for one, inside in files:
        if how == "move" and (one.is_symlink() or path.is_symlink()):
            raise ConfigError(f"{one} is a link of another program's: --copy it, or leave it there")
        if inside.startswith(".."):
            raise ModelError(f"{one} lies outside of the model's folder: only --link takes it")
    taken = [entry.path for entry in library.entries() if name.casefold() in _names(entry)]
    if taken:  # said before gigabytes are copied
        raise ConfigError(f"{name} is the name of {taken[0]} already: give another with --name")
    try:
        with shelf.stage(name, files, keep=how == "copy") as staged:
            target = staged.folder if path.is_dir() else staged.folder / files[0][1]
            facts = read_card(target).facts(sha256 or staged.sha256)
            entry = library.add(
                name, target, how, facts, source=source or str(path), own=staged.own
            )
    except OSError as error:
        raise ModelError(f"cannot put {path} into {shelf.folder}: {error.strerror}") from None
    if how == "move":
        for one, _ in files:
            try:
                one.unlink()
            except OSError as error:
                say(f"{one} could not be removed ({error.strerror}): it is there twice now")
    return entry


def use_model(
    name: Annotated[
        str,
        typer.Argument(
            help=f"A name, an alias or a path; {BUNDLED} is the bundled one.",
            autocompletion=model_words,
        ),
    ],
) -> None:
    """Choose the model that answers where no --model is given."""
    from edgemind.choosing import match_model, person_library
    from edgemind.config import load_config

    with clean_errors(), closing(person_library(say)) as library:
        match = match_model(name, library)
        entry = match.entry
        if entry is None:
            called_there = fit_name(match.found.name) if match.found else None
            source = match.found.program if match.found else ""
            entry = add(library, person_shelf(), match.path, called_there, "link", source)
        library.use(entry)
        print(printable(f"{entry.name} answers from now on"))
        if (model := load_config().model) is not None:
            say(f"but the configuration names {model}, which goes before it (`config show`)")


def alias_model(
    name: Annotated[
        str, typer.Argument(help="A name, or the alias to be removed.", autocompletion=model_words)
    ],
    alias: Annotated[str | None, typer.Argument(help="Its further name.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the alias NAME away.")] = False,
) -> None:
    """Give a model one more name, or take one away."""
    from edgemind.choosing import person_library

    with clean_errors(), closing(person_library(say)) as library:
        if remove:
            if not library.path.exists() or not library.unalias(name):
                raise ModelNotFound(f"there is no alias {name}")
            return
        if alias is None:
            raise ConfigError(
                "give the model's name and its alias: edgemind models alias NAME ALIAS"
            )
        library.alias(named_entry(library, name), alias)


def remove_model(
    name: Annotated[
        str,
        typer.Argument(help="A name, an alias or a unique beginning.", autocompletion=model_words),
    ],
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave all files; only the name goes.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Also delete a file that was moved here.")
    ] = False,
) -> None:
    """Take a model out; files that edgemind copied or fetched are deleted with it.

    A file that is linked is never touched. One that was moved here may be the only copy: it takes
    --delete or --keep.
    """
    from edgemind.choosing import person_library

    with clean_errors(), closing(person_library(say)) as library:
        shelf = person_shelf()
        entry = named_entry(library, name)
        own = library.own_files(entry) if library.path.exists() else []
        if keep and delete:
            raise ConfigError("give either --keep or --delete")
        if delete and entry.how == "link":
            raise ConfigError(
                f"{entry.path} was not put there by edgemind, and is not deleted by it"
            )
        if entry.how == "move" and not (keep or delete):
            raise ConfigError(
                f"{entry.path} was moved here and may be the only copy: give --delete or --keep"
            )
        if keep or not own:
            library.forget(entry)
            print(printable(f"{entry.name} is out; {entry.path} stays"))
            _say_default(entry)
            return
        try:
            left = shelf.remove(own, lambda: library.forget(entry))
        except FileNotFoundError:
            raise ConfigError(f"{entry.name} is gone: another process removed it") from None
        freed = sum(one.bytes for one in own if one.path not in left)
        print(printable(f"{entry.name} is out, {size(freed)} are free"))
        _say_default(entry)
        for path in left:
            say(f"{path} was changed since edgemind put it there, and stays")
        shelf.sweep(lambda: [one.path for one in library.entries()])


def _say_default(gone: Entry) -> None:
    if gone.default:
        say(f"{gone.name} was the default: {BUNDLED} answers from now on")


def fit_name(text: str) -> str:
    """What another program calls a model, as a name that is allowed here."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._+-/:") else "-" for c in text)
    parts = [part for part in kept.replace("/", "\0/").replace(":", "\0:").split("\0") if part]
    fitting = "".join(part for part in parts if part.strip("/:"))
    return fitting.strip("/:._+-")[:128] or "model"


def _names(entry: Entry) -> list[str]:
    return [one.casefold() for one in entry.names]


def same_file(left: Path, right: Path) -> bool:
    """Whether two paths lead to one file."""
    try:
        return os.path.samefile(left, right)
    except OSError:
        return False
