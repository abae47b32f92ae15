"""Reads GBNF, llama.cpp's notation for grammars, for `edgemind.structure.grammar`.

The same language as llama.cpp's own reader takes, but for tokens by name (`<think>`). Errors name
the line; llama.cpp would print the whole grammar to the terminal instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from edgemind.errors import ConfigError
from edgemind.structure.chars import MAX_CODE, SURROGATES, Chars

ROOT = "root"
MAX_ELEMENTS = 50_000
"""Characters and references of one grammar, repetitions written out."""
MAX_REPETITION = 2000
"""llama.cpp's own bound on `{m,n}`."""
MAX_NESTING = 100

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\", '"': '"', "[": "[", "]": "]"}
_HEX = {"x": 2, "u": 4, "U": 8}
Element = Chars | int
"""A character, or the number of a rule."""
Alternative = tuple[Element, ...]


@dataclass(slots=True)
class Rules:
    """A grammar's rules by number, each a list of alternatives; `names` are for messages."""

    names: list[str] = field(default_factory=list)
    alternatives: list[list[Alternative]] = field(default_factory=list)
    root: int = -1


def read(text: str) -> Rules:
    """The rules of a grammar whose first rule is called `root`; `ConfigError` where it has none."""
    return _Reader(text).read()


def _is_character(code: int) -> bool:
    return 0 <= code < SURROGATES[0] or SURROGATES[1] < code <= MAX_CODE


class _Reader:
    def __init__(self, text: str) -> None:
        # A sentinel that is no character of the notation saves asking for the end everywhere.
        self._text = text + "\0"
        self._at = 0
        self._rules = Rules()
        self._numbers: dict[str, int] = {}
        self._defined: set[int] = set()
        self._elements = 0
        self._nesting = 0

    def read(self) -> Rules:
        if "\0" in self._text[:-1] or not all(_is_character(ord(c)) for c in self._text):
            raise ConfigError("a grammar holds a NUL character or half a surrogate pair")
        self._skip(lines=True)
        while self._here != "\0":
            self._rule()
        for name, number in self._numbers.items():
            if number not in self._defined:
                raise ConfigError(f"the grammar has no rule {name!r}")
        if ROOT not in self._numbers:
            raise ConfigError(f"the grammar has no rule {ROOT!r} to start from")
        self._rules.root = self._numbers[ROOT]
        return self._rules

    @property
    def _here(self) -> str:
        return self._text[self._at]

    @property
    def _seen(self) -> str:
        return "the end" if self._here == "\0" else repr(self._here)

    def _fail(self, what: str) -> NoReturn:
        line = self._text.count("\n", 0, self._at) + 1
        raise ConfigError(f"line {line} of the grammar: {what}")

    def _skip(self, lines: bool) -> None:
        """Skip blanks and comments; line ends too where `lines` says that they mean nothing."""
        while self._here in (" \t\r\n" if lines else " \t") or self._here == "#":
            if self._here == "#":
                while self._here not in "\r\n\0":
                    self._at += 1
            else:
                self._at += 1

    def _rule(self) -> None:
        name = self._name()
        self._skip(lines=False)
        if not self._text.startswith("::=", self._at):
            self._fail(f"expected ::= after {name!r}")
        self._at += 3
        self._skip(lines=True)
        number = self._number(name)
        if number in self._defined:
            self._fail(f"the rule {name!r} is there twice")
        self._defined.add(number)
        self._rules.alternatives[number] = self._alternatives(name)
        if self._here not in "\r\n\0":
            self._fail(f"did not expect {self._seen}")
        self._skip(lines=True)

    def _name(self) -> str:
        start = self._at
        while self._here in _NAME:
            self._at += 1
        if start == self._at:
            self._fail(f"expected a name, not {self._seen}")
        return self._text[start : self._at]

    def _number(self, name: str) -> int:
        """The number of a rule by name; a new one where it was not heard of before."""
        if name not in self._numbers:
            self._numbers[name] = self._new_rule(name, [])
        return self._numbers[name]

    def _new_rule(self, name: str, alternatives: list[Alternative]) -> int:
        self._rules.names.append(name)
        self._rules.alternatives.append(alternatives)
        return len(self._rules.names) - 1

    def _count(self, elements: int) -> None:
        self._elements += elements
        if self._elements > MAX_ELEMENTS:
            self._fail("the grammar is too large: use smaller or fewer repetitions")

    def _alternatives(self, name: str) -> list[Alternative]:
        found = [self._sequence(name)]
        while self._here == "|":
            self._at += 1
            self._skip(lines=True)
            found.append(self._sequence(name))
        return found

    def _sequence(self, name: str) -> Alternative:
        done: list[Element] = []
        unit: list[Element] = []
        while True:
            if self._here in "*+?{":
                if not unit:
                    self._fail(f"nothing to repeat before {self._seen}")
                unit = self._repeated(name, unit)
                continue
            done += unit
            match self._here:
                case '"':
                    unit = self._literal()
                case "[":
                    unit = [self._chars()]
                case ".":
                    self._at += 1
                    unit = [Chars((), negated=True)]
                case "(":
                    unit = [self._group(name)]
                case "<" | "!":
                    self._fail("tokens by name are not supported, write their text")
                case here if here in _NAME:
                    unit = [self._number(self._name())]
                case _:
                    return tuple(done)
            self._count(len(unit))
            self._skip(lines=self._nesting > 0)

    def _group(self, name: str) -> int:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            self._fail(f"groups are nested deeper than {MAX_NESTING}")
        self._at += 1
        self._skip(lines=True)
        number = self._new_rule(name, self._alternatives(name))
        if self._here != ")":
            self._fail(f"expected ) and not {self._seen}")
        self._at += 1
        self._nesting -= 1
        return number

    def _literal(self) -> list[Element]:
        self._at += 1
        found: list[Element] = []
        while self._here != '"':
            code = self._character()
            found.append(Chars(((code, code),)))
        self._at += 1
        return found

    def _chars(self) -> Chars:
        self._at += 1
        negated = self._here == "^"
        self._at += negated
        ranges = []
        while self._here != "]":
            low = high = self._character()
            if self._here == "-" and self._text[self._at + 1] != "]":
                self._at += 1
                high = self._character()
            if low > high:
                self._fail("a range of characters runs backwards")
            ranges.append((low, high))
        if not ranges:
            self._fail("a class of characters is empty")
        self._at += 1
        return Chars(tuple(ranges), negated)

    def _character(self) -> int:
        """The code point of the next character, which may be escaped."""
        here = self._here
        if here in "\0\n\r":
            self._fail("a literal or a class does not end")
        self._at += 1
        if here != "\\":
            return ord(here)
        kind = self._here
        self._at += 1
        if kind in _ESCAPES:
            return ord(_ESCAPES[kind])
        digits = self._text[self._at : self._at + _HEX.get(kind, 0)]
        try:
            code = int(digits, 16) if digits.isalnum() else -1
        except ValueError:
            code = -1
        if len(digits) != _HEX.get(kind) or not _is_character(code):
            self._fail(f"unknown escape \\{kind}{digits}")
        self._at += len(digits)
        return code

    def _repeated(self, name: str, unit: list[Element]) -> list[Element]:
        """`unit` as often as the operator here says, as in llama.cpp's reader."""
        least, most = self._times()
        self._skip(lines=self._nesting > 0)
        one: Element = unit[0] if len(unit) == 1 else self._new_rule(name, [tuple(unit)])
        self._count(least + (0 if most is None else 3 * (most - least)))
        found: list[Element] = [one] * least
        if most is None:
            loop = self._new_rule(name, [])
            self._rules.alternatives[loop] = [(one, loop), ()]
            found.append(loop)
        elif most > least:
            # S{0,3} is (S (S (S)?)?)?: one way to read any text, so one stack and not many.
            last = self._new_rule(name, [(one,), ()])
            for _ in range(most - least - 1):
                last = self._new_rule(name, [(one, last), ()])
            found.append(last)
        return found

    def _times(self) -> tuple[int, int | None]:
        operator = self._here
        self._at += 1
        if operator != "{":
            return int(operator == "+"), 1 if operator == "?" else None
        self._skip(lines=self._nesting > 0)
        least = self._integer()
        most: int | None = least
        if self._here == ",":
            self._at += 1
            self._skip(lines=self._nesting > 0)
            most = None if self._here == "}" else self._integer()
        if self._here != "}":
            self._fail("expected } after a repetition")
        self._at += 1
        if most is not None and most < least:
            self._fail(f"a repetition of at least {least} and at most {most}")
        return least, most

    def _integer(self) -> int:
        start = self._at
        while self._here in "0123456789":
            self._at += 1
        digits = self._text[start : self._at]
        if not 0 < len(digits) < 9 or int(digits) > MAX_REPETITION:
            self._fail(f"a repetition is a number up to {MAX_REPETITION}")
        self._skip(lines=self._nesting > 0)
        return int(digits)
