"""Conversations, settings, colours, keys, and what a screen reader is told."""

from __future__ import annotations

import time
from typing import Any

from edgemind.config import config_file, load_config
from edgemind.desktop.keys import GROUPS, KEYS
from edgemind.desktop.shelf import Conversation, Shelf
from edgemind.types import Message
from edgemind.wording import receipt
from tests.desktop.conftest import Desk


def kept() -> list[Conversation]:
    shelf = Shelf(lambda line: None)
    try:
        return shelf.conversations()
    finally:
        shelf.close()


def test_nothing_is_kept_unless_it_is_wanted(desk: Desk) -> None:
    desk.ask("What is 1 + 2?")
    desk.settle()
    assert kept() == []
    assert "forgotten" in desk.window.side.note.text()
    desk.press("new")
    desk.ask("What is 3 + 4?")
    assert [one.title for one in desk.control.chats.every] == ["What is 3 + 4?", "What is 1 + 2?"]
    desk.press("next")
    assert [view.prompt for view in desk.window.page.views] == ["What is 1 + 2?"]
    assert desk.last.receipt.text().startswith("direct")


def test_conversations_are_kept_opened_and_removed(desk: Desk) -> None:
    desk.ask("What is 1 + 2?")
    desk.control.preferences.change(("history", "keep"), True)
    desk.settle()
    desk.ask("What is 5 + 6?")
    desk.settle()
    [one] = kept()
    shelf = Shelf(lambda line: None)
    shelf.keep("feedfeed", "m", [Message("user", "Old?"), Message("assistant", "Yes.", "Hm.")])
    system, turns = shelf.read(one)
    shelf.close()
    prompts = ["What is 1 + 2?", "What is 5 + 6?"]
    assert system is None and [turn.prompt for turn in turns] == prompts
    assert all(turn.receipt is not None for turn in turns)
    # Another answer takes the place of the one before, on the disk too.
    desk.press("again")
    desk.idle()
    desk.settle()
    shelf = Shelf(lambda line: None)
    system, turns = shelf.read(one)
    shelf.close()
    assert [turn.prompt for turn in turns] == prompts
    assert desk.last.turn is not None and turns[-1].text == desk.last.turn.text
    # Another window reads them; a turn goes on where it ended.
    desk.control.chats.every.clear()
    desk.control.chats.read()
    desk.settle()
    old = next(one for one in desk.control.chats.every if one.title == "Old?")
    desk.window.side.chosen.emit(old)
    desk.settle()
    assert desk.last.answer.toPlainText() == "Yes." and not desk.last.card.isHidden()
    assert desk.last.thinking.thought == "Hm."
    assert desk.last.receipt.text() == "", "it has none"
    desk.ask("What is 2 + 2?")
    desk.settle()
    talk = desk.control.model.talk
    assert talk is not None and [turn.prompt for turn in talk.turns] == ["Old?", "What is 2 + 2?"]
    desk.window.side.list.removed.emit(old)
    assert len(desk.window.page.views) == 2, "it asks first"
    desk.window.notice.action.click()
    desk.settle()
    [one] = kept()
    assert one.title == "What is 1 + 2?"
    assert not desk.window.page.views
    # What an answer cost then is shown under it.
    desk.window.side.chosen.emit(one)
    desk.wait(lambda: desk.window.page.views, "the conversation")
    assert desk.last.turn is not None and desk.last.turn.answer is None
    kept_receipt = desk.last.turn.receipt
    assert kept_receipt is not None and desk.last.receipt.text() == receipt(kept_receipt)
    desk.press("settings")
    assert desk.control.preferences.sheet is not None
    button = desk.control.preferences.sheet.remove_all
    button.click()
    desk.settle()
    assert len(kept()) == 1 and "once more" in button.text()
    button.click()
    desk.settle()
    assert kept() == [] and "Removed: 1" in desk.window.notice.text.text()
    desk.control.preferences.sheet.reject()


def test_searching_hides_the_others(desk: Desk) -> None:
    for number, title in enumerate(("Apples", "Pears")):
        desk.control.chats.every.append(
            Conversation(title=title, ended=time.time() - 3 * 86_400 * number)
        )
    desk.control.chats.show()
    listed = desk.window.side.list
    assert [listed.item(n).text() for n in range(listed.count())] == [
        *("Today", "Apples"),
        *("Last week", "Pears"),
    ]
    desk.press("search")
    desk.window.side.search.setText("pea")
    assert [listed.item(n).text() for n in range(listed.count())] == ["Last week", "Pears"]


def test_settings_stand_in_the_configuration(desk: Desk) -> None:
    file = config_file()
    file.parent.mkdir(parents=True)
    file.write_text("# mine\nwidth = 6  # few\n")
    view = desk.ask("What is 1 + 2?")
    desk.press("settings")
    sheet = desk.control.preferences.sheet
    assert sheet is not None
    sheet.boxes[("desktop", "receipts")].click()
    desk.settle()
    assert load_config().desktop.receipts is False and view.receipt.text() == ""
    sheet.themes["dark"].click()
    desk.settle()
    assert desk.control.preferences.look.theme.mode == "dark"
    sheet.system.setPlainText('Say "yes".')
    sheet.reject()
    desk.settle()
    assert load_config().system == 'Say "yes".' and load_config().width == 6
    assert file.read_text().startswith("# mine\nwidth = 6  # few\n")
    talk = desk.control.model.talk
    desk.ask("What is 1 + 3?")
    assert talk is not None and talk.system == 'Say "yes".'


def test_what_a_variable_sets_cannot_be_changed_here(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setenv("EDGEMIND_HISTORY_KEEP", "true")
    desk.control.preferences.settings = desk.control.shelf.settings()
    desk.press("settings")
    sheet = desk.control.preferences.sheet
    assert sheet is not None
    box = sheet.boxes[("history", "keep")]
    assert box.isChecked() and not box.isEnabled()
    assert "EDGEMIND_HISTORY_KEEP" in box.toolTip()
    sheet.reject()


def test_light_and_dark(desk: Desk) -> None:
    view = desk.ask("What is 1 + 2?")
    seen = {}
    for _ in range(2):
        theme = desk.control.preferences.look.theme
        picture = desk.window.grab().toImage()
        seen[theme.mode] = picture.pixelColor(700, 300).name()
        assert seen[theme.mode] == theme.page

        def text(view: Any = view) -> str:
            first = view.answer.document().firstBlock().begin()
            return str(first.fragment().charFormat().foreground().color().name())

        desk.wait(lambda theme=theme: text() == theme.text, "the text's colour")
        desk.press("theme")
        desk.settle()
    assert len(seen) == 2
    assert load_config().desktop.theme in ("light", "dark")


def test_the_system_is_followed(desk: Desk, app: Any, monkeypatch: Any) -> None:
    look = desk.control.preferences.look
    look.set_wanted("system")
    assert look.asks, "offscreen Qt knows of no system"
    for dark in (True, False):
        monkeypatch.setattr("edgemind.desktop.preferences.system_is_dark", lambda dark=dark: dark)
        desk.window.looked_at.emit()
        desk.settle()
        assert look.theme.mode == ("dark" if dark else "light")
        desk.wait(lambda: desk.window._theme.mode == look.theme.mode, "the window")


def test_texts_can_be_read_against_what_they_stand_on(app: Any) -> None:
    """At least 4.5 to 1, as WCAG wants of ordinary text."""
    from edgemind.desktop.theme import DARK, LIGHT

    def light(colour: str) -> float:
        parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
        red, green, blue = (
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for theme in (LIGHT, DARK):
        pairs = [
            (text, ground)
            for text in (theme.text, theme.muted)
            for ground in (theme.page, theme.side, theme.surface, theme.raised, theme.code)
        ]
        pairs += [(theme.on_accent, theme.accent), (theme.text, theme.soft)]
        pairs += [(tone, theme.surface) for tone in (theme.good, theme.warn, theme.bad)]
        for text, ground in pairs:
            high, low = sorted((light(text), light(ground)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (theme.mode, text, ground)


def test_every_key_does_something_and_is_in_the_sheet(desk: Desk) -> None:
    from PySide6.QtGui import QKeySequence
    from PySide6.QtWidgets import QLabel

    from edgemind.desktop.sheets import HelpSheet

    actions = desk.window.actions_by_name
    assert {*actions} == {name for name, key in KEYS.items() if not key.fixed}
    shortcuts = [one.keys for group in GROUPS.values() for one in group]
    assert len(shortcuts) == len(set(shortcuts))
    assert all(not QKeySequence(keys).isEmpty() for keys in shortcuts)
    told = " ".join(label.text() for label in HelpSheet(desk.window).findChildren(QLabel))
    assert all(one.says in told for group in GROUPS.values() for one in group)


def test_a_question_by_keys_alone(desk: Desk) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    prompt = desk.window.composer.prompt
    desk.press("prompt")
    QTest.keyClicks(prompt, "What is")
    QTest.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(prompt, "2 + 2?")
    assert prompt.toPlainText() == "What is\n2 + 2?"
    QTest.keyClick(prompt, Qt.Key.Key_Return)
    desk.idle()
    QTest.keyClick(prompt, Qt.Key.Key_Up)
    assert prompt.toPlainText() == "What is\n2 + 2?"
    desk.press("copy")
    from PySide6.QtGui import QGuiApplication

    assert desk.last.turn is not None
    assert QGuiApplication.clipboard().text() == desk.last.turn.text
    desk.press("side")
    assert desk.window.side.isHidden() and not desk.window.show_side.isHidden()


def test_every_control_has_a_name(desk: Desk) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLineEdit, QWidget

    from edgemind.desktop.sheets import HelpSheet

    desk.ask("What is 1 + 2?")
    desk.press("settings")
    assert desk.control.preferences.sheet is not None
    sheets = [
        desk.window,
        desk.control.preferences.sheet,
        HelpSheet(desk.window),
        desk.window.picker,
    ]
    seen = 0
    for sheet in sheets:
        for one in sheet.findChildren(QWidget):
            internal = one.objectName().startswith("qt_") or isinstance(
                one.parent(), QLineEdit
            )  # the field's own clear button
            if internal or one.focusPolicy() == Qt.FocusPolicy.NoFocus:
                continue
            if isinstance(one, QAbstractButton | QAbstractScrollArea | QLineEdit):
                seen += 1
                assert one.accessibleName(), (type(one).__name__, one.objectName())
    assert seen > 30
    desk.control.preferences.sheet.reject()
