"""The documentation as a site: whole, with every link leading somewhere, and nothing fetched."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
FETCHED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"'](?:https?:|//)")
FETCHED_BY_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:|//)""")
README_LINK = re.compile(r"\]\(([^)\s]+)\)")


def build(folder: Path, configuration: Path = ROOT / "mkdocs.yml") -> tuple[int, str]:
    """Exit code and report of building the site into a folder."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install 'edgemind[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "-f", str(configuration), "-d", str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_site_is_whole_and_fetches_nothing(tmp_path: Path) -> None:
    code, report = build(tmp_path)
    assert code == 0, report
    pages = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.html")}
    assert {"index.html", "security.html", "bundled-model.html", "commands.html"} <= pages.keys()
    for name, page in pages.items():
        assert not FETCHED.search(page), name
    for style in tmp_path.rglob("*.css"):
        assert not FETCHED_BY_STYLE.search(style.read_text(encoding="utf-8")), style.name
    # Pages of the checkout are pages here, code of the checkout is no link.
    assert 'href="security.html"' in pages["privacy.html"]
    assert "../edgemind" not in pages["thinking.html"]


def test_a_page_that_nobody_put_into_the_navigation_is_in_it(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("first", "last", "log", "new-page"):
        (docs / f"{name}.md").write_text(f"# The {name}\n")
    hook = ROOT / "scripts" / "docs_site.py"
    configuration = tmp_path / "mkdocs.yml"
    configuration.write_text(
        f"site_name: a\nhooks: [{hook}]\nuse_directory_urls: false\n"
        "nav: [A: first.md, B: last.md, C: [security.md, changes.md, bundled-model.md, log.md]]\n"
    )
    code, report = build(tmp_path / "site", configuration)
    assert code == 0, report
    page = (tmp_path / "site" / "first.html").read_text(encoding="utf-8")
    assert page.index('href="last.html"') < page.index('href="new-page.html"')
    assert page.index('href="new-page.html"') < page.index('href="security.html"')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[gone](nowhere.md)", "nowhere.md"),
        ("[gone](index.md#no-such-heading)", "no-such-heading"),
        ("[gone](../edgemind/nowhere.py)", "nowhere.py"),
    ],
)
def test_a_link_to_nothing_fails(tmp_path: Path, text: str, why: str) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text(f"# A page\n\n{text}\n")
    configuration = tmp_path / "mkdocs.yml"
    plain = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    plain = re.sub(r"^nav:\n.*?\n\n", "", plain, flags=re.MULTILINE | re.DOTALL)
    hook = ROOT / "scripts" / "docs_site.py"
    configuration.write_text(plain.replace("scripts/docs_site.py", str(hook)))
    code, report = build(tmp_path / "site", configuration)
    assert code != 0
    assert why in report


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "models/README.md"])
def test_links_of_pages_in_the_checkout_lead_somewhere(page: str) -> None:
    file = ROOT / page
    for target in README_LINK.findall(file.read_text(encoding="utf-8")):
        if not target.startswith(("http", "#")):
            assert (file.parent / target.partition("#")[0]).exists(), target


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200


def test_the_recording_needs_nothing_from_anywhere() -> None:
    file = ROOT / "docs" / "recording.svg"
    text = file.read_text(encoding="utf-8")
    assert file.stat().st_size < 150_000
    assert "<script" not in text and "url(" not in text and "@import" not in text
    assert "prefers-color-scheme:dark" in text and "prefers-reduced-motion" in text
    root = ElementTree.fromstring(text)
    assert not [value for one in root.iter() for name, value in one.items() if "href" in name]


def seen(picture: str) -> list[str]:
    """Lines that a picture shows where nothing moves."""
    space = "{http://www.w3.org/2000/svg}"
    groups = ElementTree.fromstring(picture).findall(f"{space}g")
    shown = [one for one in groups if one.get("visibility") != "hidden"]
    return ["".join(text.text or "" for text in one) for one in shown]


def test_the_recording_shows_the_commands_of_its_script_and_what_came_of_them() -> None:
    record = pytest.importorskip("record_readme", reason="pyte is not installed")
    text = (ROOT / "docs" / "recording.svg").read_text(encoding="utf-8")
    lines = "\n".join(seen(text))
    for scene in record.SCENES:
        for line in scene.splitlines():
            assert line in lines
    assert "#### 391" in lines and "#### 192" in lines


def test_a_recording_is_what_the_terminal_showed() -> None:
    record = pytest.importorskip("record_readme", reason="pyte is not installed")
    recorder = record.Recorder()
    recorder.show(b"\x1b[32m$\x1b[39m ls <a>\r\n", 1.0)
    recorder.show(b"working", 1.0)
    recorder.show(b"\r\x1b[2Kdone", 2.0)
    picture = record.draw(recorder.frames, recorder.seconds)
    assert seen(picture) == ["$ls <a>", "done"]
    assert ">working</text>" in picture
    assert "{0%{visibility:hidden}25.00%{visibility:visible}50.00%{visibility:hidden}}" in picture


def test_what_is_played_is_run_in_a_terminal(tmp_path: Path) -> None:
    record = pytest.importorskip("record_readme", reason="pyte is not installed")
    played = list(record.play("test -t 1 && stty size", {"PATH": os.environ["PATH"]}))
    written = b"".join(data for _, data in played)
    assert written.decode().split() == [str(record.ROWS), str(record.COLUMNS)]
    with pytest.raises(SystemExit, match="exit code 3"):
        list(record.play("exit 3", {"PATH": os.environ["PATH"]}))
