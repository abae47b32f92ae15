"""The examples of the documentation: found in its pages, run, and compared with what stands there.

A block of ```console is run line by line (`$ command`), a block of ```python as a program of its
own. What stands under a command, or in a block of ```text right behind a program, is what it has to
print: `…` stands for anything in a line, a line of `…` alone for any lines, and what a receipt
counts or a router reckons is any number. `$ echo $?` compares the exit code, which is 0 where
nothing says otherwise. A block behind a comment `<!-- not run: why -->` is only read.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from edgemind.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "SECURITY.md",
    *sorted(f"docs/{one.name}" for one in (ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<why>[^\n]+) -->\n+)?"
    r"^(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
RUN_SECONDS = 60
NUMBER = r"[+-]?\d+(?:\.\d+)?"
FREE = re.compile(
    rf"{NUMBER}(?=(?: of {NUMBER})? (?:[sJ]\b|samples\b|tokens\b)|% agree)"  # what a receipt counts
    rf"|(?<=P = ){NUMBER}|(?<=\) = )0\.\d+|(?<=contributes ){NUMBER}"  # what a router reckons
)
"""Numbers that are never the same twice, or another calibration's."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; `why` is the reason for not running it."""

    page: str
    line: int
    language: str
    body: str
    why: str | None = None
    prints: str | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A line of a console, and what stands under it."""

    line: str
    expected: str


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, each with the block of ```text right behind it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = list(FENCE.finditer(text))
    made = []
    for place, one in enumerate(found):
        prints = None
        after = found[place + 1] if place + 1 < len(found) else None
        if after and after["language"] == "text" and not text[one.end() : after.start()].strip():
            prints = after["body"]
        line = text.count("\n", 0, one.start("fence")) + 1
        made.append(Block(page, line, one["language"].strip(), one["body"], one["why"], prints))
    return made


def of_language(language: str) -> dict[str, list[Block]]:
    """Page → its blocks of a language, where it has any."""
    found = {page: [one for one in blocks(page) if one.language == language] for page in PAGES}
    return {page: some for page, some in found.items() if some}


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console, in order."""
    for part in re.split(r"^\$ ", block.body, flags=re.MULTILINE)[1:]:
        line, _, rest = part.partition("\n")
        while line.endswith("\\"):
            more, _, rest = rest.partition("\n")
            line = f"{line[:-1]} {more}"
        yield Command(line, rest)


def run(command: str, folder: Path) -> tuple[int, str]:
    """Exit code and output (both streams) of a line, run in this folder.

    A call of edgemind alone is run within this process, which is quicker; the rest by a shell.
    """
    words = simple(command)
    if words is None:
        path = f"{folder / '.bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout
    before = dict(os.environ)
    try:
        with contextlib.chdir(folder):
            given = Path(words.reads).read_text() if words.reads else ""
            result = CliRunner().invoke(app, words.arguments, input=given)
            if words.writes:
                Path(words.writes).write_text(result.stdout)
    finally:
        os.environ.clear()
        os.environ.update(before)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stderr if words.writes else result.output


@dataclass(frozen=True)
class Call:
    """A call of edgemind, and the files that stand for its streams."""

    arguments: list[str]
    reads: str | None = None
    writes: str | None = None


def simple(command: str) -> Call | None:
    """A line that calls edgemind, at most from a file or to one; None for any other."""
    reader = shlex.shlex(command, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    words = [os.path.expanduser(word) for word in reader]
    ends: dict[str, str | None] = {"<": None, ">": None}
    if words[:1] == ["cat"] and words[2:3] == ["|"]:
        ends["<"], words = words[1], words[3:]
    while len(words) > 2 and words[-2] in ends:
        ends[words[-2]] = words[-1]
        words = words[:-2]
    if words[0] != "edgemind" or set(words) & set("|<>;&()") or "&&" in words:
        return None
    return Call(words[1:], ends["<"], ends[">"])


def execute(block: Block, folder: Path) -> str:
    """What a program prints, run in this folder. One that locks its process has one of its own."""
    if "lock=True" in block.body:
        command = [sys.executable, "-c", block.body]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if "PrivacyError" in done.stderr:  # some containers give no lock: it says so, that is right
            return block.prints or ""
        assert done.returncode == 0, done.stderr
        return done.stdout
    out = io.StringIO()
    code = compile("\n" * block.line + block.body, str(ROOT / block.page), "exec")
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        exec(code, {"__name__": "__main__"})
    return out.getvalue()


def fits(expected: str, printed: str) -> bool:
    """Whether what was printed is what stands in the page."""
    parts = []
    for line in expected.strip().splitlines():
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
            continue
        fixed = (re.escape(part).replace("…", r"[^\n]*") for part in FREE.split(line.rstrip()))
        parts.append(NUMBER.join(fixed) + r"[ ]*\n")
    lines = "".join(f"{line}\n" for line in printed.strip().splitlines())
    return re.fullmatch("".join(parts), lines) is not None


def furnish(folder: Path, model: Path, home: Path) -> None:
    """Put what the examples name into the folder in which they are run."""
    (folder / ".bin").mkdir()
    program = folder / ".bin" / "edgemind"
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} "
        '-m edgemind "$@"\n'
    )
    check = folder / "check"
    check.write_text("#!/bin/sh\ngrep -q 391\n")
    for one in (program, check):
        one.chmod(0o755)
    for place in (folder, home):
        (place / "some-model.gguf").write_bytes(model.read_bytes())
    (folder / "question.txt").write_text("What is 17 * 23?\n")
    (folder / "notes.txt").write_text("What is 17 * 23?\n")
    (folder / "total.json").write_text(
        '{"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}\n'
    )
    (folder / "questions.jsonl").write_text(
        '{"prompt": "What is 17 * 23?", "answer": "391"}\n'
        '{"prompt": "What is 12 + 30?", "answer": "42"}\n'
    )
