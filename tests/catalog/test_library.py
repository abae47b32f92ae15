"""The catalogue: names, aliases, the default, finding by what a person types, its file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edgemind.catalog.entry import Entry, Facts, How, check_name
from edgemind.catalog.finding import find_model
from edgemind.catalog.library import APPLICATION_ID, BUNDLED, FILE, Library
from edgemind.errors import ConfigError, ModelNotFound

FACTS = Facts(10, 1, "llama", 5, "Q8_0", 64)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "data" / FILE, pytest.fail, now=lambda: 7.0)


def put(library: Library, name: str, how: How = "link") -> Entry:
    folder = library.path.parent.parent / "files"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name.replace('/', '_').replace(':', '_')}.gguf"
    path.touch()
    return library.add(name, path, how, FACTS, source="somewhere")


def test_the_bundled_model_is_always_there(library: Library, nano: Path) -> None:
    [entry] = library.entries()
    assert (entry.name, entry.path, entry.default) == (BUNDLED, nano, True)
    assert not library.path.parent.exists()  # looking makes nothing
    with pytest.raises(ConfigError, match="came with edgemind and stays"):
        library.forget(entry)
    with pytest.raises(ConfigError, match="is the name of"):
        put(library, "Edgemind-Nano")


def test_what_is_added_comes_back(library: Library) -> None:
    made = put(library, "Qwen3-0.6B")
    library.close()
    _, entry = library.entries()
    assert entry == made
    assert (entry.name, entry.how, entry.source, entry.added) == (
        *("Qwen3-0.6B", "link", "somewhere"),
        7.0,
    )
    assert entry.facts == FACTS and entry.state == "changed"
    entry.path.unlink()
    assert entry.state == "missing"


def test_names_and_files_are_there_once(library: Library) -> None:
    first = put(library, "one")
    library.alias(first, "uno")
    for taken in ("one", "ONE", "uno", "Uno"):
        with pytest.raises(ConfigError, match=f"{taken} is the name of .*one.gguf already"):
            put(library, taken)
    with pytest.raises(ConfigError, match=r"is already there, as one"):
        library.add("other", first.path, "link", FACTS)
    with pytest.raises(ConfigError, match="is the name of"):
        library.alias(library.entries()[0], "uno")
    library.alias(first, "UNO")  # has it already
    assert library.entries()[1].aliases == ("uno",)
    assert library.unalias("Uno") and not library.unalias("uno")


def test_the_default(library: Library) -> None:
    entry = put(library, "one")
    library.use(entry)
    assert [one.name for one in library.entries() if one.default] == ["one"]
    library.forget(entry)
    assert [one.name for one in library.entries() if one.default] == [BUNDLED]
    with pytest.raises(ConfigError, match="one is no longer there: another process removed it"):
        library.use(entry)
    with pytest.raises(ConfigError, match="no longer there"):
        library.forget(entry)
    library.use(library.entries()[0])
    library.alias(library.entries()[0], "nano")
    assert library.entries()[0].names == (BUNDLED, "nano")


@pytest.mark.parametrize(
    "name", ["", " a", "-a", "a b", "a//b", "a/", "/a", "a:", "ä", "a.gguf", "a.ONNX", "x" * 129]
)
def test_no_names(name: str) -> None:
    with pytest.raises(ConfigError):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "org/repo:Q4_K_M", "qwen2.5:0.5b", "a+b_c-d.e"])
def test_names(name: str) -> None:
    assert check_name(name) == name


def test_finding(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    qwen = put(library, "Qwen3-0.6B")
    put(library, "qwen2")
    library.alias(qwen, "small")
    entries = library.entries()

    def found(text: str) -> str:
        match = find_model(text, entries)
        return match.entry.name if match.entry else str(match.path)

    assert found("qwen3-0.6b") == found("small") == found("qwen3") == found("sm") == "Qwen3-0.6B"
    assert found("edge") == BUNDLED
    assert found(str(qwen.path)) == "Qwen3-0.6B"
    with pytest.raises(ModelNotFound, match=r"'qwen' could be qwen2 or Qwen3-0.6B: type more"):
        found("qwen")
    with pytest.raises(ModelNotFound, match=r"no model is called 'qwne2': did you mean qwen2\?"):
        found("qwne2")
    with pytest.raises(ModelNotFound, match=r"'0.6B': did you mean Qwen3-0.6B\?"):
        found("0.6B")
    with pytest.raises(ModelNotFound, match="`edgemind models list` shows"):
        found("zzzzzz")
    # A file of the same name as the beginning of one is that file; a whole name goes before it.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sm").mkdir()
    (tmp_path / "small").mkdir()
    assert (found("sm"), found("small")) == ("sm", "Qwen3-0.6B")
    for text in ("none.gguf", "./none", "/no/such", "~none"):
        assert Path(found(text)) == Path(text)


def test_a_damaged_file_is_healed(library: Library) -> None:
    put(library, "one")
    library.close()
    said: list[str] = []
    library.path.write_bytes(b"no database" * 1000)
    other = Library(library.path, said.append)
    assert [one.name for one in other.entries()] == [BUNDLED]
    [line] = said
    assert "was damaged: it was moved to models.damaged-" in line
    assert line.endswith("add your models again")
    put(other, "one")


def test_rows_of_a_damaged_file_come_back(library: Library) -> None:
    for number in range(200):
        library.alias(put(library, f"model-{number}"), f"alias-{number}")
    library.close()
    data = bytearray(library.path.read_bytes())
    middle = len(data) // 3 // 4096 * 4096
    data[middle : middle + 4096] = b"\xff" * 4096
    library.path.write_bytes(data)
    said: list[str] = []
    kept = Library(library.path, said.append).entries()
    if said:
        assert "models could be read back" in said[0]
    assert len(kept) > 100


def test_a_newer_file_and_anothers_are_refused(library: Library) -> None:
    put(library, "one")
    library.close()
    for pragma, why in (
        ("user_version = 99", "newer edgemind"),
        ("application_id = 5", "not a file"),
    ):
        connection = sqlite3.connect(library.path)
        connection.execute(f"PRAGMA {pragma}")
        connection.close()
        before = library.path.read_bytes()
        with pytest.raises(ConfigError, match=rf"models.sqlite cannot be used: .*{why}"):
            library.entries()
        library.close()
        assert library.path.read_bytes() == before
    assert APPLICATION_ID != 5


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    library = Library(tmp_path / "file" / FILE, pytest.fail)
    assert len(library.entries()) == 1
    with pytest.raises(ConfigError, match="cannot be used"):
        library.add("a", tmp_path / "a.gguf", "link", FACTS)
