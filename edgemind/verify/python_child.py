"""What the child called `python` does: compile code, run it, then its examples and tests.

Reached from `edgemind.verify.children`, inside the limited process only; the parent's side is
`edgemind.verify.python_code`. Says how many checks there are, and for each of them where it is,
what is to object, and whether it passed.
"""

from __future__ import annotations

import ast
import os
import signal
import sys
import time
import types
import warnings
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn

from edgemind.verify.children import Say
from edgemind.verify.python_tests import Check, Tests, error_line, shown

CODE: Final = "<answer>"
_MESSAGE: Final = 300
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def work(request: Any, say: Say, until: float) -> None:
    """Check the code of `request`. It may do what it likes: all of it is a result here."""
    warnings.simplefilter("ignore")
    try:
        tree = ast.parse(request["code"], CODE)
        program = compile(tree, CODE, "exec", dont_inherit=True)
    except SyntaxError as error:
        if request["certain"]:
            say({"line": error.lineno or 1, "objection": f"SyntaxError: {shown(error.msg)}"})
            say("done")
        else:
            say("no code")
        return
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        say({"line": 1, "objection": f"it cannot be compiled: {error_line(error)}"})
        say("done")
        return
    if not request["certain"] and not _does_something(tree):
        say("no code")
        return
    session = _Session(say, tree, Tests(request["tests"]))
    session.end_at(until)
    session.run(program, request["sessions"])
    say("done")


def _does_something(tree: ast.Module) -> bool:
    """Whether this is a program, rather than words that happen to be Python."""
    telling = (*_DEFINITIONS, ast.Import, ast.ImportFrom, ast.Call)
    return any(isinstance(node, telling) for node in ast.walk(tree))


class _Session:
    """A module made from the code, and everything that is tried on it."""

    def __init__(self, say: Say, tree: ast.Module, tests: Tests) -> None:
        self._say = say
        self._tree = tree
        self._tests = tests
        self._module = types.ModuleType("answer")
        self._first = self._line = tree.body[0].lineno if tree.body else 1
        self._defined = {
            node.name: node.lineno for node in tree.body if isinstance(node, _DEFINITIONS)
        }

    def end_at(self, until: float) -> None:
        """At `until`, name the line of the code that is running, and end."""
        signal.signal(signal.SIGALRM, self._time_is_up)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, until - time.monotonic()))

    def _time_is_up(self, _number: int, frame: FrameType | None) -> NoReturn:
        while frame is not None and frame.f_code.co_filename != CODE:
            frame = frame.f_back
        line = self._line if frame is None else frame.f_lineno
        self._object(line, "this still runs when the time is up")
        self._say("done")
        os._exit(0)

    def run(self, program: types.CodeType, sessions: list[tuple[int, str]]) -> None:
        """The code itself, then every example and every test."""
        sys.modules["answer"] = self._module  # dataclasses and pickle look there
        sys.argv = ["answer.py"]
        examples = [*self._docstrings(), *sessions]
        self._say({"checks": 1 + len(examples) + self._tests.count})
        if not self._code_runs(program):
            return
        for line, text in examples:
            self._examples_hold(line, text)
        for check in self._tests.checks(vars(self._module)):
            self._passes(check)

    def _code_runs(self, program: types.CodeType) -> bool:
        self._at(self._first, "the code")
        try:
            exec(program, vars(self._module))
        # BaseException: code may raise SystemExit, or what it derived from BaseException itself.
        except BaseException as error:
            if isinstance(error, SystemExit) and error.code in (None, 0):
                self._say("passed")
            elif isinstance(error, EOFError | ModuleNotFoundError) and not self._tests.count:
                # It waits for input, or needs a library that is not here: nobody's mistake.
                self._say("unjudged")
            else:
                self._object(_deepest(error.__traceback__) or self._first, error_line(error))
            return False
        self._say("passed")
        return True

    def _passes(self, check: Check) -> None:
        used = [line for name, line in self._defined.items() if name in check.names]
        line = min(used, default=self._first)
        self._at(line, check.doing)
        try:
            check.run()
        # As above: a test calls the code.
        except BaseException as error:
            self._object(_deepest(error.__traceback__) or line, check.why(error))
        else:
            if check.counts:
                self._say("passed")

    # Examples

    def _docstrings(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self._tree):
            if not isinstance(node, (ast.Module, *_DEFINITIONS)) or not node.body:
                continue
            match node.body[0]:
                case ast.Expr(value=ast.Constant(value=str(text), lineno=line)) if ">>>" in text:
                    yield line, text

    def _examples_hold(self, line: int, text: str) -> None:
        from edgemind.verify.python_examples import failures  # slow to import

        self._at(line, "the examples")
        failed = False
        for after, message in failures(text, dict(vars(self._module))):
            failed = True
            self._object(line + after, message)
        if not failed:
            self._say("passed")

    # What is said

    def _at(self, line: int, doing: str) -> None:
        self._line = line
        self._say({"line": line, "doing": doing})

    def _object(self, line: int, message: str) -> None:
        self._say({"line": line, "objection": message[:_MESSAGE]})


def _deepest(trace: TracebackType | None) -> int | None:
    """The last line of the code that an exception went through."""
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == CODE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
