"""What branches have said so far, as a tree: what several say alike is evaluated once.

A trail is a node of that tree. Branches that stand at one node are twins: a step evaluates them as
one and draws for each. A branch whose next token somebody has evaluated before, and what the model
gave after it is remembered, need not be evaluated at all: it draws from that, and takes over the
keys and values where it leaves the beaten path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from edgemind.engines.base import Branch, Engine
    from edgemind.types import Sampling


@dataclass(eq=False, slots=True)
class Trail:
    """The first `depth` tokens of all branches that have this trail.

    `steps` lead on: a token that was evaluated next, and the trail after it. `holders` are branches
    whose cache holds (or held) these tokens, `seen` is what an engine remembers of the model's
    output after them.
    """

    depth: int = 0
    steps: dict[int, Trail] = field(default_factory=dict)
    holders: list[Branch] = field(default_factory=list)
    seen: Any = None

    def holder(self) -> Branch | None:
        """A branch that still holds these tokens."""
        return next(
            (one for one in self.holders if one.alive and one.evaluated >= self.depth), None
        )


B = TypeVar("B", bound="Branch")


def twins(branches: Sequence[B]) -> list[list[B]]:
    """Branches by what they have said so far; groups in the order of their first branch."""
    if len(branches) == 1:
        return [[*branches]]
    groups: dict[tuple[int, int, tuple[int, ...]], list[B]] = {}
    for branch in branches:
        key = (id(branch.trail), branch.evaluated, tuple(branch.pending))
        groups.setdefault(key, []).append(branch)
    return [*groups.values()]


def mark_evaluated(group: Sequence[Branch], count: int) -> None:
    """The first `count` tokens of these twins are evaluated now: their trail leads on."""
    lead_on(group, count)
    for branch in group:
        branch.evaluated = count


def lead_on(group: Sequence[Branch], count: int) -> None:
    """Twins have gone on to `count` tokens: the trail that they share till they part.

    It is a new one, since others that had their old one may go on otherwise, unless it was this
    same token that led on from there.
    """
    first = group[0]
    old = first.trail
    if count == old.depth + 1:
        trail = old.steps.setdefault(first.tokens[old.depth], Trail(count))
    else:
        trail = Trail(count)
    trail.holders.extend(group)
    for branch in group:
        branch.trail = trail


def part(branch: Branch) -> None:
    """Let a branch be evaluated by itself from now on."""
    branch.trail = Trail(branch.trail.depth, holders=[branch])


def fork_apart(engine: Engine, branch: Branch, samplings: Sequence[Sampling]) -> list[Branch]:
    """Children that are evaluated each by itself: to measure steps of a width."""
    children = engine.fork(branch, samplings)
    for child in children:
        part(child)
    return children


def ahead(branch: Branch) -> Trail | None:
    """The trail after a branch's last token, where somebody has gone there and still holds it."""
    trail = branch.trail
    if trail.depth != len(branch.tokens) - 1:
        return None
    found = trail.steps.get(branch.tokens[-1])
    return found if found is not None and found.holder() is not None else None
