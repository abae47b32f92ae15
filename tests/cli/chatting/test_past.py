"""Conversations that go on: what a chat keeps of itself, and what it takes up again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from edgemind.choosing import person_library
from edgemind.cli.chatting.loop import converse
from edgemind.cli.chatting.past import Diary, find_past, model_of
from edgemind.errors import ConfigError
from edgemind.folders import config_folder, data_folder
from edgemind.history import FILE, History
from edgemind.types import Message
from tests.cli.chatting.conftest import Room, mind
from tests.cli.conftest import Program


@pytest.fixture
def history() -> Iterator[History]:
    made = History(data_folder() / FILE)
    yield made
    made.close()


@pytest.fixture
def keeping() -> None:
    config_folder().mkdir(parents=True)
    (config_folder() / "config.toml").write_text("[history]\nkeep = true\n")


@pytest.fixture
def kept_room(room: Room, keeping: None) -> Room:
    room.talk.keeper = Diary(wanted=True)
    return room


def type_in(room: Room, *lines: str) -> list[str]:
    typed: Iterator[str] = iter(lines)
    before = len(room.face.notes)
    converse(room.desk, lambda _: next(typed, None), lambda _: nullcontext(), commands=True)
    return room.face.notes[before:]


def said(history: History) -> list[list[str]]:
    """What stands in the history, conversation by conversation."""
    return [[one.content for one in history.chat(each.id)] for each in history.conversations()]


def test_clear_begins_another_conversation_in_the_history(
    kept_room: Room, history: History
) -> None:
    type_in(kept_room, "Say a", "/clear", "Say b")
    assert said(history) == [["Say a", "one"], ["Say b", "two"]]


def test_what_is_taken_back_is_not_kept(kept_room: Room, history: History) -> None:
    type_in(kept_room, "/system S", "Say a", "Say b", "/undo")
    assert said(history) == [["S", "Say a", "one"]]
    type_in(kept_room, "/retry")
    assert said(history) == [["S", "Say a", "three"]]
    type_in(kept_room, "/undo")
    assert said(history) == []
    type_in(kept_room, "Say c")
    assert said(history)[0][:2] == ["S", "Say c"]


def test_instructions_that_change_are_kept(kept_room: Room, history: History) -> None:
    type_in(kept_room, "Say a", "/system S", "Say b", "/system -", "Say c")
    assert said(history) == [["Say a", "one", "S", "Say b", "two", "", "Say c", "three"]]
    assert find_past(None).system is None


def test_a_loaded_conversation_is_kept_whole(
    kept_room: Room, history: History, tmp_path: Path
) -> None:
    type_in(kept_room, "Say a", f"/save {tmp_path}/talk", "/clear", f"/load {tmp_path}/talk")
    assert said(history) == [["Say a", "one"]]
    type_in(kept_room, "Say b")
    assert said(history) == [["Say a", "one"], ["Say a", "one", "Say b", "two"]]
    type_in(kept_room, "/undo", "/undo")
    assert said(history) == [["Say a", "one"]]


def test_resume_goes_on_in_the_same_conversation(kept_room: Room, history: History) -> None:
    history.add("aaaa1111", "m", [Message("system", "S"), Message("user", "Q"), *turn("x")])
    history.add("bbbb2222", "m", turn("later"))
    notes = type_in(kept_room, "/resume aaaa", "Say a")
    assert any("goes on, 1 turn:" in note for note in notes)
    assert kept_room.talk.system == "S"
    assert said(history)[-1] == ["S", "Q", "ask x", "answer x", "Say a", "one"]
    # The prompt of the question that had no answer belongs to the turn after it.
    assert kept_room.talk.turns[0].prompt == "Q\n\nask x"
    # Without a name: the latest, but not this one.
    type_in(kept_room, "/resume")
    assert [one.prompt for one in kept_room.talk.turns] == ["ask later"]
    type_in(kept_room, "/undo", "/resume aaaa", "/undo", "/undo")
    assert said(history) == []


def turn(word: str) -> list[Message]:
    return [Message("user", f"ask {word}"), Message("assistant", f"answer {word}")]


def test_where_a_conversation_stands_is_shown_in_few_lines(
    kept_room: Room, history: History
) -> None:
    for number in range(5):
        history.add("aaaa1111", "m", turn(f"{number} {'x' * 100}\nmore"))
    told = type_in(kept_room, "/resume")[-1].split("\n")
    assert told[0].startswith("aaaa1111 of ") and told[0].endswith("goes on, 5 turns:")
    assert told[1] == "…" and len(told) == 8
    assert told[2].startswith("> ask 2 xxx") and told[2].endswith("…")
    assert max(map(len, told)) < 60


def test_resume_without_a_history(room: Room) -> None:
    [said] = type_in(room, "/resume")
    assert said == ("edgemind: no conversation is kept (history.keep is not set in config.toml)")


def test_resume_where_nothing_is_kept_now(room: Room, history: History) -> None:
    history.add("aaaa1111", "m", turn("x"))
    room.talk.keeper = Diary(wanted=False)
    notes = type_in(room, "/resume", "Say a", "/undo")
    assert any("what is said now is not kept" in note for note in notes)
    assert said(history) == [["ask x", "answer x"]]


# The model of then


def test_the_model_of_then_answers_again(kept_room: Room, history: History, tmp_path: Path) -> None:
    path = tmp_path / "then.gguf"
    path.touch()
    history.add("aaaa1111", "then", turn("x"), source=str(path))
    notes = type_in(kept_room, "/resume", "Say a")
    assert kept_room.opened == [path]
    assert "model: scripted, as it was then" in notes
    assert kept_room.talk.chosen == path
    assert history.conversations()[0].source == str(path)
    type_in(kept_room, "/resume aaaa")
    assert kept_room.opened == [path], "it is open already"


def test_a_model_that_is_gone_is_told(kept_room: Room, history: History) -> None:
    history.add("aaaa1111", "then", turn("x"), source="/gone/then.gguf")
    notes = type_in(kept_room, "/resume", "Say a")
    assert notes[0] == (
        "edgemind: then, which answered then, is no longer there at /gone/then.gguf: "
        "scripted answers"
    )
    assert kept_room.opened == []
    assert len(kept_room.talk.turns) == 2


def test_a_model_that_was_moved_is_found_by_its_name(history: History, tmp_path: Path) -> None:
    from edgemind.catalog.entry import Facts

    (tmp_path / "new.gguf").touch()
    library = person_library()
    library.add("then", tmp_path / "new.gguf", "link", Facts(0, 0, "", 0, "", 0))
    library.close()
    history.add("aaaa1111", "then", turn("x"), source="/gone/then.gguf")
    [kept] = history.conversations()
    assert model_of(kept) == tmp_path / "new.gguf"
    (tmp_path / "new.gguf").unlink()
    with pytest.raises(ConfigError, match="no longer there"):
        model_of(kept)


# --resume


def test_the_last_conversation_goes_on(program: Program, keeping: None, history: History) -> None:
    program.says = ["one", "two"]
    assert program("chat", "--system", "S", stdin="Say a\n").exit_code == 0
    done = program("chat", "--resume", stdin="Say b\n")
    assert (done.exit_code, done.stdout) == (0, "one\n")
    assert "goes on, 1 turn:\n> Say a\n  one\n" in done.stderr
    assert said(history) == [["S", "Say a", "one", "Say b", "one"]]
    [kept] = history.conversations()
    done = program("chat", "--resume", kept.id[:6], "--quiet", stdin="Say c\n")
    assert (
        done.stderr
        == "edgemind: scripted, which answered then, is no longer there: scripted answers\n"
    )
    assert len(history.chat(kept.id)) == 7


def test_the_model_is_then_s_unless_another_is_named(
    program: Program,
    keeping: None,
    history: History,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "then.gguf"
    path.touch()
    history.add("aaaa1111", "then", turn("x"), source=str(path))
    monkeypatch.setenv("EDGEMIND_MODEL", "set.gguf")
    program("chat", "--resume", stdin="")
    program("chat", "--resume", "--model", "other.gguf", stdin="")
    path.unlink()
    done = program("chat", "--resume", "aaaa", stdin="")
    assert [model for model, _ in program.loads] == [path, "other.gguf", "set.gguf"]
    assert f"then, which answered then, is no longer there at {path}" in done.stderr


def test_what_cannot_be_resumed(program: Program) -> None:
    done = program("chat", "--resume", stdin="")
    assert (done.exit_code, done.stderr) == (
        2, "edgemind: no conversation is kept (history.keep is not set in config.toml)\n"
    )  # fmt: skip
    done = program("chat", "abcd", stdin="")
    assert (done.exit_code, "edgemind chat --resume abcd" in done.stderr) == (2, True)
    assert program.loads == []


# Export


def test_one_form_for_save_export_and_history(
    kept_room: Room, history: History, tmp_path: Path, program: Program
) -> None:
    type_in(
        kept_room, "/system S", "Say a", f"/save {tmp_path}/a.json", f"/export {tmp_path}/b.json"
    )
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    done = program("history", "export", "--output", str(tmp_path / "c.json"))
    assert done.stderr == f"exported: 1 conversation to {tmp_path}/c.json\n"
    kept = json.loads((tmp_path / "c.json").read_text())
    saved = json.loads((tmp_path / "a.json").read_text())
    assert saved["turns"][0].pop("answer")["samples"] == 1
    assert kept["turns"][0].pop("answer") is None
    assert kept.pop("id") == history.conversations()[0].id
    assert kept.pop("started") > 0
    assert kept == saved
    type_in(kept_room, "/clear", f"/load {tmp_path}/c.json")
    assert (kept_room.talk.system, kept_room.talk.turns[0].text) == ("S", "one")


def test_receipts_go_on_with_the_conversation(
    kept_room: Room, history: History, tmp_path: Path
) -> None:
    [spent] = type_in(kept_room, "Say a", "/stats")
    [first] = [turn.receipt for turn in kept_room.talk.turns]
    assert first is not None and "1 samples, 4 tokens" in spent
    [_, again] = type_in(kept_room, f"/save {tmp_path}/a.json", "/clear", "/resume", "/stats")[-2:]
    assert again == spent
    type_in(kept_room, "/clear", f"/load {tmp_path}/a.json", "Say b", f"/export {tmp_path}/a.md")
    turns = kept_room.talk.turns
    assert turns[0].receipt == first and turns[0].answer is None
    assert (tmp_path / "a.md").read_text().count(" tokens · ") == 2
    # A file is kept in the history with the receipts that it had.
    [name] = {one.id for one in history.conversations() if one.messages == 4}
    assert [one.receipt for one in history.said(name)][1::2] == [turn.receipt for turn in turns]


def test_another_model_is_what_the_next_turns_are_kept_with(
    kept_room: Room, history: History, tmp_path: Path
) -> None:
    (tmp_path / "b.gguf").touch()
    kept_room.talk.mind = mind(["one"])
    type_in(kept_room, "Say a", f"/model {tmp_path}/b.gguf", "Say b")
    [kept] = history.conversations()
    assert kept.source == str(tmp_path / "b.gguf")
