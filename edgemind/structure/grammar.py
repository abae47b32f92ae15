"""A checked grammar, and the shortest way from any beginning of a text to a valid end.

Engines hold a model to it while it writes (`edgemind.structure.walk` reads along). What is checked
here is that reading can never hang. A text that was cut in the middle is finished here, without a
model: the rest of a half-written `{"name": "Bo` is known text (`"}`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from edgemind.errors import ConfigError
from edgemind.structure.gbnf import Alternative, read
from edgemind.structure.walk import MAX_STATES, Position, Walk

MAX_TEXT = 1 << 20
"""Most characters of a grammar's text."""
MAX_PATHS = 4000
"""Most ways in which one rule may begin, all of which are followed at once."""
MAX_SHORTEST = 100_000
"""Most characters of the shortest text; more than any model would write."""


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
        walk = Walk(self._alternatives, self._rules, self._suffixes, self._shortest)
        return walk.begin(self._root)

    def _walk(self, text: str) -> tuple[Walk, list[int], int]:
        """The states after as much of `text` as fits, and how much that is."""
        walk = Walk(self._alternatives, self._rules, self._suffixes, self._shortest)
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
        """Refuse left recursion, also behind rules that may be empty, and too many beginnings.

        Each rule is counted once: following each path would take exponential time for rules that
        share their beginnings.
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


def _length(alternative: Alternative, lengths: list[int | None]) -> int | None:
    """Characters of an alternative's shortest text, None while that is not known."""
    total = 0
    for element in alternative:
        length = lengths[element] if isinstance(element, int) else 1
        if length is None:
            return None
        total += length
    return total
