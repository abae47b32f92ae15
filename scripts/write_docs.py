"""Writes every page, and part of a page, of the documentation that is made from the code.

    python scripts/write_docs.py [--check]

With `--check` nothing is written; the exit code is 1 where a page is not what the code says.
"""

from __future__ import annotations

import sys

import write_command_help
import write_memory
import write_settings
from generated_pages import Pages, run


def pages() -> Pages:
    """All of them."""
    return {**write_command_help.pages(), **write_settings.pages(), **write_memory.pages()}


if __name__ == "__main__":
    sys.exit(run(pages, __doc__))
