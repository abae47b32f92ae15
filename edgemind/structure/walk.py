"""Reading a text along a grammar by characters: an automaton that is made as it is walked.

Many texts stand at the same place of a grammar: all samples of a question, all tokens that begin
alike. So a place is made once and remembers where each character led from it; what a reader of
whole tokens found out about it is remembered there too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from edgemind.structure.chars import Chars
from edgemind.structure.gbnf import Alternative

MAX_STATES = 20_000
"""Most readings of a text that are followed at once; more than the ways in which a rule may begin,
so that only a grammar that reads one text in ever more ways comes here."""
MAX_REMEMBERED = 200_000
"""Most steps that are remembered, of some hundred bytes each; a place counts as `PLACE_WEIGHT`."""
PLACE_WEIGHT = 10
MAX_MET = 100_000
"""Most states that may have been met before a grammar is begun anew; they are never forgotten."""
LONG_RUN = 32
"""Longer runs of alike characters are not told from each other; few tokens are as long."""
END = 0
"""The state in which nothing more has to come."""


class Position:
    """A place in a grammar that a text may have come to, for reading it piece by piece.

    What may follow never changes. `notes` is for whoever reads in other pieces than characters;
    each note is to be counted with `noted`, and all may be forgotten at any time.
    """

    __slots__ = ("_after", "_choices", "_groups", "_states", "_walk", "may_end", "notes")

    def __init__(self, walk: Walk, states: tuple[int, ...]) -> None:
        self._walk = walk
        self._states = states
        self._choices: list[tuple[Chars, int]] | None = None
        self._groups: dict[int, Position | None] = {}
        self._after: dict[str, Position | None] = {}
        self.notes: dict[Any, Any] = {}
        self.may_end = END in states
        """Whether the text so far is whole."""

    def after(self, text: str) -> Position | None:
        """Where it stands after some more characters; None where they do not fit.

        Also where they could be read in too many ways to follow.
        """
        here = self
        for character in text:
            known = here._after
            found = known[character] if character in known else here._step(character)
            if found is None:
                return None
            here = found
        return here

    @property
    def next_chars(self) -> Iterator[Chars]:
        """What may come next, each of them one character."""
        return (chars for chars, _ in self._following)

    def run(self, chars: Chars) -> int:
        """How many of these characters may follow one another from here, at least.

        `LONG_RUN` at most, although it may be without end.
        """
        runs = (self._walk.run(state) for other, state in self._following if other == chars)
        return max(runs, default=0)

    def noted(self, weight: int = 1) -> None:
        """Count one of the `notes`, as heavy as so many steps."""
        self._walk.remember(weight)

    @property
    def worn(self) -> bool:
        """Whether so much was met on the way from the beginning that a new one is better."""
        return self._walk.states > MAX_MET

    def forget(self) -> None:
        """Everything that can be found out again."""
        self._choices = None
        self._groups, self._after, self.notes = {}, {}, {}

    @property
    def _following(self) -> list[tuple[Chars, int]]:
        if self._choices is None:
            self._choices = list(self._walk.following(self._states))
        return self._choices

    def _step(self, character: str) -> Position | None:
        # What the same elements match leads to the same place: most letters of a string.
        group = 0
        choices = self._following
        for bit, (chars, _) in enumerate(choices):
            if chars.matches(character):
                group |= 1 << bit
        if group not in self._groups:
            met = [state for bit, (_, state) in enumerate(choices) if group >> bit & 1]
            self._groups[group] = self._walk.position(self._walk.behind(met))
        found = self._after[character] = self._groups[group]
        self._walk.remember(1)
        return found


class Walk:
    """The states in which a text may leave a grammar: all stacks of a pushdown automaton.

    A state is a number that stands for (alternative, position, state after it); equal stacks have
    equal numbers.
    """

    def __init__(
        self,
        alternatives: list[Alternative],
        rules: list[list[int]],
        suffixes: list[list[int]],
        shortest: list[int],
    ) -> None:
        self._alternatives = alternatives
        self._rules = rules
        self._suffixes = suffixes
        self._shortest = shortest
        self._places: list[tuple[int, int, int]] = [(-1, 0, END)]
        self._left = [0]
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._opened: dict[int, list[int]] = {}
        self._positions: dict[tuple[int, ...], Position] = {}
        self._runs: dict[int, int] = {}
        self._first: Position | None = None
        self._remembered = 0

    @property
    def states(self) -> int:
        """How many states were met so far. They are never forgotten."""
        return len(self._places)

    def start(self, root: int) -> list[int]:
        """The states before the first character."""
        begun = (self._state(choice, 0, END) for choice in self._rules[root])
        return list(dict.fromkeys(found for state in begun for found in self._open(state)))

    def begin(self, root: int) -> Position:
        """The place before the first character."""
        if self._first is None:
            states = tuple(self.start(root))
            self._first = self._positions[states] = Position(self, states)
        return self._first

    def after(self, states: Iterable[int], character: str) -> list[int]:
        """The states after one more character; none where it does not fit."""
        met = (state for chars, state in self.following(states) if chars.matches(character))
        return self.behind(met)

    def following(self, states: Iterable[int]) -> Iterator[tuple[Chars, int]]:
        """What may come next, and in which of the states."""
        for state in states:
            choice, position, _ = self._places[state]
            element = self._alternatives[choice][position] if state != END else None
            if isinstance(element, Chars):
                yield element, state

    def behind(self, states: Iterable[int]) -> list[int]:
        """The states after these, each of which has met its character."""
        found: dict[int, None] = {}
        for state in states:
            choice, position, parent = self._places[state]
            found.update(dict.fromkeys(self._open(self._state(choice, position + 1, parent))))
        return list(found)

    def position(self, states: Sequence[int]) -> Position | None:
        """The one place of these states; None where there are none, or too many to follow."""
        key = tuple(states)
        if not key or len(key) > MAX_STATES:
            return None
        if (known := self._positions.get(key)) is not None:
            return known
        self.remember(PLACE_WEIGHT)
        made = self._positions[key] = Position(self, key)
        return made

    def remember(self, weight: int) -> None:
        """Count what is remembered; forget all of it where it becomes too much."""
        self._remembered += weight
        if self._remembered > MAX_REMEMBERED:
            for position in self._positions.values():
                position.forget()
            self._positions = {self._first._states: self._first} if self._first else {}
            self._remembered = weight

    def run(self, state: int) -> int:
        """How many characters like the next one may follow one another, at least."""
        chain: list[int] = []
        here: int | None = state
        while here is not None and here not in self._runs and len(chain) < 2 * LONG_RUN:
            if here in chain:
                self._runs[here] = LONG_RUN
                break
            chain.append(here)
            [(chars, _)] = self.following([here])
            after = self.following(self.behind([here]))
            here = next((state for other, state in after if other is chars), None)
        length = 0 if here is None else self._runs.get(here, 0)
        whole = here is None or here in self._runs
        for place, passed in enumerate(reversed(chain), 1):
            # Where the chain was cut its last states would be taken for too short.
            if whole or place > LONG_RUN:
                self._runs[passed] = min(length + place, LONG_RUN)
        return self._runs[state]

    def left(self, state: int) -> int:
        """Characters of the shortest way to the end."""
        return self._left[state]

    def shortest(self, state: int) -> str:
        """The shortest way to the end."""
        said = []
        while state != END:
            choice, position, parent = self._places[state]
            element = self._alternatives[choice][position]
            state = self._state(choice, position + 1, parent)
            if isinstance(element, Chars):
                said.append(element.example())
            else:
                state = self._state(self._shortest[element], 0, state)
        return "".join(said)

    def _state(self, choice: int, position: int, parent: int) -> int:
        if position == len(self._alternatives[choice]):
            return parent
        place = (choice, position, parent)
        if place not in self._numbers:
            self._numbers[place] = len(self._places)
            self._places.append(place)
            self._left.append(self._suffixes[choice][position] + self._left[parent])
        return self._numbers[place]

    def _open(self, state: int) -> list[int]:
        """The states at a character (or the end) to which this one leads without any."""
        if state not in self._opened:
            found, todo, seen = [], [state], {state}
            while todo:
                here = todo.pop()
                choice, position, parent = self._places[here]
                element = self._alternatives[choice][position] if here != END else None
                if not isinstance(element, int):
                    found.append(here)
                    continue
                after = self._state(choice, position + 1, parent)
                for inner in reversed(self._rules[element]):
                    state_in = self._state(inner, 0, after)
                    if state_in not in seen:
                        seen.add(state_in)
                        todo.append(state_in)
            self._opened[state] = found
        return self._opened[state]
