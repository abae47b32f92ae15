"""MkDocs hooks: pages that stand elsewhere in the checkout, and links that lead out of docs/.

Reached from mkdocs.yml. In the checkout a page links to `../SECURITY.md` or `../edgemind/run.py`,
and that is right there. On the site the first is a page of its own and the second is no link, since
the code is not on the site. A link to nothing is a warning, which `--strict` makes an error.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changes.md",
    "models/README.md": "bundled-model.md",
}
"""Pages outside of docs/, and what they are called on the site."""
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
log = logging.getLogger("mkdocs.hooks.docs_site")


def on_config(config: Any) -> Any:
    """Put pages that the navigation does not name before its last entry, by their headings."""
    if config.nav:
        named = set(re.findall(r"[\w-]+\.md", str(config.nav)))
        missing = [
            one for one in sorted(Path(config.docs_dir).glob("*.md")) if one.name not in named
        ]
        config.nav[-1:-1] = [{_heading(one): one.name} for one in missing]
    return config


def _heading(page: Path) -> str:
    first = page.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ").strip() or page.stem


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that stand elsewhere."""
    from mkdocs.structure.files import File

    for source, name in ELSEWHERE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """The page with its links as they are on the site."""
    name = page.file.src_uri
    standing = next((source for source, made in ELSEWHERE.items() if made == name), f"docs/{name}")
    fences = re.split(r"(^```.*?^```[^\n]*$)", markdown, flags=re.MULTILINE | re.DOTALL)
    for place in range(0, len(fences), 2):
        fences[place] = LINK.sub(lambda found: _link(found, standing), fences[place])
    return "".join(fences)


def _link(found: re.Match[str], standing: str) -> str:
    """One link of the file that is `standing` there in the checkout."""
    text, target = found[1], found[2]
    path, mark, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", target):
        return found[0]
    place = posixpath.normpath(posixpath.join(posixpath.dirname(standing), path))
    if place in ELSEWHERE:
        return f"[{text}]({ELSEWHERE[place]}{mark}{anchor})"
    if place.startswith("docs/"):
        return f"[{text}]({place.removeprefix('docs/')}{mark}{anchor})"
    if not (ROOT / place).exists():
        log.warning("%s links to %s, which is not there", standing, target)
    return text
