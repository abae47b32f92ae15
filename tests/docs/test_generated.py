"""What is written from the code is what the code says: drift fails here."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import edgemind
import edgemind.errors
import write_command_help
import write_docs
import write_memory
import write_settings
from edgemind.card import read_card
from edgemind.cli.main import LATE
from edgemind.cli.options import exit_code
from edgemind.config import Config
from edgemind.engines.llama.sizing import SPARE_BYTES
from edgemind.errors import BudgetTooSmall, EdgemindError
from edgemind.settings import OTHERS, settings, variable
from edgemind.strategies.base import strategy_names
from generated_pages import run, with_part

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PARAMETERS_MILLIONS = {
    "SmolLM2 135M": 134.5,
    "SmolLM2 360M": 361.8,
    "Qwen2.5 0.5B": 494.0,
    "Gemma 3 1B": 999.9,
    "Llama 3.2 1B": 1235.8,
    "Qwen2.5 1.5B": 1543.7,
    "SmolLM2 1.7B": 1711.4,
    "Gemma 2 2B": 2614.3,
    "Qwen2.5 3B": 3085.9,
    "Llama 3.2 3B": 3212.7,
    "Phi 3.5 mini": 3821.1,
    "Qwen2.5 7B": 7615.6,
}
"""What their makers say."""


def test_every_page_is_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEMIND_MODEL", "nothing.gguf")  # a person's settings change no page
    stale = [
        f"{path.name}: run python scripts/write_docs.py"
        for path, text in write_docs.pages().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == []


def test_check_tells_drift_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("generated_pages.ROOT", tmp_path)
    page = tmp_path / "page.md"
    monkeypatch.setattr("sys.argv", ["write", "--check"])
    assert run(lambda: {page: "new"}, None) == 1
    assert "page.md is not what the code says" in capsys.readouterr().out
    assert not page.exists()
    monkeypatch.setattr("sys.argv", ["write"])
    assert run(lambda: {page: "new"}, None) == 0
    monkeypatch.setattr("sys.argv", ["write", "--check"])
    assert (run(lambda: {page: "new"}, None), page.read_text()) == (0, "new")


def test_only_the_part_between_its_marks_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- begin x -->\nold\n<!-- end x -->\nb\n")
    made = with_part(page, "x", "script.py", "new \\1")
    assert made.startswith("a\n<!-- begin x -->\n") and made.endswith("\n<!-- end x -->\nb\n")
    assert "new \\1" in made and "old" not in made
    page.write_text(made)
    assert with_part(page, "x", "script.py", "new \\1") == made
    with pytest.raises(SystemExit, match="no part"):
        with_part(page, "y", "script.py", "new")


def test_the_help_has_every_command_and_option() -> None:
    text = write_command_help.pages()[write_command_help.PAGE]
    for name in LATE:
        assert f"## edgemind {name}" in text
    assert "_child" not in text
    assert "| `--width N` | Most samples of one answer. From 1 to 256. | `8` |" in text
    assert "`--load / --no-load`" in text
    assert "edgemind ask [OPTIONS] [PROMPT...]" in text


def test_help_that_is_kept_line_by_line_stays_so() -> None:
    assert write_command_help.help_text("One\ntwo.\n\n\b\n  a | b\n  c") == (
        "One two.\n\n```text\n  a | b\n  c\n```"
    )


def test_every_setting_and_variable_is_explained() -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    for key in settings():
        assert f"`{variable(key)}`" in page
    for name in OTHERS:
        assert f"`{name}`" in page
    for key, field in write_settings.fields(Config, ()):
        assert write_settings.meaning(key, field)


def test_sizes_of_models_are_those_of_their_makers() -> None:
    found = {shape.name: shape.parameters / 1e6 for shape in write_memory.SHAPES}
    assert found == pytest.approx(PARAMETERS_MILLIONS, rel=0.0005)


def test_the_bundled_models_file_and_memory_are_what_is_computed_for_others(nano: Path) -> None:
    card = read_card(nano)
    shape = write_memory.Shape("nano", "", 6, 256, 512, 4, 4, 64, 2048)
    assert shape.parameters == pytest.approx(card.parameters, rel=0.0005)
    assert shape.file_bytes("Q8_0") == pytest.approx(card.bytes, rel=0.01)
    for width in write_memory.WIDTHS:
        computed = shape.memory("Q8_0", width) - SPARE_BYTES
        assert computed == pytest.approx(card.memory(write_memory.CONTEXT, width), rel=0.01)


@pytest.mark.parametrize(
    ("name", "published_bytes"),
    [
        ("SmolLM2 360M", 270_590_880),
        ("Qwen2.5 0.5B", 397_808_192),
        ("Llama 3.2 1B", 807_694_464),
        ("Qwen2.5 1.5B", 986_048_768),
        ("SmolLM2 1.7B", 1_055_609_824),
        ("Gemma 2 2B", 1_708_582_752),
        ("Llama 3.2 3B", 2_019_377_696),
    ],
)
def test_a_published_file_is_as_large_as_computed(name: str, published_bytes: int) -> None:
    shape = next(one for one in write_memory.SHAPES if one.name == name)
    assert shape.file_bytes("Q4_K_M") == pytest.approx(published_bytes, rel=0.01)


def errors() -> list[type[EdgemindError]]:
    """Every class of errors.py."""
    found = [one for one in vars(edgemind.errors).values() if isinstance(one, type)]
    return [one for one in found if issubclass(one, EdgemindError)]


def test_troubleshooting_has_every_error_with_its_exit_code() -> None:
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \| .+ \| .+ \|$", page, re.MULTILINE))
    made = {one.__name__: str(exit_code(one("why"))) for one in errors()}
    assert BudgetTooSmall in errors()
    assert rows == made


def test_every_exit_code_is_explained() -> None:
    from edgemind.cli import options

    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    explained = set(map(int, re.findall(r"^\| (\d+) \|", page, re.MULTILINE)))
    names = "ANSWERED FAILED USAGE MODEL_PROBLEM BUDGET_PROBLEM INTERRUPTED".split()
    assert explained == {getattr(options, name) for name in names}


def test_the_chats_commands_are_all_explained() -> None:
    from edgemind.cli.chatting.commands import COMMANDS

    page = (DOCS / "chat.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`{name}" not in page] == []


def test_the_page_of_python_names_what_can_be_given() -> None:
    page = (DOCS / "python.md").read_text(encoding="utf-8").partition("## What else")[2]
    for call in (edgemind.load, edgemind.Mind.stream):
        for name in inspect.signature(call).parameters:
            assert name == "self" or re.search(rf"[(, ]\s*{name}[,=]", page), name


def test_pages_name_what_the_code_knows() -> None:
    from edgemind.engines.onnx.folder import SMALL_FIRST
    from edgemind.engines.onnx.providers import PROVIDERS

    page = " ".join((DOCS / "formats.md").read_text(encoding="utf-8").split())
    assert f"--provider {' | '.join(PROVIDERS)}`" in page
    assert ", ".join(SMALL_FIRST) in page
    thinking = (DOCS / "thinking.md").read_text(encoding="utf-8")
    assert [name for name in strategy_names() if f"### {name}:" not in thinking] == []
