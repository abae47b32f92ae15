"""`edgemind models list`, `show`, `add`, `use`, `alias`, `rm` and `scan` as a person meets them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from edgemind.cli.main import app
from edgemind.folders import data_folder
from tests.catalog.small import gguf, parts, vocabulary
from tests.catalog.test_places import HOMES, tree
from tests.cli.conftest import Program


def models(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["models", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def listed() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(models("list", "--json").stdout)}


def error(*arguments: object, code: int = 2) -> str:
    """The one line on stderr of what is refused."""
    result = models(*arguments, code=code)
    assert result.stdout == "" and result.stderr.count("\n") == 1, result.output
    return result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return gguf(tmp_path / "Some-Model-Q4_0.gguf")


def test_a_fresh_person_has_the_bundled_model(nano: Path) -> None:
    assert list(listed()) == ["edgemind-nano"]
    one = listed()["edgemind-nano"]
    assert one["default"] and one["path"] == str(nano) and one["parameters"] > 4_000_000
    assert models("list").stdout.splitlines()[1].startswith("*  edgemind-nano  4.8 MB  4.46 M")
    assert not data_folder().exists()


def test_linking(file: Path) -> None:
    before = tree(file.parent)
    assert models("add", file).stdout == f"Some-Model-Q4_0: {file}\n"
    one = listed()["Some-Model-Q4_0"]
    assert (one["how"], one["path"], one["bytes"]) == ("link", str(file), file.stat().st_size)
    assert one["architecture"] == "llama" and one["context"] == 64
    assert "is already there, as Some-Model-Q4_0" in error("add", file, "--name", "x")
    assert "not put there by edgemind" in error("rm", "some", "--delete")
    assert "stays" in models("rm", "some").stdout
    assert tree(file.parent) == before and list(listed()) == ["edgemind-nano"]


def test_copying(file: Path) -> None:
    models("add", file, "--copy", "--name", "copy")
    one = listed()["copy"]
    path = Path(one["path"])
    assert path.is_relative_to(data_folder()) and path.read_bytes() == file.read_bytes()
    assert one["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert one["source"] == str(file)
    models("verify", "copy", "--no-load")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert (
        "does not have the SHA-256 that it came with"
        in models("verify", "copy", "--no-load", code=3).stderr
    )
    done = models("rm", "copy")  # what somebody changed is not ours any more
    assert "was changed since" in done.stderr and path.exists() and file.exists()


def test_moving(file: Path) -> None:
    data = file.read_bytes()
    models("add", file, "--move", "--name", "m")
    path = Path(listed()["m"]["path"])
    assert path.read_bytes() == data and not file.exists()
    assert "may be the only copy: give --delete or --keep" in error("rm", "m")
    models("rm", "m", "--keep")
    assert path.read_bytes() == data
    models("add", path, "--name", "again")
    models("rm", "again")
    assert path.exists()  # it is linked now
    other = gguf(file.parent / "other.gguf")
    models("add", other, "--move")
    path = Path(listed()["other"]["path"])
    assert "are free" in models("rm", "other", "--delete").stdout
    assert not path.parent.exists()


def test_a_model_in_parts(tmp_path: Path) -> None:
    first = parts(tmp_path / "big", "big-Q8_0", 3)
    models("add", first, "--copy")
    path = Path(listed()["big-Q8_0"]["path"])
    assert path.name == first.name and len(list(path.parent.iterdir())) == 3
    models("rm", "big")
    assert not path.parent.exists() and len(list(first.parent.iterdir())) == 3


def test_what_is_refused(file: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF\x03")
    assert "not a sound GGUF file" in error("add", bad, code=3)
    assert "holds no weights" in error("add", vocabulary(tmp_path / "v.gguf"), "--copy", code=3)
    assert "no model file at" in error("add", tmp_path / "none.gguf", code=3)
    assert "give one of --link, --copy and --move" in error("add", file, "--copy", "--move")
    assert "is no name for a model" in error("add", file, "--name", "a b")
    link = tmp_path / "link.gguf"
    link.symlink_to(file)
    assert "is a link of another program's" in error("add", link, "--move")
    assert file.exists() and list(listed()) == ["edgemind-nano"]
    models("add", file, "--name", "one")
    other = gguf(tmp_path / "other.gguf")
    assert "One is the name of" in error("add", other, "--name", "One", "--copy")
    assert not list((data_folder() / "models").rglob("*.gguf"))
    assert "no model is called 'oen': did you mean one?" in error("rm", "oen", code=3)
    assert "has no name here yet: `edgemind models add" in error("rm", other, code=3)
    assert "came with edgemind and stays" in error("rm", "edgemind-nano")


def test_aliases_and_the_default(file: Path, program: Program) -> None:
    models("add", file, "--name", "one")
    models("alias", "one", "uno")
    models("alias", "uno", "eins")
    assert listed()["one"]["aliases"] == ["eins", "uno"]
    assert models("use", "eins").stdout == "one answers from now on\n"
    program("ask", "What is 2+2?")
    program("chat", stdin="hello\n")
    assert [model for model, _ in program.loads] == [file, file]
    program("ask", "What is 2+2?", "--model", "edgemind-nano")
    assert program.loads[-1][0] == "edgemind-nano"
    models("alias", "eins", "--remove")
    assert "there is no alias eins" in error("alias", "eins", "--remove", code=3)
    assert "give the model's name and its alias" in error("alias", "one")
    assert "was the default" in models("rm", "one").stderr
    program("ask", "What is 2+2?")
    assert program.loads[-1][0] is None


def test_a_default_that_is_gone(file: Path, program: Program) -> None:
    models("use", file)
    assert listed()["Some-Model-Q4_0"]["default"]
    file.unlink()
    assert listed()["Some-Model-Q4_0"]["state"] == "missing"
    done = program("ask", "What is 2+2?")
    assert done.exit_code == 3 and program.loads == []
    assert "Some-Model-Q4_0 is no longer at" in done.stderr
    assert "`edgemind models use edgemind-nano`" in done.stderr


def test_use_says_what_goes_before_it(
    file: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEMIND_MODEL", "other")
    assert "the configuration names other, which goes before it" in models("use", file).stderr


def test_show(file: Path, nano: Path) -> None:
    told = dict(line.split(maxsplit=1) for line in models("show").stdout.splitlines())
    assert told["path"] == str(nano) and told["architecture"] == "llama"
    assert told["licence"] == "apache-2.0" and told["template"].startswith("sha256 ")
    assert told["sampling"].startswith("temperature 0.7, top_k 40")
    assert len(told["sha256"]) == 64
    models("add", file, "--name", "one")
    small, large = (
        json.loads(models("show", "one", "--json", "--context", tokens, "--width", 8).stdout)
        for tokens in (64, 4096)
    )
    assert small["sha256"] is None and small["names"] == ["one"] and not small["default"]
    assert [one["width"] for one in small["memory"]] == [1, 8]
    assert large["memory"][1]["bytes"] > small["memory"][1]["bytes"] > small["bytes"]
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest in models("show", "one", "--hash").stdout
    assert listed()["one"]["sha256"] == digest
    assert digest in models("show", file).stdout  # the same, by its path
    assert "no model is called" in error("show", "nothing-like-it", code=3)


def test_the_memory_is_what_the_engine_reckons(nano: Path) -> None:
    from edgemind.card import read_card
    from edgemind.engines.llama.sizing import Sizes, needed_bytes

    card = read_card(nano)
    sizes = Sizes(layers=6, width=256, inner=0, kv_width=0, vocabulary=card.vocabulary)
    assert card.memory(64, 1) > needed_bytes(sizes, card.bytes, 64, 1, 8, unified=True)


def test_scanning(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("EDGEMIND_DATA_DIR", str(home.parent / "data"))
    expected = {}
    for program in ("huggingface", "ollama", "gpt4all"):
        expected |= HOMES[program](home)
    (home / ".cache" / "gpt4all" / "bad.gguf").write_bytes(b"GGUF")
    before = tree(home)
    done = models("scan")
    assert all(f"{name} " in done.stdout for name in expected)
    assert "1 is no model that runs here (--all lists why)" in done.stderr
    assert "scan --link" in done.stderr and "not a sound" in models("scan", "--all").stdout
    assert not data_folder().exists()
    models("scan", "--link")
    names = {one["path"]: name for name, one in listed().items()}
    assert {names[path] for path in expected.values()} == set(expected)
    again = json.loads(models("scan", "--json").stdout)
    assert all(one["known_as"] for one in again if not one["problem"])
    assert "scan --link" not in models("scan", "--link").stderr
    assert len(listed()) == len(expected) + 1
    for name in expected:
        models("rm", name)
    assert tree(home) == before


def test_names_of_other_programs_are_made_to_fit() -> None:
    from edgemind.catalog.entry import check_name
    from edgemind.cli.models_change import fit_name

    for text in ("My Model (v2)", "a//b", "ä", "x" * 200, "hf.co/org/m:Q4", ":", "a.gguf"):
        name = fit_name(text)
        if not name.endswith(".gguf"):
            assert check_name(name) == name


def test_files_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = gguf(tmp_path / "evil.gguf", "a\x1b[2J\nb")
    assert "a[2J b" in models("show", path).stdout


def test_every_command_explains_itself() -> None:
    shown = models("--help").stdout
    for name in ("list", "show", "add", "use", "alias", "rm", "scan", "pull", "verify"):
        assert name in shown
        assert "Usage" in models(name, "--help").stdout
