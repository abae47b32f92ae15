"""`edgemind _child NAME` (hidden): a task that this program does in a limited process.

Reached through `edgemind.verify.children`, which starts this program again. No typer in here, since
a child has to start quickly; and what a child needs is imported late, since nobody else needs it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edgemind.errors import EdgemindError

USAGE = 2


def child(name: str) -> None:
    """Serve one request from stdin as the child called `name`. Does not return."""
    from edgemind.verify.children import serve

    try:
        if name == "probe":
            from edgemind.probe import TASKS

            serve(name, shut_in, TASKS)
        if name == "template":
            from edgemind.rendering import TASKS as RENDERING

            serve(name, shut_in, RENDERING)
        if name == "quantize":
            from edgemind.quantize import making

            serve(name, shut_in, making.TASKS)
        if name == "libraries":
            from edgemind.doctor import libraries

            # It opens no file of anybody, and a driver may need what the others are refused.
            serve(name, lambda: True, libraries.TASKS)
        serve(name, shut_in)
    except EdgemindError as error:
        print(f"edgemind: {error}", file=sys.stderr)
        sys.exit(USAGE)


def shut_in() -> bool:
    """No network, no processes, no writing but in the working folder, as far as the system can.

    Returns whether processes are refused (where seccomp is missing, they are not).
    """
    from edgemind.guard.landlock import write_only_below
    from edgemind.guard.seccomp import confine

    write_only_below(Path.cwd())
    return confine()
