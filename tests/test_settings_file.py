"""One value changed in config.toml: the rest of the text stays, and what cannot be done is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.config import load_config
from edgemind.errors import ConfigError
from edgemind.settings import Key
from edgemind.settings_file import Value, write_setting

KEEP, THEME = ("history", "keep"), ("desktop", "theme")
MINE = """\
# mine
model = "m"   # the small one

[budget]
seconds = 30

[history]  # what was said
# keep = true
keep = false  # for now

[profile.pi]
width = 4
"""


def written(tmp_path: Path, text: str | None, key: Key, value: Value | None) -> str:
    file = tmp_path / "config.toml"
    if text is not None:
        file.write_text(text)
    assert write_setting(key, value, file) == file
    return file.read_text() if file.exists() else ""


@pytest.mark.parametrize(
    ("text", "key", "value", "new"),
    [
        (None, KEEP, True, "[history]\nkeep = true\n"),
        ("", ("width",), 4, "width = 4\n"),
        ("[history]\n", ("width",), 4, "width = 4\n[history]\n"),
        ("history.keep = false\n", KEEP, True, "history.keep = true\n"),
        ("[history]\nkeep = true\n", THEME, "dark", None),
        ("[desktop]\ntheme='light'\n", THEME, "dark", '[desktop]\ntheme = "dark"\n'),
        (
            MINE,
            KEEP,
            True,
            MINE.replace("keep = false  # for now", "keep = true  # for now"),
        ),
        (MINE, ("model",), "a # b", MINE.replace('"m"   #', '"a # b"   #')),
        (MINE, ("width",), 8, MINE.replace("one\n", "one\nwidth = 8\n")),
        (
            MINE,
            ("budget", "joules"),
            2.5,
            MINE.replace("seconds = 30\n", "seconds = 30\njoules = 2.5\n"),
        ),
        (MINE, ("model",), None, MINE.replace('model = "m"   # the small one\n', "")),
        (MINE, ("system",), None, MINE),
        (MINE, ("usage", "record"), None, MINE),
    ],
)
def test_a_line_is_changed(
    tmp_path: Path, text: str | None, key: Key, value: Value | None, new: str | None
) -> None:
    got = written(tmp_path, text, key, value)
    assert got == (f'{text}\n[desktop]\ntheme = "dark"\n' if new is None else new)
    config = load_config(tmp_path / "config.toml", {}) if got else load_config(None, {})
    held: object = config
    for name in key:
        held = getattr(held, name)
    if value is not None:
        assert held == value


@pytest.mark.parametrize(
    "text", ["history = { keep = false }\n", 'system = """\nkeep = false\n[history]\n"""\nx\n']
)
def test_what_a_line_cannot_change_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError):
        write_setting(KEEP, True, file)
    assert file.read_text() == text


def test_a_text_of_many_lines_is_not_taken_for_a_table(tmp_path: Path) -> None:
    text = 'system = """\n[history]\nkeep = false\n"""\n'
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match="only you can change"):
        write_setting(KEEP, True, file)
    assert file.read_text() == text


def test_what_cannot_be_set_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for key, value in ((THEME, "pink"), (("width",), 0), (("nothing",), 1)):
        with pytest.raises(ConfigError):
            write_setting(key, value, file)  # type: ignore[arg-type]
    assert not file.exists()


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("width = 2\n")
    link = tmp_path / "config.toml"
    link.symlink_to(tmp_path / "real.toml")
    write_setting(("width",), 3, link)
    assert link.is_symlink() and (tmp_path / "real.toml").read_text() == "width = 3\n"
