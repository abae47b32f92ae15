"""`edgemind history`, and what `ask` and `chat` put there: nothing, unless the person wants it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from edgemind.cli.main import app
from edgemind.folders import config_folder, data_folder
from edgemind.history import FILE, History
from edgemind.receipts import Receipt
from edgemind.types import Budget, Message
from tests.cli.conftest import Program

SECRET = "Where is the goose?"
RECEIPT = Receipt(
    "vote", 8, 321, 1.25, 9.5, "estimated", 0.875, 0.75, "budget", Budget(seconds=2.0, tokens=400)
)
LINE = (
    "vote · 8 samples · 321 of 400 tokens · 1.25 of 2 s · 9.5 J (estimated) · 75% agree · "
    "cut by the budget"
)


def history(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["history", *arguments])


@pytest.fixture
def keep() -> Callable[[bool], None]:
    """Writes `[history] keep`."""

    def write(wanted: bool) -> None:
        config_folder().mkdir(parents=True, exist_ok=True)
        (config_folder() / "config.toml").write_text(f"[history]\nkeep = {str(wanted).lower()}\n")

    return write


@pytest.mark.parametrize("wanted", [None, False])
def test_nothing_is_kept_unasked(
    program: Program, home: Path, keep: Callable[[bool], None], wanted: bool | None
) -> None:
    if wanted is not None:
        keep(wanted)
    assert program("ask", SECRET).exit_code == 0
    assert program("chat", stdin=f"{SECRET}\nAnd now?\n").exit_code == 0
    assert not (data_folder() / FILE).exists()
    for path in home.rglob("*"):
        assert path.is_dir() or b"goose" not in path.read_bytes(), path
    done = history("list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "no conversation is kept (history.keep is not set in config.toml)" in done.stderr


def test_a_question_and_a_chat_are_kept(program: Program, keep: Callable[[bool], None]) -> None:
    keep(True)
    program.says = ["one", "two"]
    assert program("ask", SECRET).exit_code == 0
    assert program("chat", "--system", "Be brief.", stdin=f"{SECRET}\nAnd now?\n").exit_code == 0
    kept = History(data_folder() / FILE)
    asked, talked = kept.conversations()
    assert [one.content for one in kept.chat(asked.id)] == [SECRET, "one"]
    assert kept.chat(talked.id) == (
        Message("system", "Be brief."),
        Message("user", SECRET),
        Message("assistant", "one"),
        Message("user", "And now?"),
        Message("assistant", "two"),
    )
    kept.close()

    lines = history("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [asked.id[:8], talked.id[:8]]
    assert lines[0].endswith(SECRET) and lines[1].split()[3] == "5"
    shown = history("show", asked.id[:8]).stdout
    line = "direct · 1 sample · 4 tokens · 0.00 s · 0.0 J (measured:fake)"
    assert shown == f"user:\n{SECRET}\n\nassistant:\none\n{line}\n"
    assert "Be brief." in history("show").stdout, "the latest one"
    found = json.loads(history("show", "--json").stdout)
    assert found["id"] == talked.id and found["messages"][0]["role"] == "system"
    costs = [one["receipt"] for one in found["messages"]]
    assert [one is None for one in costs] == [True, True, False, True, False]
    assert (costs[2]["route"], costs[2]["samples"], costs[2]["tokens"]) == ("direct", 1, 4)
    assert [one["id"] for one in json.loads(history("list", "--json").stdout)] == [
        asked.id,
        talked.id,
    ]

    assert history("clear", asked.id[:8]).stderr == "removed: 1 conversation\n"
    assert history("clear").stderr == "removed: 1 conversation\n"
    assert history("clear").stderr == "removed: 0 conversations\n"
    rest = b"".join(path.read_bytes() for path in (data_folder() / FILE).parent.iterdir())
    assert b"goose" not in rest and b"brief" not in rest


def test_an_answer_that_failed_is_not_kept(program: Program, keep: Callable[[bool], None]) -> None:
    keep(True)
    program.context = 8
    program("chat", stdin=f"{SECRET}\n")
    assert not (data_folder() / FILE).exists()


def test_what_was_said_cannot_steer_the_terminal(
    program: Program, keep: Callable[[bool], None]
) -> None:
    keep(True)
    program.says = ["a\x1b[2Jb\x9b1mc\u202ed"]
    program("ask", "x\x1b]0;y\x07z")
    for done in (history("list"), history("show"), history("show", "--json")):
        assert done.exit_code == 0
        assert not set("\x1b\x07\x9b\u202e") & set(done.stdout)
    assert (
        json.loads(history("show", "--json").stdout)["messages"][1]["content"] == (program.says[0])
    )


@pytest.mark.parametrize("arguments", [["show"], ["show", "abcd"], ["clear", "abcd"]])
def test_a_conversation_that_is_not_there(arguments: list[str]) -> None:
    done = history(*arguments)
    assert done.exit_code == 2
    assert done.stderr == "edgemind: no conversation is kept\n"


# Searching and exporting


@pytest.fixture
def two() -> History:
    seconds = iter((1000.0, 2000.0, 3000.0))
    kept = History(data_folder() / FILE, now=lambda: next(seconds))
    kept.add(
        "aaaa1111", "m", [Message("user", SECRET), Message("assistant", "In the\x1b[2J cellar.")]
    )
    kept.add("bbbb2222", "n", [Message("system", "Brief."), Message("user", "A goose?")])
    kept.add("bbbb2222", "n", [Message("assistant", "Two geese.", "hm")], receipts=[RECEIPT])
    kept.close()
    return kept


def test_search(two: History) -> None:
    done = history("search", "goose")
    first, second = done.stdout.splitlines()
    assert first.startswith("aaaa1111  1970-01-01 ")
    assert first.endswith("  user       Where is the [goose]?")
    assert second.endswith("  user       A [goose]?")
    done = history("search", "goose", "--limit", "1")
    assert done.stdout.splitlines() == [second]
    assert done.stderr == "edgemind: there are older ones: --limit shows more\n"
    [found] = json.loads(history("search", "where", "goose", "--json").stdout)
    assert (found["id"], found["number"], found["role"]) == ("aaaa1111", 0, "user")
    assert found["excerpt"][slice(*found["marks"][1])] == "goose"
    done = history("search", "swan")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "edgemind: nothing is found\n")
    assert history("search", "swan", "--json").stdout == "[]\n"
    for arguments in (['"'], ["NEAR("], ["a", "OR", "*"], ["--", "-x"], ["\x00"]):
        assert history("search", *arguments).exit_code in (0, 2)
    assert "\x1b" not in history("search", "cellar").stdout


def test_search_for_nothing() -> None:
    assert history("search", " ").exit_code == 2
    assert history("search", "goose").stderr == "edgemind: nothing is found\n"


def test_export(two: History, tmp_path: Path) -> None:
    text = history("export", "aaaa").stdout
    assert text.startswith("# Conversation with m, 1970-01-01 ")
    assert text.endswith(f"\n\n## You\n\n{SECRET}\n\n## Answer\n\nIn the[2J cellar.\n")
    latest = json.loads(history("export", "--format", "json").stdout)
    assert (latest["id"], latest["model"], latest["system"]) == ("bbbb2222", "n", "Brief.")
    assert latest["turns"] == [
        {
            "prompt": "A goose?",
            "text": "Two geese.",
            "reasoning": "hm",
            "receipt": {
                "route": "vote",
                "samples": 8,
                "tokens": 321,
                "seconds": 1.25,
                "joules": 9.5,
                "energy_source": "estimated",
                "confidence": 0.875,
                "agreement": 0.75,
                "finish": "budget",
                "budget": {"seconds": 2.0, "joules": None, "tokens": 400},
            },
            "answer": None,
        }
    ]
    assert history("export").stdout.endswith(f"\n\nTwo geese.\n\n*{LINE}*\n")
    both = json.loads(history("export", "--all", "--format", "json").stdout)
    assert [one["id"] for one in both] == ["aaaa1111", "bbbb2222"]
    assert history("export", "--all").stdout.count("# Conversation with") == 2

    path = tmp_path / "all.md"
    done = history("export", "--all", "--output", str(path))
    assert (done.stdout, done.stderr) == ("", f"exported: 2 conversations to {path}\n")
    assert path.read_text() == history("export", "--all").stdout
    assert path.stat().st_mode & 0o777 == 0o600
    done = history("export", "--output", str(path))
    assert (done.exit_code, "is there already" in done.stderr) == (2, True)
    assert history("export", "aaaa", "--all").exit_code == 2
    assert history("export", "--output", str(path / "x.md")).exit_code == 2


def test_nothing_to_export() -> None:
    for arguments in ([], ["--all"], ["abcd"]):
        done = history("export", *arguments)
        assert (done.exit_code, done.stderr) == (2, "edgemind: no conversation is kept\n")
