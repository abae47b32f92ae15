"""A person's tests as a list of checks, which say in one line what does not hold.

Reached from `edgemind.verify.python_child`. Tests are Python source: statements (each one that is
no definition, import or assignment is a check), functions `test…` without arguments, and classes
with methods `test…`, of `unittest` or plain. A comparison in an assert is taken apart, so that
its left side can be shown.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

TESTS: Final = "<tests>"
_HOLDS: Final = "_edgemind_holds"
_SHOWN: Final = 100
_SETUP: Final = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AnnAssign,
)
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], object]]] = MappingProxyType(
    {
        "Eq": operator.eq,
        "NotEq": operator.ne,
        "Lt": operator.lt,
        "LtE": operator.le,
        "Gt": operator.gt,
        "GtE": operator.ge,
        "Is": operator.is_,
        "IsNot": operator.is_not,
        "In": lambda left, right: left in right,
        "NotIn": lambda left, right: left not in right,
    }
)


@dataclass(frozen=True, slots=True)
class Check:
    """Something to `run`; it passes unless it raises, which `why` then puts into words.

    `names` are those it uses, `counts` whether it adds to the score.
    """

    doing: str
    names: frozenset[str]
    counts: bool
    run: Callable[[], object]
    why: Callable[[BaseException], str]


class Tests:
    """Tests from source, which has to compile."""

    def __init__(self, source: str) -> None:
        apart: ast.Module = _TakenApart().visit(ast.parse(source, TESTS))
        self._tree = ast.fix_missing_locations(apart)
        self._last: str | None = None

    @property
    def count(self) -> int:
        """How many checks count."""
        statements = [node for node in self._tree.body if not isinstance(node, _SETUP)]
        return len(statements) + sum(len(_named_tests(node)) for node in self._tree.body)

    def checks(self, names: dict[str, Any]) -> Iterator[Check]:
        """The checks in order, to be run with the code's `names` before the next is taken."""
        names[_HOLDS] = self._holds
        for node in self._tree.body:
            program = compile(ast.Module([node], []), TESTS, "exec", dont_inherit=True)
            doing = f"`{shown(_source(node))}`"
            counts = not isinstance(node, _SETUP)
            yield self._check(doing, node, counts, _Executed(program, names))
        for node in self._tree.body:
            for name in _named_tests(node):
                yield self._check(name, node, True, _Called(node, name, names))

    def _check(
        self, doing: str, node: ast.stmt, counts: bool, action: Callable[[], object]
    ) -> Check:
        def run() -> None:
            self._last = None
            action()

        def why(error: BaseException) -> str:
            if isinstance(error, AssertionError):
                return self._last or f"{doing} does not hold. {error_line(error)}"
            return f"{doing} raises {error_line(error)}"

        used = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        return Check(doing, frozenset(used), counts, run, why)

    def _holds(self, left: object, right: object, name: str, source: str) -> object:
        """What an assert's comparison became: its result, noted in words when it is false."""
        result = _OPERATORS[name](left, right)
        if not result:
            if name == "Eq":
                self._last = f"{source} is {_repr(left)}, not {_repr(right)}"
            else:
                self._last = f"{source} does not hold: its left side is {_repr(left)}"
        return result


class _TakenApart(ast.NodeTransformer):
    """`assert a == b, c` becomes `assert holds(a, b, "Eq", "a"), c`."""

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        match node.test:
            case ast.Compare(left, [sign], [right]):
                name = type(sign).__name__
                source = shown(ast.unparse(left if name == "Eq" else node.test))
                words: list[ast.expr] = [ast.Constant(name), ast.Constant(source)]
                called = ast.Name(_HOLDS, ast.Load())
                test = ast.Call(called, [left, right, *words], [])
                return ast.copy_location(ast.Assert(test, node.msg), node)
        return node


@dataclass(frozen=True, slots=True)
class _Executed:
    program: Any
    names: dict[str, Any]

    def __call__(self) -> None:
        exec(self.program, self.names)


@dataclass(frozen=True, slots=True)
class _Called:
    """A test function, or a method of a class of tests."""

    node: ast.stmt
    name: str
    names: dict[str, Any]

    def __call__(self) -> None:
        import unittest

        try:
            if isinstance(self.node, ast.ClassDef):
                made = self.names[self.node.name]
                if issubclass(made, unittest.TestCase):
                    made(self.name).debug()
                else:
                    getattr(made(), self.name)()
            else:
                self.names[self.name]()
        except unittest.SkipTest:
            return


def _named_tests(node: ast.stmt) -> list[str]:
    """The names of a statement's tests: itself, or its methods."""
    match node:
        case ast.FunctionDef(name, ast.arguments(args=args, defaults=defaults)):
            return [name] if name.startswith("test") and len(args) == len(defaults) else []
        case ast.ClassDef(body=body):
            methods = [inner.name for inner in body if isinstance(inner, ast.FunctionDef)]
            return [name for name in methods if name.startswith("test")]
    return []


def _source(node: ast.stmt) -> str:
    """A statement as it was written, before it was taken apart."""
    match node:
        case ast.Assert(ast.Call(ast.Name(_), [left, right, ast.Constant(name), _])) if (
            name in _OPERATORS
        ):
            sign = getattr(ast, str(name))()
            node = ast.Assert(ast.Compare(left, [sign], [right]), None)
    return ast.unparse(node)


def error_line(error: BaseException) -> str:
    """An exception in one line."""
    try:
        words = str(error)
    # Its own __str__ may raise whatever it likes.
    except BaseException:
        words = ""
    return shown(f"{type(error).__name__}: {words}" if words else type(error).__name__)


def shown(text: str) -> str:
    """The first `_SHOWN` characters, blanks and line ends as one space."""
    text = " ".join(text[: 10 * _SHOWN].split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _repr(value: object) -> str:
    try:
        return shown(repr(value))
    # As above.
    except BaseException:
        return f"a {type(value).__name__}"
