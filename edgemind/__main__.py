"""`python -m edgemind`: the command line, and the way in for children of the program itself.

A child is dispatched before the command line is imported, which would double its start-up.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run a child (`_child NAME`, see `edgemind.cli.child`) or the command line."""
    if sys.argv[1:2] == ["_child"] and len(sys.argv) == 3:
        from edgemind.cli.child import child

        child(sys.argv[2])
        return
    from edgemind.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
