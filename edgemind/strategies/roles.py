"""What the members of a panel are told, after the question; read by `edgemind.strategies.panel`.

Each text makes a way of working, not another question: answers stay comparable. They are English,
as is the request for steps in `edgemind.prompt`; a model answers in the question's language.
"""

from __future__ import annotations

SPECIALISTS = (
    "Work in small steps. Write each calculation on a line of its own, with its result.",
    "First say what is known and what is asked for. Give the unknown a name and solve for it.",
    "Before you give the answer, work backwards from it and see whether it fits the question.",
)
"""A calculator, a solver, a checker: for questions whose answers can be compared."""

READERS = (
    "Keep to what was asked for, and leave nothing of it out.",
    "Take the simplest way that works, and be concrete.",
    "Think of whoever will use this: look for what is wrong or missing before you finish.",
)
"""For free text and code."""
