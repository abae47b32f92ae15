"""What is printed of an error that nobody expected: where it happened, never what was said.

Python's own report ends with the error's text, which may hold a piece of a prompt or of an answer
(`KeyError: 'my question'`), and reports are pasted into public places.
"""

from __future__ import annotations

import sys
import threading
import traceback
from typing import Any

from edgemind import __version__


def report(error: BaseException) -> str:
    """The error's kind and the places it went through, those of what caused it before it.

    No text of the error itself, no values.
    """
    blocks: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        places = [
            f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n'
            for frame in traceback.extract_tb(one.__traceback__)
        ]
        blocks.append(f"{type(one).__module__}.{type(one).__qualname__}\n{''.join(places)}")
        hidden = one.__suppress_context__
        one = one.__cause__ or (None if hidden else one.__context__)
    return "".join(reversed(blocks))


def show(error: BaseException) -> None:
    """Print the report on stderr."""
    print(
        f"edgemind: an internal error, in version {__version__} on {sys.platform}. Nothing that "
        f"you or the model said is in this report:\n{report(error)}",
        end="",
        file=sys.stderr,
    )


def install() -> None:
    """Report so what ends a thread, and what happens while objects are taken away."""

    def in_thread(arguments: Any) -> None:
        if arguments.exc_value is not None and arguments.exc_type is not SystemExit:
            show(arguments.exc_value)

    def ignored(arguments: Any) -> None:
        if arguments.exc_value is not None:
            show(arguments.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = ignored
