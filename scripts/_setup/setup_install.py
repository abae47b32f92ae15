"""Makes or repairs .venv and installs the checkout into it. Started by `ready`, never by hand.

Runs under whatever Python the machine has, so it uses the standard library only. All it says goes
to stderr. It may be killed at any moment: the stamp that makes the next start quick is written
last, and what a killed run left half done is found and done again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import setup_commands
from setup_checks import (
    forget_half_installed,
    holds_files,
    missing_compilers,
    pinned_llama,
    pip_would_write,
    remove,
)
from setup_commands import Stopped
from setup_progress import Progress, advice, last_words

PROBE = """
import importlib.metadata, importlib.util, json, sys, sysconfig
try:
    llama = importlib.metadata.version("llama-cpp-python")
except importlib.metadata.PackageNotFoundError:
    llama = None
print(json.dumps({
    "version": list(sys.version_info[:2]),
    "base": sys.base_prefix,
    "packages": sysconfig.get_path("purelib"),
    "pip": importlib.util.find_spec("pip") is not None,
    "llama": llama,
}))
"""


class Failure(Exception):
    """Set-up cannot go on; the text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What a Python says about itself."""

    version: tuple[int, int]
    base: str
    packages: Path
    pip: bool
    llama: str | None


class Installer:
    """One set-up of one checkout, under its lock.

    `kind` is `base` or `dev`, `wanted` what a stamp has to start with, `choice` the value of
    EDGEMIND_PYTHON, `python` the command that makes a new environment.
    """

    def __init__(
        self, *, root: Path, python: str, kind: str, wanted: str, choice: str, lock: int
    ) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.venv_python = str(self.venv / "bin" / "python")
        self.log = self.venv / "edgemind-setup.log"
        self.python = python
        self.kind = kind
        self.wanted = wanted
        self.choice = choice
        self.lock = lock
        self.environment = setup_commands.quiet(os.environ)
        self.progress = Progress(sys.stderr, os.environ)

    @property
    def stamps(self) -> list[Path]:
        """The files, read by is_ready in `ready`, that say what .venv holds: dev includes base."""
        kinds = ("base", "dev") if self.kind == "dev" else ("base",)
        return [self.venv / f"edgemind-{kind}.stamp" for kind in kinds]

    @property
    def stamp_text(self) -> str:
        """What each of the stamps says when all is as wanted."""
        return f"{self.wanted}\n{os.path.realpath(self.venv_python)}\n{self.choice}\n"

    def is_ready(self) -> bool:
        """Whether somebody else finished the same work while this one waited for the lock."""
        try:
            stamp = self.stamps[-1].read_text()
        except OSError:
            return False
        programs = (self.venv / "bin" / "edgemind", Path(self.venv_python))
        return stamp == self.stamp_text and all(program.exists() for program in programs)

    def install(self) -> None:
        """From whatever is there to an environment that holds the project."""
        self.make_folder()
        for stamp in self.stamps:
            stamp.unlink(missing_ok=True)
        interpreter = self.make_venv()
        forget_half_installed(interpreter.packages)
        self.announce(interpreter)

        self.progress.state("asking pip what is missing")
        target = ".[dev]" if self.kind == "dev" else "."
        if self.run(self.pip("install", "--verbose", "--editable", target)) != 0:
            self.give_up("The installation failed.")
        if not (self.venv / "bin" / "edgemind").exists():
            self.give_up("The installation left no .venv/bin/edgemind.")
        for stamp in self.stamps:
            draft = stamp.with_suffix(".draft")
            draft.write_text(self.stamp_text)
            draft.replace(stamp)  # in one step: no start ever reads half a stamp
        self.progress.say(f"ready after {self.progress.elapsed}")

    def make_folder(self) -> None:
        """.venv as a folder that is ours to fill, with an empty log."""
        try:
            self.venv.mkdir(exist_ok=True)
            strangers = any(holds_files(path) for path in self.venv.iterdir() if path != self.log)
            if strangers and not (self.venv / "pyvenv.cfg").exists():
                raise Failure(
                    f"{self.venv} is not a virtual environment. Move it away and start again."
                )
            self.log.write_bytes(b"")
        except OSError as error:
            raise Failure(
                f"cannot write to {self.venv} ({error.strerror}). Use a checkout in a folder of "
                "your own."
            ) from error

    def make_venv(self) -> Interpreter:
        """The environment's interpreter, with pip; keeps one that works."""
        found = self.probe(self.venv_python)
        if found is not None and self.choice:
            chosen = self.probe(self.python)
            if chosen is not None and (chosen.version, chosen.base) != (found.version, found.base):
                self.progress.say("making .venv again, for EDGEMIND_PYTHON is another Python")
                found = None
        if found is None or found.version < (3, 11):
            self.progress.state("making .venv")
            for path in self.venv.iterdir():
                if path != self.log:
                    remove(path)
            if self.run([self.python, "-I", "-m", "venv", str(self.venv)]) != 0:
                self.give_up("No virtual environment could be made.")
            found = self.probe(self.venv_python)
        elif not found.pip:
            self.progress.state("adding pip to .venv")
            if self.run([self.venv_python, "-I", "-m", "ensurepip", "--upgrade"]) != 0:
                self.give_up("pip could not be added to .venv.")
        if found is None:
            self.give_up("The new environment's Python does not start.")
        return found

    def announce(self, interpreter: Interpreter) -> None:
        """Say up front what will take long, and refuse what cannot succeed."""
        self.use_own_cache_if_needed()
        version, missing = pinned_llama(self.root), missing_compilers(os.environ)
        if version is None or interpreter.llama == version:
            return
        if f"llama_cpp_python-{version}-" in (self.ask("cache", "list", "llama_cpp_python") or ""):
            self.progress.say("setting up .venv, once: this takes about a minute")
        elif not missing:
            self.progress.say("setting up .venv, once: compiling llama.cpp takes minutes")
        elif not self.finds_wheel(f"llama-cpp-python=={version}"):
            raise Failure(
                f"llama.cpp has to be compiled, and no {missing} compiler was found. On Debian or "
                "Ubuntu: sudo apt install build-essential"
            )

    def finds_wheel(self, requirement: str) -> bool:
        """Whether some index that pip is set up for has this ready-made."""
        only_wheels = ("install", "--dry-run", "--no-deps", "--only-binary", ":all:")
        return self.ask(*only_wheels, requirement) is not None

    def use_own_cache_if_needed(self) -> None:
        """Give pip a cache in .venv where the home folder takes none.

        Without a cache, a run that was cut would compile llama.cpp a second time.
        """
        folder = self.ask("cache", "dir")
        if folder is not None and not pip_would_write(Path(folder.strip()), os.environ):
            self.environment["PIP_CACHE_DIR"] = str(self.venv / "pip-cache")

    def pip(self, *arguments: str) -> list[str]:
        """A pip command in the environment."""
        return [self.venv_python, "-I", "-m", "pip", *arguments]

    def ask(self, *arguments: str) -> str | None:
        """What a short pip command prints; None where it fails."""
        return setup_commands.ask(self.pip(*arguments), self.environment)

    def run(self, command: Sequence[str]) -> int:
        """Run a long command into the log; its exit status."""
        return setup_commands.run(
            command,
            folder=self.root,
            environment=self.environment,
            log_path=self.log,
            lock=self.lock,
            progress=self.progress,
        )

    def probe(self, python: str) -> Interpreter | None:
        """What this Python says about itself; None where it does not start."""
        text = setup_commands.ask([python, "-I", "-c", PROBE], self.environment)
        if text is None:
            return None
        values = json.loads(text)
        return Interpreter(
            version=(values["version"][0], values["version"][1]),
            base=values["base"],
            packages=Path(values["packages"]),
            pip=values["pip"],
            llama=values["llama"],
        )

    def give_up(self, what: str) -> NoReturn:
        """Show the end of the log, say where the rest is, and what to do."""
        self.progress.clear()
        log = self.log.read_text(errors="replace")
        for line in last_words(log):
            print(f"  | {line}", file=sys.stderr)
        raise Failure(f"{what} {advice(log)} The whole log: {self.log}")


def main(arguments: Sequence[str]) -> int:
    """Set up, then become the command that follows `--`, if any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--python", type=os.path.abspath, required=True)
    parser.add_argument("--kind", choices=("base", "dev"), required=True)
    parser.add_argument("--wanted", required=True)
    parser.add_argument("--choice", required=True)
    end = arguments.index("--")  # what follows is not ours to read
    options, command = vars(parser.parse_args(arguments[:end])), list(arguments[end + 1 :])
    try:
        setup_commands.stop_on_signals()
        with setup_commands.locked(options["root"]) as lock:
            installer = Installer(**options, lock=lock)
            if not installer.is_ready():
                try:
                    installer.install()
                finally:
                    installer.progress.clear()
        if command:
            # Python ignores SIGPIPE; the next program should meet the world as from a shell.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            os.execv(command[0], command)
    except Failure as failure:
        print(f"edgemind: {failure}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        print("edgemind: set-up stopped. Start again to go on from here.", file=sys.stderr)
        return 128 + stopped.number
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
