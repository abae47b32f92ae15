"""Where the frozen program starts: as `python -m edgemind` does."""

import sys

from edgemind.__main__ import main

if __name__ == "__main__":
    # Opened as an application of macOS, which gives no arguments.
    if len(sys.argv) == 1 and ".app/Contents/MacOS/" in sys.executable and not sys.stdin.isatty():
        sys.argv.append("desktop")
    main()
