"""`edgemind` and `python -m edgemind`: the command line, and the way in for the program's children.

A child is dispatched before the command line is imported, which would double its start-up.
"""

import os
import sys


def main() -> None:
    """Run a child (`_child NAME`, see `edgemind.cli.child`) or the command line."""
    # Before anything else: until a command is ready to be stopped, Ctrl-C just ends the process.
    try:
        from edgemind.interrupts import leave, set_handler

        set_handler(leave)
    except KeyboardInterrupt:
        os._exit(130)
    if sys.argv[1:2] == ["_child"] and len(sys.argv) == 3:
        from edgemind.cli.child import child

        child(sys.argv[2])
        return
    from edgemind.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
