"""Which templates are known, and what is said where a model of one name comes with another."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from typer.testing import CliRunner

import edgemind
from edgemind import rendering
from edgemind.catalog.bundled import bundled_model
from edgemind.catalog.inspection import hash_of_template, inspect
from edgemind.catalog.known_templates import KNOWN
from edgemind.catalog.templates import MOST, TemplateRecord, template_hash
from edgemind.catalog.trusted import TrustedFiles
from edgemind.cli.main import app
from edgemind.errors import ModelInvalid
from edgemind.folders import data_folder
from edgemind.probe import check_model, trusted_files
from scripts import random_model
from tests.engines.conftest import SHAPE, tiny  # noqa: F401 (a fixture)

TEMPLATES = Path(__file__).parents[1] / "templates"


def test_the_known_ones_are_those_that_are_tested() -> None:
    texts = [path.read_bytes() for path in TEMPLATES.glob("*.jinja")]
    expected = {hashlib.sha256(text).hexdigest() for text in texts}
    expected |= {hashlib.sha256(text.rstrip(b"\n")).hexdigest() for text in texts}
    assert expected | {hash_of_template(inspect(bundled_model()))} == KNOWN


def test_a_change_is_told_once_for_each_template(tmp_path: Path) -> None:
    record = TemplateRecord(tmp_path / "templates")
    assert record.change("a", "1") is None
    assert record.change("b", "2") is None
    assert record.change("a", "1") is None
    assert record.change("a", "2") == "1"
    assert record.change("a", "1") is None
    assert record.change("a", "3") == "2"
    [one, two] = (tmp_path / "templates").iterdir()
    assert one.stat().st_mode & 0o777 == two.stat().st_mode & 0o777 == 0o600
    for number in range(2 * MOST):
        record.change("a", f"n{number}")
    assert record.change("a", "1") == f"n{2 * MOST - 1}", "long forgotten"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"templates": 5}', "[" * 100_000])
def test_a_record_that_is_none_of_ours(tmp_path: Path, text: str) -> None:
    record = TemplateRecord(tmp_path)
    record.change("a", "1")
    [file] = tmp_path.iterdir()
    file.write_text(text)
    assert record.change("a", "2") is None
    assert record.change("a", "3") == "2"


def test_a_model_without_a_template() -> None:
    assert template_hash(None) == "none"
    assert template_hash("") == hashlib.sha256(b"").hexdigest()


def test_the_hash_is_noted_with_the_trust(tiny: Path, tmp_path: Path) -> None:  # noqa: F811
    trusted = TrustedFiles(tmp_path / "trusted", lambda _: "1")
    assert trusted.template(tiny) is None
    check_model(tiny, trusted)
    assert trusted.template(tiny) == hash_of_template(inspect(tiny))


Write = Callable[[str, str], Path]


@pytest.fixture
def with_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a tiny model with a chat template: (name of the file, template) → path."""

    def write(name: str, source: str) -> Path:
        with monkeypatch.context() as patch:
            add = gguf.GGUFWriter.add_chat_template
            patch.setattr(gguf.GGUFWriter, "add_chat_template", lambda self, _: add(self, source))
            random_model.write_model(tmp_path / name, SHAPE)
        return tmp_path / name

    return write


def test_a_model_of_a_known_name_with_another_template(
    with_template: Write, tmp_path: Path
) -> None:
    first, second = "{{ messages[0].content }}", "{{ messages[0].content }} {{ 'Lie.' }}"
    asked = []
    for number, source in enumerate((first, first, second, first)):
        path = with_template(f"{number}.gguf", source)
        with edgemind.load(path, context=64, width=1, threads=1) as mind:
            asked.append(mind.notices)
            mind.ask("Hi", budget=edgemind.Budget(tokens=2))
    assert asked[0] == asked[1] == asked[3] == ()
    [told] = asked[2]
    assert template_hash(first)[:16] in told and template_hash(second)[:16] in told
    assert told.isprintable()
    assert trusted_files(data_folder()).template(tmp_path / "2.gguf") == template_hash(second)


def test_an_unknown_template_is_rendered_apart(
    with_template: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = (TEMPLATES / "Qwen-Qwen2.5-7B-Instruct.jinja").read_text("utf-8")
    for name, source, apart in (
        ("unknown", "{{ messages[0].content }}", True),
        ("known", known, False),
    ):
        path = with_template(f"{name}.gguf", source)
        with edgemind.load(path, context=2048, width=1, threads=1) as mind:
            assert (mind._renderer is not None) == apart
        with edgemind.load(path, context=2048, width=1, threads=1, trust=True) as mind:
            assert mind._renderer is None
    # What was noted saves even the start of a child; `path` is the known one's.
    monkeypatch.setattr(rendering.Renderer, "start", lambda _: pytest.fail("a child was started"))
    edgemind.load(path, context=2048, width=1, threads=1).close()


def test_a_template_that_does_not_end_is_refused_with_the_model(
    with_template: Write,
) -> None:
    path = with_template("x.gguf", "{% for i in range(10**9) %}{% endfor %}")
    result = CliRunner().invoke(app, ["models", "verify", str(path)])
    assert result.exit_code == 3
    assert "chat template takes too much (it does not come to an end)" in result.stderr
    path = with_template("z.gguf", "{{ [1]|slice(10**10)|list|length }}")
    begun = time.monotonic()
    with pytest.raises(ModelInvalid, match=r"its chat template (does not end|takes too much)"):
        edgemind.load(path)
    assert time.monotonic() - begun < 10
    path = with_template("y.gguf", "{{ raise_exception('no') }}")
    result = CliRunner().invoke(app, ["models", "verify", str(path)])
    assert result.exit_code == 0
    assert "(not known: rendered in a process of its own)" in result.stdout
