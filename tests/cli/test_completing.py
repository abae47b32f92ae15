"""What shells offer behind `edgemind …<Tab>`, asked as each of them asks."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgemind.catalog.entry import Facts
from edgemind.choosing import person_library
from edgemind.cli.completing import CUT, conversation_words, mend_words, model_words
from edgemind.folders import data_folder
from edgemind.history import FILE, History
from edgemind.types import Message

ROOT = Path(__file__).parents[2]
SCRIPTS = {
    "bash": "complete -o default -F _edgemind_completion edgemind",
    "zsh": "compdef _edgemind_completion edgemind",
    "fish": "complete --command edgemind",
    "powershell": "Register-ArgumentCompleter -Native -CommandName edgemind",
}
BASH = """
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_edgemind_completion edgemind
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ :; }}
_arguments() {{ print -r -- "$1" }}
_files() {{ print files }}
{script}
words=({words})
CURRENT=$#words
_edgemind_completion
"""


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A folder with the command, as an installation puts it on the path."""
    command = tmp_path / "bin" / "edgemind"
    command.parent.mkdir()
    command.write_text(
        f"#!{sys.executable}\nimport sys\nfrom edgemind.cli.main import main\n"
        "sys.argv[0] = 'edgemind'\nmain()\n"
    )
    command.chmod(0o755)
    return command.parent


def run(shell: Path, *words: str, **environment: str) -> str:
    done = subprocess.run(
        words,
        env={
            **os.environ,
            "PATH": f"{shell}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def script(shell: Path, name: str) -> str:
    return run(shell, "edgemind", _EDGEMIND_COMPLETE=f"source_{name}")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_for_each_shell(shell: Path, name: str) -> None:
    assert SCRIPTS[name] in script(shell, name)


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")


def add_models(folder: Path) -> None:
    library = person_library()
    for name in ("qwen", "org/repo:Q4_K_M", "org/repo:Q8_0"):
        path = folder / f"{len(name)}{name[-1]}.gguf"
        path.touch()
        library.add(name, path, "link", Facts(0, 0, "", 0, "", 0))
    library.alias(library.entries()[0], "small")
    library.close()


@needs("bash")
def test_bash(shell: Path, tmp_path: Path) -> None:
    add_models(tmp_path)
    asked = {
        "edgemind mod": ["models"],
        "edgemind ask --model ''": [
            "edgemind-nano", "small", "org/repo:Q4_K_M", "org/repo:Q8_0", "qwen",
        ],
        "edgemind ask --model SM": ["small"],
        # As bash itself takes them apart.
        "edgemind ask --model org/repo : Q4": ["Q4_K_M"],
        "edgemind ask --model org/repo :": ["Q4_K_M", "Q8_0"],
        "edgemind ask --model = q": ["qwen"],
        "edgemind models show o": ["org/repo:Q4_K_M", "org/repo:Q8_0"],
        "edgemind chat --strategy v": ["vote"],
        "edgemind nothing x": [],
    }  # fmt: skip
    both = script(shell, "bash") + "".join(BASH.format(words=words) + "echo .\n" for words in asked)
    said = run(shell, "bash", "--norc", "-c", both)
    offered = [block.split() for block in said.split(".\n")[:-1]]
    assert dict(zip(asked, offered, strict=True)) == asked


@needs("bash")
def test_bash_shows_its_own_script(shell: Path) -> None:
    assert SCRIPTS["bash"] in run(shell, "bash", "--norc", "-c", "edgemind --show-completion; :")


@needs("bash")
def test_bash_installs_it(shell: Path, home: Path) -> None:
    run(shell, "bash", "--norc", "-c", "edgemind --install-completion; :")
    asked = f"source {shlex.quote(str(home / '.bashrc'))}\n{BASH.format(words='edgemind cha')}"
    assert run(shell, "bash", "--norc", "-c", asked).split() == ["chat"]


@needs("zsh")
def test_zsh(shell: Path, tmp_path: Path) -> None:
    add_models(tmp_path)
    made = script(shell, "zsh")
    said = run(shell, "zsh", "-f", "-c", ZSH.format(script=made, words="edgemind ask --model ''"))
    assert '"small":"alias of edgemind-nano"' in said
    assert r'"org/repo\\:Q8_0"' in said
    said = run(shell, "zsh", "-f", "-c", ZSH.format(script=made, words="edgemind mod"))
    assert said.startswith('*: :(("models":"')


@needs("zsh")
def test_zsh_answers_the_first_tab(shell: Path, home: Path) -> None:
    run(shell, "zsh", "-f", "-c", "edgemind --install-completion; :")
    loaded = (home / ".zfunc" / "_edgemind").read_text()
    # As an autoloaded function: its body is the file.
    asked = ZSH.format(script=f"_edgemind() {{\n{loaded}\n}}", words="edgemind cha")
    asked = asked.replace("\n_edgemind_completion\n", "\n_edgemind\n")
    assert '"chat":"' in run(shell, "zsh", "-f", "-c", asked)
    assert '"chat":"' in run(
        shell, "zsh", "-f", "-c", ZSH.format(script=loaded, words="edgemind cha")
    )


@needs("fish")
def test_fish(shell: Path, tmp_path: Path) -> None:
    add_models(tmp_path)
    asked = f"{script(shell, 'fish')}\ncomplete -C 'edgemind ask --model '\n"
    said = run(shell, "fish", "--no-config", "-c", asked).splitlines()
    assert [line.split("\t")[0] for line in said] == [
        "edgemind-nano", "org/repo:Q4_K_M", "org/repo:Q8_0", "qwen", "small",
    ]  # fmt: skip


def test_names_of_conversations() -> None:
    assert conversation_words("") == []
    history = History(data_folder() / FILE)
    history.add("00aa11bb22cc33dd", "m", [Message("user", "Where is\nthe goose?")])
    history.close()
    [(word, what)] = conversation_words("00aa")
    assert word == "00aa11bb" and what.endswith("Where is the goose?")
    assert conversation_words("b") == []


NASTY = "x\\\"; touch PWN; # $(touch PWN) `touch PWN` 'touch PWN' [/b] [red] \x1b[2J"


def keep_nasty() -> None:
    history = History(data_folder() / FILE)
    history.add("00aa11bb22cc33dd", "m", [Message("user", NASTY)])
    history.close()


def test_what_was_said_is_harmless() -> None:
    keep_nasty()
    [(_, what)] = conversation_words("")
    assert (
        what.partition(" ")[2].partition(" ")[2] == "x; touch PWN; # (touch PWN) touch PWN touch…"
    )


@needs("zsh")
def test_what_was_said_is_not_run(shell: Path, tmp_path: Path) -> None:
    """zsh evaluates the words, and `_arguments` does once more."""
    keep_nasty()
    evaluates = "action=${1#*: :}; eval ws=\\( ${action[3,-3]} \\); print -l -- $ws"
    asked = ZSH.format(script=script(shell, "zsh"), words="edgemind chat --resume ''")
    asked = f"cd {tmp_path}\n" + asked.replace('print -r -- "$1"', evaluates)
    assert "00aa11bb:" in run(shell, "zsh", "-f", "-c", asked)
    assert not (tmp_path / "PWN").exists()


def test_what_cannot_be_read_offers_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    data_folder().mkdir(parents=True)
    (data_folder() / "models.sqlite").mkdir()
    (data_folder() / FILE).parent.write_text("no folder")
    assert model_words("") == []
    assert conversation_words("") == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "place", "mended", "at", "cut"),
    [
        (["edgemind", "mod"], 1, ["edgemind", "mod"], "1", None),
        (["edgemind", "x", "a", ":", "b"], 4, ["edgemind", "x", "a:b"], "2", "a:"),
        (["edgemind", "x", "a", ":"], 3, ["edgemind", "x", "a:"], "2", "a:"),
        (["edgemind", "--m", "=", "a", ":", "b"], 5, ["edgemind", "--m=a:b"], "1", "--m=a:"),
        (["edgemind", "a", ":", "b", "c"], 4, ["edgemind", "a:b", "c"], "2", None),
    ],
)
def test_words_that_bash_took_apart(
    words: list[str], place: int, mended: list[str], at: str, cut: str | None
) -> None:
    environ = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(place)}
    mend_words(environ)
    assert environ["COMP_WORDS"].split("\n") == mended
    assert (environ["COMP_CWORD"], environ.get(CUT)) == (at, cut)


@pytest.mark.parametrize("place", ["", "x", "7", "-1"])
def test_words_that_make_no_sense_stay(place: str) -> None:
    environ = {"COMP_WORDS": "edgemind\na\n:", "COMP_CWORD": place}
    before = dict(environ)
    mend_words(environ)
    assert environ == before


COSTS = """
import json, os, sys
os.environ.update(COMP_WORDS="edgemind {}", COMP_CWORD="{}", _EDGEMIND_COMPLETE="complete_bash")
sys.argv = ["edgemind"]
from edgemind.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    "words", ["", "models ", "ask --model ", "chat --resume ", "models show ", "history show "]
)
def test_completion_imports_little(words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COSTS.format(words, words.count(" ") + 1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    heavy = {"numpy", "rich.console", "llama_cpp", "onnxruntime", "edgemind.runtime"}
    assert loaded & heavy == set()
