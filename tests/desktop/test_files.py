"""Models and documents that are dropped, models that are switched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from edgemind.conversation.documents import MAX_READ_BYTES, fenced_file, split_documents
from tests.desktop.conftest import Desk


def drop(desk: Desk, *paths: Path) -> None:
    """Drop files on the window, as a file manager does."""
    from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
    from PySide6.QtGui import QDragEnterEvent, QDropEvent

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    action = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPointF(9, 9).toPoint(), action, data, buttons, keys)
    desk.window.dragEnterEvent(enter)
    assert enter.isAccepted() and not desk.window.overlay.isHidden()
    event: Any = QDropEvent(QPointF(9, 9), action, data, buttons, keys)
    desk.window.dropEvent(event)
    assert desk.window.overlay.isHidden()
    desk.settle()


def test_a_dropped_document_goes_before_the_prompt(desk: Desk, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("What is 12 + 30?\n")
    drop(desk, note)
    assert [name for name, _ in desk.control.files.documents] == ["note.txt"]
    view = desk.ask("Answer what the file asks.")
    assert view.prompt == f"{fenced_file(note)}\n\nAnswer what the file asks."
    assert view.asked.text() == "Answer what the file asks."
    assert desk.control.files.documents == []
    assert desk.control.chats.current.title == "Answer what the file asks."
    talk = desk.control.model.talk
    assert talk is not None and talk.turns[0].prompt == view.prompt


def test_what_is_no_text_is_refused_in_a_line(desk: Desk, tmp_path: Path) -> None:
    for name, data in (("a.bin", b"a\0b"), ("long.txt", b"x" * (MAX_READ_BYTES + 1))):
        (tmp_path / name).write_bytes(data)
        drop(desk, tmp_path / name)
        assert name in desk.window.notice.text.text()
        assert desk.window.notice.property("kind") == "bad"
    assert desk.control.files.documents == []


def test_documents_are_told_from_the_prompt(tmp_path: Path) -> None:
    first, second = tmp_path / "a ``` b.md", tmp_path / "empty"
    first.write_text("```\ncode\n```\n")
    second.write_text("")
    parts = (fenced_file(first), fenced_file(second), "And now?\n\n```\nx\n```")
    names, text = split_documents("\n\n".join(parts))
    assert names == ["a ''' b.md", "empty"] and text == parts[-1]
    assert split_documents("Nothing before it") == ([], "Nothing before it")


def test_a_dropped_model_answers_and_can_be_added(desk: Desk, nano: Path, tmp_path: Path) -> None:
    model = tmp_path / "other.gguf"
    shutil.copyfile(nano, model)
    drop(desk, model)
    desk.wait(lambda: desk.control.files.path == model, "the model")
    desk.settle()
    desk.wait(lambda: not desk.window.notice.isHidden(), "the offer")
    assert desk.window.notice.action.text() == "Add to my models"
    turn = desk.ask("What is 2 + 2?").turn
    assert turn is not None and turn.answer is not None and turn.answer.answer == "4"
    desk.window.notice.action.click()
    desk.settle()
    from edgemind.choosing import model_path

    assert model_path("other") == model
    # And back, by the list of models.
    desk.press("model")
    desk.wait(lambda: not desk.window.picker.isHidden(), "the list")
    from edgemind.desktop.picker import ROW

    rows = [desk.window.picker.list.item(n).data(ROW) for n in range(2)]
    assert [row.name for row in rows] == ["edgemind-nano", "other"]
    assert all(row.fit == "fits" and "needs" in row.memory for row in rows)
    desk.window.picker.list.itemActivated.emit(desk.window.picker.list.item(0))
    desk.wait(lambda: desk.control.files.ready and desk.control.files.path == nano, "the model")
    assert desk.ask("What is 4 + 4?").turn is not None


def test_a_dropped_folder_with_an_onnx_model_answers(desk: Desk, nano: Path) -> None:
    folder = nano.parent / "edgemind-nano-onnx"
    drop(desk, folder)
    desk.wait(lambda: desk.control.files.path == folder, "the model")
    turn = desk.ask("What is 2 + 2?").turn
    assert turn is not None and turn.answer is not None and turn.answer.answer == "4"


def test_a_bad_model_leaves_the_old_one(desk: Desk, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + b"\xff" * 64)
    drop(desk, bad)
    desk.wait(lambda: not desk.window.notice.isHidden(), "the complaint")
    assert desk.window.notice.property("kind") == "bad"
    assert desk.control.files.ready
    assert desk.window.model.text() == "edgemind-nano"
    assert desk.ask("What is 2 + 2?").turn is not None
