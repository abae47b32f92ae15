"""How hard to think, in words and in limits."""

from __future__ import annotations

import pytest

from edgemind.config import BudgetTable, Config, DesktopTable
from edgemind.conversation.effort import EFFORTS, effort_in, effort_of, written
from edgemind.errors import EdgemindError
from edgemind.types import Budget


def test_words_and_limits() -> None:
    assert effort_of("Quick") is EFFORTS["quick"]
    assert effort_of("5s 30J 200t").budget == Budget(5, 30, 200)
    assert effort_of("").budget == Budget()
    with pytest.raises(EdgemindError):
        effort_of("very hard")


@pytest.mark.parametrize("limits", [Budget(), Budget(5), Budget(0.5, 30, 200), Budget(joules=2)])
def test_limits_are_written_as_they_are_read(limits: Budget) -> None:
    assert effort_of(written(limits)).budget == limits


def test_the_one_to_begin_with() -> None:
    assert effort_in(Config()) is EFFORTS["balanced"]
    assert effort_in(Config(desktop=DesktopTable(effort="thorough"))) is EFFORTS["thorough"]
    assert effort_in(Config(desktop=DesktopTable(effort="nonsense"))) is EFFORTS["balanced"]
    limited = effort_in(Config(budget=BudgetTable(seconds=7.0), width=3))
    assert (limited.name, limited.budget, limited.width) == ("7s", Budget(7), 3)
