"""What a newcomer meets first: the versions agree, the scripts are whole, and set-up behaves.

The set-up tests run the real scripts in a checkout of their own, with a Python in PATH that only
plays venv and pip: nothing is installed, nothing is fetched.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest

import edgemind

ROOT = Path(__file__).parents[1]
SCRIPTS = [
    *(".ci/run", "scripts/edgemind", "scripts/test"),
    *("packaging/build", "packaging/build_portable_wheel", "packaging/build_wheel"),
    *("packaging/check_bare_root", "packaging/icons/make_png", "packaging/macos/build_dmg"),
]
FIRST_SCREEN_LINES = 40

# Plays a machine's Python: answers what set-up asks of it, copies itself where a virtual
# environment is wanted, hands `pip install` to the script in $FAKE_PIP, and is the real Python for
# the rest. Writes down each call.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
*sys.exit\\(3\\)*)
    echo check >>"$CALLS"; echo {version}; exit {check} ;;
*importlib.metadata*)
    echo '{{"version": [3, 11], "base": "{base}", "packages": "/nowhere",'
    echo '"pip": true, "llama": null}}' ;;
"-I -m venv "*)
    echo venv >>"$CALLS"
    mkdir -p "$4/bin"; : >"$4/pyvenv.cfg"; cp "$0" "$4/bin/python" ;;
"-I -m pip cache dir") echo "$HOME/.cache/pip" ;;
"-I -m pip cache list "*) ;;
"-I -m pip install --dry-run "*) exit 1 ;;
"-I -m pip install "*)
    echo "$*" >>"$CALLS"; exec sh "$FAKE_PIP" ;;
*) exec "$REAL_PYTHON" "$@" ;;
esac
"""
PIP_SUCCEEDS = """
printf '#!/bin/sh\\necho "answer to: $*"\\n' >.venv/bin/edgemind
chmod +x .venv/bin/edgemind
"""
PIP_FAILS = """
echo 'Collecting numpy'
echo 'x.cpp:1: error: something odd' >&2
i=0
while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); done
echo 'ERROR: Failed building wheel'
exit 1
"""
# Says that it runs and waits to be told to go on. The pipe `alive` has an end only when it and its
# child are gone.
PIP_WAITS = """
exec 9>alive
sleep 600 &
: >"$TMPDIR/rubbish"
echo running >&9
read -r word <go
kill $!
"""
TOOLS = "cat chmod cksum cp dirname mkdir readlink sh sleep".split()


class Checkout:
    """A checkout with the real scripts, on a machine with few programs and a pretended Python."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a check out"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        self.pip = folder / "pip.sh"
        self.home = folder / "home"
        self.scratch = folder / "scratch"
        for path in (self.root, self.bin, self.home, self.scratch):
            path.mkdir()
        shutil.copytree(ROOT / "scripts" / "_setup", self.root / "scripts" / "_setup")
        for name in ("edgemind", "test"):
            shutil.copy(ROOT / "scripts" / name, self.root / "scripts" / name)
        (self.root / "pyproject.toml").write_text(
            '[project]\nname = "edgemind"\ndependencies = ["llama-cpp-python==0.3.36"]\n'
        )
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        self.add_python("python3")
        for compiler in ("cc", "c++"):
            (self.bin / compiler).symlink_to(self.bin / "sh")
        self.pip.write_text(PIP_SUCCEEDS)
        self.calls.touch()

    def add_python(
        self, name: str, version: str = "3.11", check: int = 0, base: str = "/usr"
    ) -> Path:
        """A program that plays Python and answers the check with this exit status."""
        path = self.bin / name
        path.write_text(FAKE_PYTHON.format(version=version, check=check, base=base))
        path.chmod(0o755)
        return path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": str(self.bin),
            "HOME": str(self.home),
            "CALLS": str(self.calls),
            "FAKE_PIP": str(self.pip),
            "REAL_PYTHON": sys.executable,
            "TMPDIR": str(self.scratch),
        }

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / "edgemind-base.stamp"

    def log(self) -> list[str]:
        """The calls of Python since the last time."""
        lines = self.calls.read_text().splitlines()
        self.calls.write_text("")
        return lines

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """Start a script without waiting for it."""
        return subprocess.Popen(
            command or [str(self.root / "scripts" / "edgemind"), "ask", "two  words"],
            env=self.environment | variables,
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, **variables: str) -> tuple[int, str, str]:
        """Run a script: exit status, stdout, stderr."""
        process = self.start(*command, **variables)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def wait_in_pip(self) -> None:
        """From now on `pip install` waits in a pipe."""
        for name in ("alive", "go"):
            os.mkfifo(self.root / name)
        self.pip.write_text(PIP_WAITS + PIP_SUCCEEDS)

    def pip_started(self) -> TextIO:
        """Wait until pip runs; the pipe that ends with it."""
        alive = (self.root / "alive").open()
        assert alive.readline() == "running\n"
        return alive

    def let_pip_go(self) -> None:
        """Let a waiting pip go on; the next one does not wait."""
        self.pip.write_text(PIP_SUCCEEDS)
        (self.root / "go").write_text("go\n")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


ANSWER = "answer to: ask two  words\n"


def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def test_versions_agree() -> None:
    assert project()["project"]["version"] == edgemind.__version__
    assert edgemind.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_license_is_there_in_full() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert project()["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_readme_shows_two_commands_on_its_first_screen() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()[:FIRST_SCREEN_LINES]
    commands = [line.strip().removeprefix("$ ") for line in lines]
    assert [line for line in commands if line.startswith("scripts/edgemind ask")]
    assert "scripts/test" in commands
    assert "pip install ." in "\n".join(lines)


def test_the_wheel_carries_the_model_and_nothing_else_of_the_checkout(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in (
        "edgemind/__init__.py",
        "edgemind/py.typed",
        "models/edgemind-nano.gguf",
        "models/edgemind-nano-onnx/model_quantized.onnx",
        "models/README.md",
        "models/somebody-elses.gguf",
        "models/somebody-elses-onnx/model.onnx",
        "tests/test_it.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {
        "edgemind/__init__.py",
        "edgemind/py.typed",
        "edgemind/models/edgemind-nano.gguf",
        "edgemind/models/edgemind-nano-onnx/model_quantized.onnx",
        "edgemind/models/README.md",
    }


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_whole(name: str) -> None:
    path = ROOT / name
    assert os.access(path, os.X_OK)
    shell = path.read_text().splitlines()[0].split("/")[-1].split()[-1]
    for each in {shell, "bash" if shutil.which("bash") else shell}:
        subprocess.run([each, "-n", path], check=True)


def test_shared_part_is_whole() -> None:
    subprocess.run(["sh", "-n", ROOT / "scripts" / "_setup" / "ready"], check=True)


def test_first_start_installs_and_the_second_starts_no_python(checkout: Checkout) -> None:
    code, out, err = checkout.run()
    assert (code, out) == (0, ANSWER)
    assert "takes minutes" in err
    assert checkout.log() == ["check", "venv", "-I -m pip install --verbose --editable ."]

    assert checkout.run() == (0, ANSWER, "")
    assert checkout.log() == []


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_starts_from_anywhere(checkout: Checkout, shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    checkout.run()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "one").symlink_to("../a check out/scripts/edgemind")
    (tmp_path / "two").symlink_to(tmp_path / "links" / "one")
    program = str(shutil.which(shell))
    for script in (tmp_path / "two", checkout.root / "scripts" / "edgemind"):
        assert checkout.run(program, str(script), "ask", "two  words") == (0, ANSWER, "")


def test_arguments_arrive_as_they_were(checkout: Checkout) -> None:
    script = str(checkout.root / "scripts" / "edgemind")
    for _ in ("with set-up", "without"):
        code, out, _ = checkout.run(script, "--help", "--", "-x", "--", "*")
        assert (code, out) == (0, "answer to: --help -- -x -- *\n")


def test_a_changed_project_is_installed_again(checkout: Checkout) -> None:
    checkout.run()
    checkout.log()
    with (checkout.root / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert checkout.run()[:2] == (0, ANSWER)
    assert checkout.log() == ["check", "-I -m pip install --verbose --editable ."]


def test_a_moved_checkout_is_installed_again(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run()
    checkout.log()
    checkout.root = checkout.root.rename(tmp_path / "elsewhere")
    assert checkout.run()[:2] == (0, ANSWER)
    assert checkout.log() == ["check", "-I -m pip install --verbose --editable ."]


def test_an_environment_whose_python_is_gone_is_made_again(checkout: Checkout) -> None:
    checkout.run()
    checkout.log()
    (checkout.root / ".venv" / "bin" / "python").unlink()
    assert checkout.run()[:2] == (0, ANSWER)
    assert checkout.log() == ["check", "venv", "-I -m pip install --verbose --editable ."]


def test_what_is_no_environment_is_left_alone(checkout: Checkout) -> None:
    (checkout.root / ".venv").mkdir()
    (checkout.root / ".venv" / "diary").write_text("dear diary")
    code, out, err = checkout.run()
    assert (code, out) == (1, "")
    assert "is not a virtual environment. Move it away" in err
    assert (checkout.root / ".venv" / "diary").read_text() == "dear diary"


def test_a_failed_install_says_what_to_do_and_is_tried_again(checkout: Checkout) -> None:
    checkout.pip.write_text(PIP_FAILS)
    code, out, err = checkout.run()
    lines = err.splitlines()
    assert (code, out) == (1, "")
    assert "  | x.cpp:1: error: something odd" in lines
    assert lines[-2] == "  | ERROR: Failed building wheel"
    assert lines[-1].startswith("edgemind: The installation failed. Try again")
    assert lines[-1].endswith(str(checkout.root / ".venv" / "edgemind-setup.log"))
    assert "line 29" in (checkout.root / ".venv" / "edgemind-setup.log").read_text()
    assert not checkout.stamp.exists()

    checkout.pip.write_text(PIP_SUCCEEDS)
    assert checkout.run()[:2] == (0, ANSWER)


@pytest.fixture
def heard() -> Iterator[None]:
    """No signal is ignored, as a hang-up is in what `nohup` runs."""
    before = {
        number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGINT)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_install_leaves_nothing_running(
    checkout: Checkout, heard: None, number: signal.Signals
) -> None:
    checkout.wait_in_pip()
    process = checkout.start()
    with checkout.pip_started() as alive:
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert alive.read() == ""
    assert (process.returncode, out) == (128 + number, "")
    assert err.splitlines()[-1] == "edgemind: set-up stopped. Start again to go on from here."
    assert list(checkout.scratch.iterdir()) == []

    checkout.pip.write_text(PIP_SUCCEEDS)
    assert checkout.run()[:2] == (0, ANSWER)


def test_two_at_once_install_once(checkout: Checkout) -> None:
    checkout.wait_in_pip()
    first = checkout.start()
    checkout.pip_started().close()
    second = checkout.start()
    assert second.stderr is not None
    assert "another set-up of this checkout is running" in second.stderr.readline()
    checkout.let_pip_go()
    for process in (first, second):
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, ANSWER)
    assert sum("pip install" in line for line in checkout.log()) == 1


def test_a_killed_install_keeps_others_out_until_its_pip_is_gone(checkout: Checkout) -> None:
    checkout.wait_in_pip()
    first = checkout.start()
    checkout.pip_started().close()
    first.kill()
    first.communicate(timeout=60)
    second = checkout.start()
    assert second.stderr is not None
    assert "another set-up of this checkout is running" in second.stderr.readline()
    checkout.let_pip_go()
    out, _ = second.communicate(timeout=60)
    assert (second.returncode, out) == (0, ANSWER)


def test_no_python(checkout: Checkout) -> None:
    (checkout.bin / "python3").unlink()
    code, out, err = checkout.run()
    assert (code, out) == (1, "")
    assert err == (
        "edgemind: Python 3.11 or newer is needed, and none was found. On Debian or Ubuntu: "
        "sudo apt install python3 python3-venv\n"
    )


def test_only_an_old_python(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.9", check=3)
    code, _, err = checkout.run()
    assert code == 1
    assert err.startswith("edgemind: Python 3.11 or newer is needed, and python3 is Python 3.9.")


def test_an_old_python_beside_a_new_one(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.9", check=3)
    checkout.add_python("python3.12", "3.12")
    assert checkout.run()[:2] == (0, ANSWER)


def test_a_python_without_ensurepip(checkout: Checkout) -> None:
    checkout.add_python("python3", "3.12", check=4)
    assert checkout.run() == (
        1,
        "",
        "edgemind: python3 cannot make virtual environments. On Debian or Ubuntu: "
        "sudo apt install python3.12-venv\n",
    )


def test_no_compiler(checkout: Checkout) -> None:
    (checkout.bin / "c++").unlink()
    code, _, err = checkout.run()
    assert code == 1
    assert err.splitlines()[-1] == (
        "edgemind: llama.cpp has to be compiled, and no C++ compiler was found. "
        "On Debian or Ubuntu: sudo apt install build-essential"
    )
    assert checkout.run(CXX=str(checkout.bin / "cc"))[:2] == (0, ANSWER)


def test_no_compiler_is_needed_for_what_is_installed(checkout: Checkout) -> None:
    checkout.run()
    for name in ("cc", "c++"):
        (checkout.bin / name).unlink()
    python = checkout.root / ".venv" / "bin" / "python"
    python.write_text(python.read_text().replace('"llama": null', '"llama": "0.3.36"'))
    checkout.stamp.unlink()
    assert checkout.run()[:2] == (0, ANSWER)


def test_the_chosen_python_is_used(checkout: Checkout) -> None:
    checkout.run()
    other = checkout.add_python("my python", base="/opt/mine")
    checkout.log()
    for installs in (1, 0):
        code, out, _ = checkout.run(EDGEMIND_PYTHON=str(other))
        assert (code, out) == (0, ANSWER)
        assert checkout.log().count("venv") == installs
    assert checkout.run() == (0, ANSWER, "")
    assert "/opt/mine" in (checkout.root / ".venv" / "bin" / "python").read_text()


def test_the_same_python_chosen_by_name_keeps_the_environment(checkout: Checkout) -> None:
    checkout.run()
    checkout.log()
    assert checkout.run(EDGEMIND_PYTHON="python3")[:2] == (0, ANSWER)
    assert "venv" not in checkout.log()


def test_a_chosen_python_that_is_none(checkout: Checkout) -> None:
    assert checkout.run(EDGEMIND_PYTHON="/no/such") == (
        1,
        "",
        "edgemind: EDGEMIND_PYTHON=/no/such does not start a Python. Correct it or unset it.\n",
    )


def test_a_checkout_that_cannot_be_written_to(checkout: Checkout) -> None:
    (checkout.root / ".venv").write_text("a file in the way")
    code, _, err = checkout.run()
    assert code == 1
    assert err.startswith(f"edgemind: cannot write to {checkout.root / '.venv'} (")


@pytest.mark.parametrize(
    ("log", "word"),
    [
        ("OSError: [Errno 28] No space left on device", "TMPDIR"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "PARALLEL_LEVEL=1"),
        ("CMake Error: CMAKE_CXX_COMPILER not set", "build-essential"),
        ("NewConnectionError('Failed to establish a new connection')", "connection"),
        ("something nobody foresaw", "Try again"),
    ],
)
def test_advice_fits_the_failure(setup: Any, log: str, word: str) -> None:
    assert word in setup("setup_progress").advice(log)


def test_progress_is_plain_lines_without_a_terminal(
    setup: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = setup("setup_progress").Progress(sys.stderr, {"TERM": "xterm"})
    for line in (
        "Collecting numpy>=1.26",
        "  Collecting rich",
        "  [12/345] Building CXX object x.o",
        "  [13/345] Building CXX object y.o",
        "Installing collected packages: numpy",
    ):
        progress.read(line)
        progress.tick()
    progress.clear()
    assert capsys.readouterr().err.splitlines() == [
        "edgemind: 0:00 fetching packages numpy",
        "edgemind: 0:00 compiling llama.cpp 12/345",
        "edgemind: 0:00 installing packages",
    ]


def test_a_signal_while_a_command_starts_stops_it_too(
    setup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands, progress = setup("setup_commands"), setup("setup_progress")
    start = subprocess.Popen
    children = []

    def start_and_be_stopped(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        children.append(start(*arguments, **options))
        os.kill(os.getpid(), signal.SIGTERM)
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", start_and_be_stopped)
    before = {number: signal.getsignal(number) for number in commands.SIGNALS}
    lock = os.open(tmp_path, os.O_RDONLY)
    try:
        commands.stop_on_signals()
        with pytest.raises(commands.Stopped):
            commands.run(
                ["sleep", "600"],
                folder=tmp_path,
                environment=os.environ,
                log_path=tmp_path / "log",
                lock=lock,
                progress=progress.Progress(sys.stderr, {}),
            )
    finally:
        os.close(lock)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert children[0].returncode == -signal.SIGINT


def test_half_installed_packages_are_forgotten(setup: Any, tmp_path: Path) -> None:
    for name, record in (("whole-1.0", True), ("half-1.0", False)):
        (tmp_path / f"{name}.dist-info").mkdir()
        (tmp_path / f"{name}.dist-info" / "METADATA").touch()
        if record:
            (tmp_path / f"{name}.dist-info" / "RECORD").touch()
    setup("setup_checks").forget_half_installed(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["whole-1.0.dist-info"]


def test_pip_gets_a_cache_where_the_home_folder_takes_none(setup: Any, tmp_path: Path) -> None:
    would_write = setup("setup_checks").pip_would_write
    assert would_write(tmp_path / "not" / "yet" / "made", {"HOME": "/home/me"})
    assert not would_write(Path("/.cache/pip"), {"HOME": ""})
    assert not would_write(Path("/proc/1/cache"), {"HOME": "/proc/1"})


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of scripts/_setup by name."""
    monkeypatch.syspath_prepend(ROOT / "scripts" / "_setup")
    return importlib.import_module
