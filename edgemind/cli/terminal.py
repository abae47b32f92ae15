"""Text that a person sees: what a model, a file or a library wrote cannot steer their terminal."""

from __future__ import annotations

import sys
from typing import TextIO

from edgemind.wording import UNPRINTABLE, printable


def say(line: str) -> None:
    """One line on stderr: beside the answer, not in it."""
    print(f"edgemind: {printable(line)}", file=sys.stderr)


def put(text: str = "", file: TextIO | None = None) -> None:
    """Text for a person, with a line break after it; on stdout where no other file is given."""
    print(printable(text), file=file or sys.stdout, flush=True)


def put_json(text: str) -> None:
    """JSON on stdout. What would steer a terminal can stand in its strings only, and is escaped."""
    print(UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text), flush=True)
