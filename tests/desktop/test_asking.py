"""A person asks, stops, chooses a budget: the window over the bundled model."""

from __future__ import annotations

import time

import pytest

from edgemind.conversation.effort import EFFORTS
from edgemind.types import Budget
from edgemind.wording import receipt
from tests.desktop.conftest import QUESTION, Desk


def test_a_typed_question_is_answered(desk: Desk) -> None:
    view = desk.ask()
    turn = view.turn
    assert turn is not None and turn.answer is not None
    assert turn.answer.answer == "37"
    assert turn.text in view.answer.markdown
    assert "37" in view.answer.toPlainText()
    assert view.receipt.text() == receipt(turn.answer)
    assert desk.window.composer.prompt.toPlainText() == ""
    assert desk.control.chats.current.title.startswith("Tom has 3 bags")
    assert desk.control.effort == EFFORTS["balanced"]
    assert turn.answer.budget == EFFORTS["balanced"].budget


def test_an_answer_knows_the_turns_before_it(desk: Desk) -> None:
    desk.ask("What is 3 + 4?")
    desk.ask("What is 5 + 5?")
    talk = desk.control.model.talk
    assert talk is not None
    assert [turn.prompt for turn in talk.turns] == ["What is 3 + 4?", "What is 5 + 5?"]
    desk.press("again")
    desk.idle()
    assert [view.prompt for view in desk.window.page.views] == ["What is 3 + 4?", "What is 5 + 5?"]
    assert len(talk.turns) == 2


def test_stopping_gives_the_best_answer_so_far(desk: Desk) -> None:
    desk.think()
    desk.type(QUESTION)
    thinking = desk.control
    desk.wait(lambda: sum(one.ended for one in thinking._thinking.samples.values()) > 5)
    assert not desk.last.card.isHidden() and desk.last.card.samples.rows
    assert desk.last.card.votes.rows and desk.last.card.spent.rows
    assert desk.window.composer.button.accessibleName().startswith("Stop")
    desk.press("stop")
    desk.idle()
    answer = desk.last.turn.answer if desk.last.turn else None
    assert answer is not None and answer.finish == "interrupted"
    assert answer.text and 5 < answer.samples < 200
    assert "stopped" in desk.last.receipt.text()
    # What was stopped too late for one answer does not stop the next.
    desk.control.model.stop()
    desk.control.effort = EFFORTS["balanced"]
    after = desk.ask("What is 2 + 2?").turn
    assert after is not None and after.answer is not None and after.answer.finish == "stop"


def test_the_thinking_grows_and_folds(desk: Desk) -> None:
    desk.think(width=24)
    desk.type(QUESTION)
    seen: set[int] = set()

    def grown() -> bool:
        seen.update(one.tokens for one in desk.control._thinking.samples.values() if not one.ended)
        return not desk.control.busy

    desk.wait(grown)
    assert len(seen) > 2, "samples are seen while they grow"
    card = desk.last.card
    assert card.body.isHidden(), "it folds when the answer is there"
    assert "24 samples" in card.head.text()
    desk.press("thinking")
    assert not card.body.isHidden()
    assert sum(int(row.text.split()[0]) for row in card.votes.rows) <= 24
    assert "votes" in card.votes.accessibleDescription()
    desk.press("why")
    assert "P(hard)" in desk.last.details.text() and "where it went" in desk.last.details.text()


def test_the_budget_control_alters_the_budget_of_the_run(desk: Desk) -> None:
    control = desk.window.composer.effort
    for name in ("quick", "thorough"):
        desk.press(name)
        turn = desk.ask("What is 6 * 7?").turn
        assert turn is not None and turn.answer is not None
        assert turn.answer.budget == EFFORTS[name].budget
    desk.press("limits")
    assert control.field.isVisible()
    control.field.setText("9s 300J 40t")
    control.field.editingFinished.emit()
    turn = desk.ask("What is 6 * 8?").turn
    assert turn is not None and turn.answer is not None
    assert turn.answer.budget == Budget(9, 300, 40)
    assert turn.answer.spent.tokens <= 40
    assert "of 40 tokens" in desk.last.receipt.text()
    control.field.setText("9 apples")
    control.field.editingFinished.emit()
    assert "is no limit" in control.problem.text() and not control.problem.isHidden()
    assert desk.control.effort.budget == Budget(9, 300, 40)


def test_a_budget_that_is_too_small_is_said_in_the_turn(desk: Desk) -> None:
    desk.press("limits")
    desk.window.composer.effort.field.setText("0.000001s")
    desk.window.composer.effort.field.editingFinished.emit()
    desk.type("What is 6 * 7?")
    desk.idle()
    assert not desk.last.problem.isHidden() and "s" in desk.last.problem.text()
    assert desk.control.chats.current.turns == []
    prompt = desk.window.composer.prompt
    assert prompt.toPlainText() == "What is 6 * 7?", "it can be asked again"
    prompt.clear()
    desk.press("balanced")
    first = desk.ask("What is 6 * 7?").turn
    assert first is not None and len(desk.window.page.views) == 1
    # One more try that comes to nothing leaves the answer that there was.
    desk.press("limits")
    desk.window.composer.effort.field.editingFinished.emit()
    desk.press("again")
    desk.idle()
    assert desk.last.turn == first and desk.last.receipt.text() == receipt(first.answer)  # type: ignore[arg-type]
    assert desk.control.chats.current.turns == [first]
    assert desk.window.notice.property("kind") == "bad"


def test_the_window_lives_while_it_thinks(desk: Desk) -> None:
    """Every stretch of the window's own work is short, whatever else the machine does."""
    from PySide6.QtCore import QTimer

    desk.think(width=64)
    longest, last = 0.0, time.thread_time()

    def tick() -> None:
        nonlocal longest, last
        now = time.thread_time()
        longest, last = max(longest, now - last), now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(5)
    desk.ask()
    timer.stop()
    assert 0 < longest < 0.05


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_is_not_asked(desk: Desk, text: str) -> None:
    desk.type(text)
    assert not desk.control.busy and not desk.window.page.views
