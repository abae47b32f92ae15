"""What the scripts share that write pages of the documentation from the code.

    python scripts/write_docs.py            # write all of them
    python scripts/write_docs.py --check    # exit code 1 where one differs from the code

A whole page is a text; a part of a page stands between two comments of its name.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
NOTE = "<!-- Written by scripts/{script}. Change the code, not this {what}. -->"

Pages = Mapping[Path, str]
"""Files and what should stand in them."""


def run(make: Callable[[], Pages], description: str | None) -> int:
    """Write the pages that `make` gives, or with `--check` say which differ; the exit code."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    stale = [path for path, text in make().items() if not _settle(path, text, parser.parse_args())]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not what the code says: python scripts/write_docs.py")
    return 1 if stale else 0


def _settle(path: Path, text: str, asked: argparse.Namespace) -> bool:
    """Whether the page is as it should be, afterwards."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return True
    if asked.check:
        return False
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)
    return True


def whole(title: str, script: str, body: str) -> str:
    """A page that is generated from its first line to its last."""
    return f"# {title}\n\n{NOTE.format(script=script, what='page')}\n\n{body.strip()}\n"


def with_part(page: Path, name: str, script: str, part: str) -> str:
    """The page's text with another part between `<!-- begin NAME -->` and `<!-- end NAME -->`."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    found = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", text, re.DOTALL)
    if found is None:
        raise SystemExit(f"{page} has no part between {begin} and {end}")
    note = NOTE.format(script=script, what="part")
    made = f"{begin}\n{note}\n\n{part.strip()}\n\n{end}"
    return text[: found.start()] + made + text[found.end() :]


def table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown. The cells are Markdown already."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plain(text: str) -> str:
    """A text of the code on one line, so that Markdown shows it as it is but for `code`."""
    text = text.replace("\\[", "[")  # written so, since the terminal's help is rich's markup
    for mark, shown in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("*", "\\*")):
        text = text.replace(mark, shown)
    return " ".join(text.split())
