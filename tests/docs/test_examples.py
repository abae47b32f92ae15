"""Every example of the documentation is run: the bundled model, offline, a folder of its own."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from edgemind.config import read_file
from tests.docs.examples import (
    PAGES,
    ROOT,
    Block,
    Call,
    blocks,
    commands,
    execute,
    fits,
    furnish,
    of_language,
    run,
    simple,
)

KNOWN = {"console", "python", "toml", "json", "text", ""}
GENERATED = {"docs/commands.md"}
CONSOLES, PROGRAMS, SETTINGS = (of_language(name) for name in ("console", "python", "toml"))


@pytest.fixture
def folder(tmp_path: Path, nano: Path, home: Path) -> Path:
    """A folder with the files that examples name."""
    furnish(tmp_path, nano, home)
    return tmp_path


@pytest.mark.parametrize("page", CONSOLES)
def test_every_command_does_what_the_page_says(page: str, folder: Path) -> None:
    code, printed = 0, ""
    for block in CONSOLES[page]:
        for command in () if block.why else commands(block):
            if command.line == "echo $?":
                assert command.expected.strip() == str(code), f"{block}: {printed}"
                code = 0
                continue
            assert code == 0, f"{block}, the command before {command.line}: {printed}"
            code, printed = run(command.line, folder)
            said = f"{block} {command.line}: {code}\n{printed}"
            assert not command.expected.strip() or fits(command.expected, printed), said
        assert code == 0, f"{block}: {printed}"


@pytest.mark.parametrize("page", PROGRAMS)
def test_every_program_prints_what_the_page_says(page: str, folder: Path) -> None:
    for block in PROGRAMS[page]:
        if block.why:
            continue
        printed = execute(block, folder)
        assert block.prints is None or fits(block.prints, printed), f"{block}:\n{printed}"


@pytest.mark.parametrize("page", SETTINGS)
def test_every_setting_is_one(page: str, tmp_path: Path) -> None:
    for number, block in enumerate(SETTINGS[page]):
        file = tmp_path / f"{number}.toml"
        file.write_text(block.body)
        assert read_file(file, demanded=True) == tomllib.loads(block.body), str(block)


@pytest.mark.parametrize("page", sorted({*PAGES} - GENERATED - {"docs/log.md"}))
def test_no_block_hides_from_the_tests(page: str) -> None:
    for block in blocks(page):
        assert block.language in KNOWN, f"{block}: ```{block.language} is not run, take ```console"
        if block.language == "json":
            json.loads(block.body)
        if block.language == "console":
            assert list(commands(block)), f"{block}: no line begins with $"
        if block.language in {"", "text"}:
            assert "$ " not in block.body, f"{block}: commands belong into ```console"


def test_the_readme_and_its_examples_are_found() -> None:
    found = [one for one in blocks("README.md") if one.language == "console" and not one.why]
    assert found and PROGRAMS["README.md"]
    assert all((ROOT / page).is_file() for page in PAGES)


@pytest.mark.parametrize(
    ("expected", "printed", "fit"),
    [
        ("a", "a\n", True),
        ("a", "b\n", False),
        ("a", "a\nb\n", False),
        ("a\n…", "a\nb\nc\n", True),
        ("a\n…\nc", "a\nc\n", True),
        ("1 sample · 0.20 of 2 s · 3 J", "1 sample · 1.75 of 2 s · 0.4 J\n", True),
        (
            "vote · 3 samples · 139 tokens · 67% agree",
            "vote · 5 samples · 9 tokens · 9% agree",
            True,
        ),
        ("vote · 3 samples · 139 tokens", "majority · 3 samples · 139 tokens\n", False),
        ("P(hard) = 0.39 → direct", "P(hard) = 0.4 → direct\n", True),
        ("P(hard) = 0.39 → direct", "P(hard) = 0.39 → vote\n", False),
        ("a 1.00  contributes +2.63", "a 1.00  contributes -0.50\n", True),
        ("a 1.00  contributes +2.63", "a 0.00  contributes +2.63\n", False),
        ("17 * 23 = 391", "17 * 23 = 392\n", False),
        ("it is … here", "it is not here\n", True),
        ("it is … here", "it is not\n", False),
    ],
)
def test_what_fits(expected: str, printed: str, fit: bool) -> None:
    assert fits(expected, printed) is fit


def test_a_block_knows_its_place_and_why_it_is_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: takes minutes -->\n```console\n$ a \\\n  b\nout\n$ c\n```\n\n"
        "```python\nprint(1)\n```\n\n```text\n1\n```\n"
    )
    first, second, _ = blocks(str(page))
    assert (first.line, first.why, second.why, second.prints) == (2, "takes minutes", None, "1\n")
    assert [(one.line, one.expected) for one in commands(first)] == [("a    b", "out\n"), ("c", "")]
    assert execute(Block("p", 1, "python", "print(1 + 1)"), tmp_path) == "2\n"


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("edgemind ask 'a > b' --json  # why", Call(["ask", "a > b", "--json"])),
        ("cat f | edgemind ask - > g", Call(["ask", "-"], "f", "g")),
        ("edgemind chat < f", Call(["chat"], "f")),
        ("edgemind ask a | wc", None),
        ("ls", None),
    ],
)
def test_what_needs_no_shell(line: str, call: Call | None) -> None:
    assert simple(line) == call
