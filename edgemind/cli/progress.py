"""A bar on stderr for commands that ask many questions, with the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(total: int, quiet: bool = False, held: int = 0) -> Iterator[Callable[[bool], None]]:
    """A bar where a person sees it; what it yields takes whether each question was right.

    The `held` first ones come from a file, at once: they say nothing of the time left.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    hidden = quiet or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=hidden) as bar:
        task = bar.add_task("asking", total=total, completed=held)
        hits = taken = 0

        def tell(right: bool) -> None:
            nonlocal hits, taken
            hits, taken = hits + right, taken + 1
            bar.update(task, completed=max(held, taken), description=f"{hits / taken:.0%} right")

        yield tell
