"""Small programs for the tracing skill: their text, and a trace of what each line does.

Statements are built as objects that know both; the tests run the text in Python and compare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

_TESTS = {">": "greater", "<": "less", "==": "equal"}


@dataclass(slots=True)
class Machine:
    """Variables and the lines of the trace."""

    values: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def read(self, term: str) -> int:
        """The value of a variable or a number."""
        return self.values[term] if term in self.values else int(term)


@dataclass(frozen=True, slots=True)
class Assign:
    """`x = a op b`, `x += b` (when a is x and `short`), or `x = a` without an operator."""

    name: str
    left: str
    op: str = ""
    right: str = ""
    short: bool = False

    def text(self) -> list[str]:
        if not self.op:
            return [f"{self.name} = {self.left}"]
        op = "//" if self.op == "/" else self.op
        if self.short:
            return [f"{self.name} {op}= {self.right}"]
        return [f"{self.name} = {self.left} {op} {self.right}"]

    def run(self, machine: Machine) -> None:
        a = machine.read(self.left)
        if not self.op:
            machine.values[self.name] = a
            if not self.left.isdigit():
                machine.lines.append(f"{self.name} = {a}")
            return
        b = machine.read(self.right)
        if self.op == "%":
            value = a % b
            machine.lines.append(f"{self.name}: {a} % {b} = {value}")
        elif self.op == "/":
            value = a // b
            whole = f"{self.name}: {a} / {b} = {value}"
            machine.lines.append(whole if a % b == 0 else f"{self.name}: {a} // {b} = {value}")
        else:
            value = {"+": a + b, "-": a - b, "*": a * b}[self.op]
            machine.lines.append(f"{self.name}: {a} {self.op} {b} = {value}")
        machine.values[self.name] = value


@dataclass(frozen=True, slots=True)
class If:
    """`if a > b:` with an optional else branch; an operator of `%` tests for even numbers."""

    left: str
    op: str
    right: str
    then: tuple[Statement, ...]
    other: tuple[Statement, ...] = ()

    def text(self) -> list[str]:
        test = f"{self.left} % {self.right} == 0" if self.op == "%" else (
            f"{self.left} {self.op} {self.right}")  # fmt: skip
        lines = [f"if {test}:", *_inside(self.then)]
        return [*lines, "else:", *_inside(self.other)] if self.other else lines

    def run(self, machine: Machine) -> None:
        a, b = machine.read(self.left), machine.read(self.right)
        hit = {">": a > b, "<": a < b, "==": a == b, "%": a % b == 0}[self.op]
        shown = f"{a} % {b} = {a % b}" if self.op == "%" else f"{a} {self.op} {b}"
        machine.lines.append(f"{shown}: {'yes' if hit else 'no'}")
        for statement in self.then if hit else self.other:
            statement.run(machine)


@dataclass(frozen=True, slots=True)
class For:
    """`for i in range(start, stop):` or over a list."""

    name: str
    items: tuple[int, ...]
    head: str
    body: tuple[Statement, ...]

    def text(self) -> list[str]:
        return [f"for {self.name} in {self.head}:", *_inside(self.body)]

    def run(self, machine: Machine) -> None:
        for item in self.items:
            machine.values[self.name] = item
            machine.lines.append(f"{self.name} = {item}")
            for statement in self.body:
                statement.run(machine)


@dataclass(frozen=True, slots=True)
class While:
    """`while x < 20:`; a machine that runs for more than 12 rounds is refused."""

    left: str
    op: str
    right: str
    body: tuple[Statement, ...]

    def text(self) -> list[str]:
        return [f"while {self.left} {self.op} {self.right}:", *_inside(self.body)]

    def run(self, machine: Machine) -> None:
        for _ in range(12):
            a, b = machine.read(self.left), machine.read(self.right)
            hit = a < b if self.op == "<" else a > b
            machine.lines.append(f"{a} {self.op} {b}: {'yes' if hit else 'no'}")
            if not hit:
                return
            for statement in self.body:
                statement.run(machine)
        raise OverflowError("too many rounds")


Statement = Assign | If | For | While


def _inside(body: tuple[Statement, ...]) -> list[str]:
    return ["    " + line for statement in body for line in statement.text()]


def program(body: tuple[Statement, ...]) -> str:
    """The text of a program."""
    return "\n".join(line for statement in body for line in statement.text())


def trace(body: tuple[Statement, ...]) -> Machine:
    """Run it."""
    machine = Machine()
    for statement in body:
        statement.run(machine)
    return machine


def names(rng: Random, count: int, first: bool = True) -> list[str]:
    """Different variable names; `first` False for the families that training never sees."""
    pool = "a b c n x y k m total count s".split() if first else "p q r t u v w z".split()
    return rng.sample(pool, count)


def update(rng: Random, name: str, right: str, ops: str = "++-*") -> Assign:
    """`x = x + right` or `x += right`."""
    return Assign(name, name, rng.choice(ops), right, rng.random() < 0.5)
