"""`edgemind models`: what there is to know of model files. One command each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgemind.catalog.bundled import SHA256, bundled_hash, bundled_model, is_bundled
from edgemind.catalog.inspection import facts, inspect
from edgemind.cli.options import clean_errors
from edgemind.cli.quantize import quantize_command
from edgemind.cli.show import printable
from edgemind.errors import ModelInvalid
from edgemind.folders import data_folder
from edgemind.probe import trusted_files, try_model

models_app = typer.Typer(
    name="models",
    help="Look at model files, and make smaller ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@models_app.callback()
def _commands() -> None:
    """Look at model files, and make smaller ones."""


models_app.command("quantize")(quantize_command)


@models_app.command()
def verify(
    path: Annotated[
        Path | None,
        typer.Argument(help="A GGUF or ONNX file, or an ONNX folder; the bundled model if none."),
    ] = None,
    load: Annotated[
        bool, typer.Option(help="Also let a locked child of the program load it.")
    ] = True,
) -> None:
    """Say what a model file is and whether it is sound; exit code 3 and the reason if not.

    Its header is read without any library, then a process without network, with limits on memory
    and time, loads it. What passes is opened without this from then on, until it changes.
    """
    with clean_errors():
        path = bundled_model() if path is None else path.expanduser()
        model = inspect(path)
        print(printable(str(path)).replace("\n", " "))
        for name, text in facts(model):
            print(f"  {name:<14}{printable(text).replace(chr(10), ' ')}", flush=True)
        if is_bundled(path) and bundled_hash() != SHA256:
            raise ModelInvalid(f"{path} is not the model that came with this version")
        if load:
            try_model(path, model, trusted_files(data_folder()))
            print("  loads         yes, in a locked process")
        print("ok")
