"""Where the frozen program starts: as `python -m edgemind` does."""

from edgemind.__main__ import main

if __name__ == "__main__":
    main()
