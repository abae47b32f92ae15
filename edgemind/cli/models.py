"""`edgemind models`: the person's models, and what there is to know of model files.

Most of its commands are in the modules `models_…` of this package.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from edgemind.catalog.bundled import SHA256, bundled_hash, bundled_model, is_bundled
from edgemind.catalog.paths import as_path, is_explicit
from edgemind.choosing import match_model, person_library
from edgemind.cli.completing import model_words
from edgemind.cli.late import LateGroup
from edgemind.cli.options import clean_errors
from edgemind.cli.terminal import printable, say
from edgemind.errors import ModelInvalid
from edgemind.folders import data_folder


class _Commands(LateGroup):
    late: ClassVar = {
        "list": ("edgemind.cli.models_view", "list_models"),
        "show": ("edgemind.cli.models_view", "show_model"),
        "add": ("edgemind.cli.models_change", "add_model"),
        "use": ("edgemind.cli.models_change", "use_model"),
        "alias": ("edgemind.cli.models_change", "alias_model"),
        "rm": ("edgemind.cli.models_change", "remove_model"),
        "scan": ("edgemind.cli.models_scan", "scan_models"),
        "pull": ("edgemind.cli.models_pull", "pull_model"),
        "quantize": ("edgemind.cli.quantize", "quantize_command"),
    }


models_app = typer.Typer(
    cls=_Commands,
    name="models",
    help="Find, name, look at and shrink models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@models_app.callback()
def _commands() -> None:
    """Find, name, look at and shrink models."""


@models_app.command()
def verify(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A name, a GGUF or ONNX file, or a folder; the bundled model if none.",
            autocompletion=model_words,
        ),
    ] = None,
    load: Annotated[
        bool, typer.Option(help="Also let a locked child of the program load it.")
    ] = True,
) -> None:
    """Say what a model file is and whether it is sound; exit code 3 and the reason if not.

    Its header is read without any library, then a process without network, with limits on memory
    and time, loads it. What passes is opened without this from then on, until it changes.
    """
    from edgemind.catalog.inspection import facts, inspect
    from edgemind.cli.models_words import sha256_of
    from edgemind.probe import trusted_files, try_model

    with clean_errors():
        path, digest = _recorded(name)
        model = inspect(path)
        print(printable(str(path)).replace("\n", " "))
        for fact, text in facts(model):
            print(f"  {fact:<14}{printable(text).replace(chr(10), ' ')}", flush=True)
        if is_bundled(path) and bundled_hash() != SHA256:
            raise ModelInvalid(f"{path} is not the model that came with this version")
        if digest is not None:
            if sha256_of(model.parts[0]) != digest:
                raise ModelInvalid(f"{path} does not have the SHA-256 that it came with, {digest}")
            print(f"  sha256        {digest}")
        if load:
            try_model(path, model, trusted_files(data_folder()))
            print("  loads         yes, in a locked process")
        print("ok")


def _recorded(name: str | None) -> tuple[Path, str | None]:
    """The model of this name, and the SHA-256 that it was recorded with, if any."""
    if name is None:
        return bundled_model(), None
    if is_explicit(name):
        return as_path(name), None
    with closing(person_library(say)) as library:
        match = match_model(name, library)
    recorded = match.entry.facts.sha256 if match.entry else None
    return match.path, recorded or (match.found.sha256 if match.found else None)
