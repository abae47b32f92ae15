"""The chat template of an ONNX model's folder: a file of its own, or in tokenizer_config.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgemind.errors import ModelInvalid


def home_of(model: Path) -> Path:
    """The folder with the configuration of the model at `model`: its own, or the one above."""
    folder = model.parent
    if folder.name == "onnx" and not (folder / "tokenizer.json").is_file():
        return folder.parent
    return folder


def read_template(model: Path) -> str | None:
    """The chat template of the model at `model`; None where there is none to be read."""
    home = home_of(model)
    try:
        config = json.loads((home / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        config = {}
    return template_of(home, config if isinstance(config, dict) else {})


def template_of(home: Path, config: Mapping[str, Any]) -> str | None:
    """The chat template in a folder whose tokenizer_config.json is `config`.

    Raises `ModelInvalid` where its file cannot be read.
    """
    path = home / "chat_template.jinja"
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ModelInvalid(f"cannot read {path}: {error}") from None
    written = config.get("chat_template")
    if isinstance(written, list):
        named = {
            entry.get("name"): entry.get("template")
            for entry in written
            if isinstance(entry, dict) and isinstance(entry.get("name"), str)
        }
        written = named.get("default")
    return written if isinstance(written, str) and written else None
