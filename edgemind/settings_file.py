"""One value changed in config.toml, its comments and everything else left as they are.

Reached from the window's settings. A line is changed in the text; that this changed the value and
nothing else is checked by reading both texts. What stands in a form that a line cannot change (an
inline table, a text of many lines) is left to the person.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgemind.config import Config, config_file, read_file
from edgemind.config_readers import table
from edgemind.errors import ConfigError
from edgemind.folders import replace_file
from edgemind.settings import Key

Value = bool | int | float | str
_HEADER = re.compile(r"\s*\[+\s*([^\]]*?)\s*\]+\s*(#.*)?$")
_REST = r"""\s*=\s*(?:"[^"]*"|'[^']*'|[^#"']*?)(?P<comment>\s+#.*)?\s*$"""


def write_setting(key: Key, value: Value | None, path: Path | None = None) -> Path:
    """Set a value in the configuration file, or take it out (None); the file.

    Raises `ConfigError` where the file is damaged, cannot be written, or sets it in a way that this
    cannot change.
    """
    import tomllib

    path = path or config_file()
    old = read_file(path, demanded=False)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    wanted = _changed(old, key, value)
    new = _edited(text, key, value)
    try:
        holds = tomllib.loads(new) == wanted
    except ValueError:
        holds = False
    if not holds:
        raise ConfigError(
            f"{path} sets {'.'.join(key)} in a form that only you can change: edgemind config edit"
        )
    config: Config = table(Config)(wanted, "")
    config.check()
    if new != text:
        try:
            replace_file(path.resolve(), new)  # a link stays one
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _changed(values: dict[str, Any], key: Key, value: Value | None) -> dict[str, Any]:
    """The values as they are to be."""
    whole = place = copy.deepcopy(values)
    for name in key[:-1]:
        if value is None and name not in place:
            return whole
        place = place.setdefault(name, {})
    if value is None:
        place.pop(key[-1], None)
    else:
        place[key[-1]] = value
    return whole


def _edited(text: str, key: Key, value: Value | None) -> str:
    lines = text.splitlines()
    sections = _sections(lines)
    for depth in range(len(key)):  # also as `history.keep` before all tables
        name = r"\s*\.\s*".join(map(re.escape, key[depth:]))
        line = re.compile(rf"\s*{name}{_REST}")
        for number in sections.get(key[:depth], ()):
            if found := line.match(lines[number]):
                kept = found["comment"] or ""
                lines[number : number + 1] = (
                    [] if value is None else [f"{'.'.join(key[depth:])} = {_toml(value)}{kept}"]
                )
                return _joined(lines)
    if value is None:
        return text
    made = f"{key[-1]} = {_toml(value)}"
    if key[:-1] in sections or not key[:-1]:
        inside = sections.get(key[:-1], range(0))
        after = max((n + 1 for n in inside if lines[n].strip()), default=inside.start)
        lines.insert(after, made)
    else:
        lines += [*([""] if lines and lines[-1].strip() else []), f"[{'.'.join(key[:-1])}]", made]
    return _joined(lines)


def _sections(lines: Sequence[str]) -> dict[Key, range]:
    """The lines of each table, those before the first header as ()."""
    heads = [(n, found) for n, line in enumerate(lines) if (found := _HEADER.match(line))]
    ends = [number for number, _ in heads[1:]] + [len(lines)]
    tables: dict[Key, range] = {(): range(heads[0][0] if heads else len(lines))}
    for (number, head), end in zip(heads, ends, strict=False):
        name = tuple(part.strip().strip("\"'") for part in head[1].split("."))
        tables.setdefault(name, range(number + 1, end))
    return tables


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n" if lines else ""


def _toml(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A basic string of TOML is a string of JSON, but for the character that JSON leaves alone.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
