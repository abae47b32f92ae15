"""The examples of a docstring or of a session at the prompt, run by the library's `doctest`.

Reached from `edgemind.verify.python_child`, and only when there are examples: `doctest` brings
`pdb` and `unittest` with it.
"""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from edgemind.verify.python_tests import error_line, shown


def failures(text: str, names: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Each example of `text` that does not hold: lines after its first, and what is wrong."""
    try:
        test = doctest.DocTestParser().get_doctest(text, names, "examples", None, 0)
    except ValueError as error:
        yield 0, f"the examples cannot be read: {error_line(error)}"
        return
    runner = _Runner()
    runner.run(test, out=_nowhere)
    yield from runner.found


class _Runner(doctest.DocTestRunner):
    """Collects what does not hold."""

    def __init__(self) -> None:
        super().__init__(verbose=False)
        self.found: list[tuple[int, str]] = []

    def report_failure(
        self,
        out: Callable[[str], object],
        test: doctest.DocTest,
        example: doctest.Example,
        got: str,
    ) -> None:
        """Called by `run` where the output differs."""
        given, wanted = shown(got) or "nothing", shown(example.want) or "nothing"
        self._note(example, f"gives {given}, not {wanted}")

    def report_unexpected_exception(
        self,
        out: Callable[[str], object],
        test: doctest.DocTest,
        example: doctest.Example,
        exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
    ) -> None:
        """Called by `run` where an example raises and should not."""
        self._note(example, f"raises {error_line(exc_info[1])}")

    def _note(self, example: doctest.Example, message: str) -> None:
        self.found.append((example.lineno, f"{shown(example.source)} {message}"))


def _nowhere(_text: str) -> None:
    return
