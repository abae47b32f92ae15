"""A checked grammar, and the shortest way from any beginning of a text to a valid end.

llama.cpp applies grammars while a model writes; this knows what it does not: whether compiling one
would hang or abort the process, and how to finish a text that was cut in the middle. Finishing
needs no model: the rest of a half-written `{"name": "Bo` is known text (`"}`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from edgemind.errors import ConfigError
from edgemind.structure.gbnf import Alternative, Chars, read

MAX_TEXT = 1 << 20
"""Most characters of a grammar's text."""
MAX_PATHS = 4000
"""Most ways in which one rule may begin: llama.cpp follows each of them, and compares them all."""
MAX_SHORTEST = 100_000
"""Most characters of the shortest text; more than any model would write."""
MAX_STATES = 20_000
"""Most readings of a text that are followed at once; more than the ways in which a rule may begin,
so that only a grammar that reads one text in ever more ways comes here."""
MAX_KNOWN = 20_000
"""Most steps of reading that are remembered."""
END = 0
"""The state in which nothing more has to come."""


class Grammar:
    """A grammar in GBNF (llama.cpp's notation) with a rule `root`.

    Raises `ConfigError` where it is malformed, left-recursive, too large, or has a rule that can
    never end.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise ConfigError(f"the grammar is longer than {MAX_TEXT >> 20} MiB of text")
        self.text = text
        rules = read(text)
        self._names = rules.names
        self._root = rules.root
        self._alternatives: list[Alternative] = []
        self._rules: list[list[int]] = []
        for alternatives in rules.alternatives:
            first = len(self._alternatives)
            self._alternatives += alternatives
            self._rules.append(list(range(first, len(self._alternatives))))
        self._measure()
        self._check_beginnings()

    def completion(self, text: str) -> str | None:
        """The shortest text (in characters) that makes `text` whole; None if nothing can.

        Empty where `text` is whole already. Of equally short ones the grammar's first alternative
        wins, so the same beginning always has the same end.
        """
        walk, states, fitting = self._walk(text)
        known = fitting == len(text) and len(states) <= MAX_STATES
        return walk.shortest(min(states, key=walk.left)) if known else None

    def whole(self, text: str) -> str:
        """`text` without what does not fit at its end, and with the shortest end instead.

        As it is where it can be read in too many ways to follow.
        """
        walk, states, fitting = self._walk(text)
        if len(states) > MAX_STATES:
            return text
        return text[:fitting] + walk.shortest(min(states, key=walk.left))

    def start(self) -> Position:
        """Where a text stands before its first character."""
        walk = _Walk(self._alternatives, self._rules, self._suffixes, self._shortest)
        return Position(walk, tuple(walk.start(self._root)))

    def _walk(self, text: str) -> tuple[_Walk, list[int], int]:
        """The states after as much of `text` as fits, and how much that is."""
        walk = _Walk(self._alternatives, self._rules, self._suffixes, self._shortest)
        states = walk.start(self._root)
        for index, character in enumerate(text):
            after = walk.after(states, character)
            if not after:
                return walk, states, index
            states = after
            if len(states) > MAX_STATES:
                break
        return walk, states, len(text)

    def _measure(self) -> None:
        """The length of each rule's shortest text, and of what remains of each alternative."""
        users: defaultdict[int, set[int]] = defaultdict(set)
        for rule, choices in enumerate(self._rules):
            for choice in choices:
                for element in self._alternatives[choice]:
                    if isinstance(element, int):
                        users[element].add(rule)
        lengths: list[int | None] = [None] * len(self._rules)
        self._shortest = [-1] * len(self._rules)
        todo = dict.fromkeys(range(len(self._rules)))
        while todo:
            rule = next(iter(todo))
            del todo[rule]
            for choice in self._rules[rule]:
                length = _length(self._alternatives[choice], lengths)
                known = lengths[rule]
                if length is not None and (known is None or length < known):
                    lengths[rule], self._shortest[rule] = length, choice
                    todo.update(dict.fromkeys(sorted(users[rule])))
        if None in lengths:
            name = self._names[lengths.index(None)]
            raise ConfigError(f"the grammar's rule {name!r} can never end")
        if (least := lengths[self._root] or 0) > MAX_SHORTEST:
            raise ConfigError(f"even the shortest text of the grammar has {least} characters")
        self._nullable = [length == 0 for length in lengths]
        self._suffixes: list[list[int]] = []
        for alternative in self._alternatives:
            left = [0]
            for element in reversed(alternative):
                left.append(left[-1] + (_length((element,), lengths) or 0))
            self._suffixes.append(left[::-1])

    def _check_beginnings(self) -> None:
        """Refuse left recursion, and more beginnings than llama.cpp could follow.

        Its own check follows each path on its own, which takes exponential time for rules that
        share their beginnings, and it misses recursion behind a rule that is empty indirectly.
        """
        firsts = [list(self._first_rules(choices)) for choices in self._rules]
        waiting = [len(first) for first in firsts]
        users: defaultdict[int, list[int]] = defaultdict(list)
        for rule, first in enumerate(firsts):
            for other in first:
                users[other].append(rule)
        ready = [rule for rule, count in enumerate(waiting) if not count]
        paths = [0] * len(firsts)
        for rule in ready:  # grows while it is walked: the rules in the order of their depth
            paths[rule] = len(self._rules[rule]) + sum(paths[other] for other in firsts[rule])
            if paths[rule] > MAX_PATHS:
                name = self._names[rule]
                raise ConfigError(f"the grammar's rule {name!r} has too many ways to begin")
            for user in users[rule]:
                waiting[user] -= 1
                if not waiting[user]:
                    ready.append(user)
        if len(ready) < len(firsts):
            name = self._names[next(rule for rule, count in enumerate(waiting) if count)]
            raise ConfigError(f"the grammar's rule {name!r} begins with itself (left recursion)")

    def _first_rules(self, choices: Iterable[int]) -> Iterable[int]:
        for choice in choices:
            for element in self._alternatives[choice]:
                if not isinstance(element, int):
                    break
                yield element
                if not self._nullable[element]:
                    break


class Position:
    """How far a text has come in a grammar, for reading it piece by piece. Never changes."""

    __slots__ = ("_states", "_walk")

    def __init__(self, walk: _Walk, states: tuple[int, ...]) -> None:
        self._walk = walk
        self._states = states

    @property
    def may_end(self) -> bool:
        """Whether the text so far is whole."""
        return END in self._states

    def after(self, text: str) -> Position | None:
        """Where it stands after some more characters; None where they do not fit.

        Also where they could be read in too many ways to follow.
        """
        states = self._states
        for character in text:
            states = self._walk.remembered(states, character)
            if not states or len(states) > MAX_STATES:
                return None
        return Position(self._walk, states)

    def meets(self, low: int, high: int) -> bool:
        """Whether some character between two code points (inclusive) may come next."""
        return any(chars.meets(low, high) for chars in self._walk.next_chars(self._states))


def _length(alternative: Alternative, lengths: list[int | None]) -> int | None:
    """Characters of an alternative's shortest text, None while that is not known."""
    total = 0
    for element in alternative:
        length = lengths[element] if isinstance(element, int) else 1
        if length is None:
            return None
        total += length
    return total


class _Walk:
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
        self._known: dict[tuple[tuple[int, ...], str], tuple[int, ...]] = {}

    def start(self, root: int) -> list[int]:
        """The states before the first character."""
        begun = (self._state(choice, 0, END) for choice in self._rules[root])
        return list(dict.fromkeys(found for state in begun for found in self._open(state)))

    def after(self, states: list[int], character: str) -> list[int]:
        """The states after one more character; none where it does not fit."""
        found: dict[int, None] = {}
        for state in states:
            choice, position, parent = self._places[state]
            element = self._alternatives[choice][position] if state != END else None
            if isinstance(element, Chars) and element.matches(character):
                opened = self._open(self._state(choice, position + 1, parent))
                found.update(dict.fromkeys(opened))
        return list(found)

    def remembered(self, states: tuple[int, ...], character: str) -> tuple[int, ...]:
        """`after`, which asks only once: many tokens begin alike."""
        key = (states, character)
        if key not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = tuple(self.after([*states], character))
        return self._known[key]

    def next_chars(self, states: Iterable[int]) -> Iterable[Chars]:
        """What may come next."""
        for state in states:
            choice, position, _ = self._places[state]
            element = self._alternatives[choice][position] if state != END else None
            if isinstance(element, Chars):
                yield element

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
